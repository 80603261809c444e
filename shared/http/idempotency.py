"""Repeat-safe POSTs: a request that is sent again gets the first response (Idempotency-Key, draft-ietf-httpapi)."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Header, Request, Response
from pydantic import BaseModel
from sqlalchemy import bindparam, delete, insert, select, update
from sqlmodel import Session, col

from shared.contracts.pattern import Pattern
from shared.domain.access import Caller
from shared.domain.refusal import Refused
from shared.http.app_state import state_of
from shared.reference.backdating import Act, list_if_late
from shared.security.vault import Vault
from shared.storage.agency_tables import IdempotencyRow
from shared.storage.unit_of_work import Database, Transaction

KEY_PATTERN = Pattern(
    r"^[!-~]{1,255}$", "1 sampai 255 karakter ASCII tanpa spasi", "1 to 255 ASCII characters without spaces"
)
KEY = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        description="Kunci unik buatan pemanggil; ulangi dengan kunci yang sama. / A unique key; repeat with the same.",
        pattern=KEY_PATTERN,
        examples=["0193f0a2-lapor-0007"],
    ),
]

RESPONSES_KEPT = timedelta(days=30)
"""Time during which a repeated request with the same Idempotency-Key gets its first response."""
AT_ONCE = 500
"""Rows that one transaction deletes."""

_VICTIM = re.compile(r"/v1/victims/([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})")
# built once: every POST uses them
_KEPT = select(IdempotencyRow).where(col(IdempotencyRow.key) == bindparam("name"))
_KEEPING = insert(IdempotencyRow.__table__)  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """The response of a POST: HTTP status, body, and the Location and ETag headers where there are any."""

    status: int
    body: BaseModel
    location: str | None = None
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Posting:
    """One POST under way: the client that sends it, its Idempotency-Key, and the path."""

    caller: Caller
    key: str
    path: str
    operation: str
    database: Database
    vault: Vault

    @property
    def name(self) -> str:
        """The key of the stored response. It contains the caller, so that nobody gets the response to somebody else."""
        caller = self.caller
        return hashlib.sha256(f"{caller.client}\n{caller.unit}\n{caller.person}\n{self.key}".encode()).hexdigest()

    def fingerprint(self, sent: str) -> str:
        """A keyed hash that recognises the same request. A plain hash could be tried for the NIK or phone number in
        it."""
        return self.vault.blind(f"{self.path}\n{sent}", "fingerprint")

    def once(self, command: BaseModel, work: Callable[[Transaction], StoredResponse]) -> Response:
        """Run ``work`` and store its response in the same transaction. A repeated request gets the stored response.

        A refusal is not stored: nothing was done, so a repeat is a new attempt. Raises
        Refused("idempotency-key-reused") where the key came with another request before.
        """
        # with the caller's key inside, the stored hash cannot be tried for what was sent
        name, fingerprint = self.name, self.fingerprint(f"{self.key}\n{command.model_dump_json()}")

        def unit_of_work(tx: Transaction) -> tuple[IdempotencyRow, bool]:
            kept = tx.session.scalars(_KEPT, {"name": name}).first()
            if kept is not None:
                if kept.fingerprint != fingerprint:
                    raise Refused("idempotency-key-reused", field="Idempotency-Key")
                return kept, True
            response = work(tx)
            victim_id = _victim_of(self.path, response)
            list_if_late(tx, Act(self.caller, self.operation, victim_id), command)
            row = IdempotencyRow(
                key=name,
                fingerprint=fingerprint,
                victim_id=victim_id,
                status=response.status,
                location=response.location,
                etag=response.etag,
                body=response.body.model_dump_json().encode(),
                answered_at=tx.now,
            )
            tx.session.connection().execute(_KEEPING, row.model_dump())
            return row, False

        try:
            row, repeated = self.database.write(unit_of_work)
        except Refused as refused:
            row, repeated = self._done_meanwhile(name, fingerprint, refused), True
        headers = {"Location": row.location, "ETag": row.etag, "Idempotent-Replayed": "true" if repeated else None}
        stated = {name: value for name, value in headers.items() if value is not None}
        return Response(row.body, row.status, stated, media_type="application/json")

    def _done_meanwhile(self, name: str, fingerprint: str, refused: Refused) -> IdempotencyRow:
        # the same request, twice at once: the second waited for a lock, and was then refused for what the first did
        kept = self.database.read(lambda session: session.scalars(_KEPT, {"name": name}).first())
        if kept is None or kept.fingerprint != fingerprint:
            raise refused
        return kept


def _victim_of(path: str, response: StoredResponse) -> str | None:
    """The victim of a request, as its path, its new resource or its response names the victim."""
    named = _VICTIM.search(path) or _VICTIM.search(response.location or "")
    return named[1] if named else getattr(response.body, "victim_id", None)


def forget_fingerprints(tx: Transaction, victim_id: str) -> None:
    """Delete the keyed hashes of requests about an erased victim. Their keys then serve no other request."""
    theirs = col(IdempotencyRow.victim_id) == victim_id
    tx.session.execute(update(IdempotencyRow).where(theirs).values(fingerprint=None))


async def posting(request: Request, key: KEY) -> Posting:
    """The POST under way (a FastAPI dependency)."""
    # not request.url: it contains the Host header, which the caller chooses
    state = state_of(request)
    path, operation = request.scope["path"], request.scope["route"].name
    return Posting(request.state.caller, key, path, operation, state.database, state.office.vault)


def forget_responses(tx: Transaction) -> int:
    """Delete stored responses older than ``RESPONSES_KEPT``. Returns their number."""
    old = select(col(IdempotencyRow.key)).where(col(IdempotencyRow.answered_at) <= tx.now - RESPONSES_KEPT)
    keys = tx.session.scalars(old.order_by(col(IdempotencyRow.answered_at)).limit(AT_ONCE)).all()
    tx.session.execute(delete(IdempotencyRow).where(col(IdempotencyRow.key).in_(keys)))
    return len(keys)


def next_forgotten_response(session: Session) -> datetime | None:
    """When the next stored response is due for deletion (UTC); None if there is none."""
    oldest = select(col(IdempotencyRow.answered_at)).order_by(col(IdempotencyRow.answered_at)).limit(1)
    first: datetime | None = session.scalars(oldest).first()
    return None if first is None else first + RESPONSES_KEPT
