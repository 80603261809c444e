"""The same answer to the same POST, however often it is sent (Idempotency-Key, IETF draft-ietf-httpapi)."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Header, Request, Response
from pydantic import BaseModel
from sqlalchemy import bindparam, insert, select
from sqlmodel import col

from shared.domain.refusal import Refused
from shared.security.vault import Vault
from shared.storage.agency_tables import IdempotencyRow
from shared.storage.database import Database, Transaction

KEY = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        description="Kunci unik buatan pemanggil; ulangi permintaan dengan kunci itu. / A unique key; repeat with it.",
        pattern=r"^[!-~]{1,255}$",
        examples=["0193f0a2-lapor-0007"],
    ),
]

# built once: every POST comes through them
_KEPT = select(IdempotencyRow).where(col(IdempotencyRow.key) == bindparam("name"))
_KEEPING = insert(IdempotencyRow.__table__)  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a POST answers."""

    status: int
    body: BaseModel
    location: str | None = None
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Posting:
    """One POST under way: who sends it, with which key, to which address."""

    client: str
    key: str
    path: str
    database: Database
    vault: Vault

    @property
    def name(self) -> str:
        """What this POST is kept under. A key is the caller's own: nobody gets what was kept for somebody else."""
        return hashlib.sha256(f"{self.client}\n{self.key}".encode()).hexdigest()

    def fingerprint(self, sent: str) -> str:
        """By which the same request is known again: keyed, for it may hold a number that a plain hash would tell."""
        return self.vault.blind(f"{self.path}\n{sent}", "fingerprint")

    def once(self, command: BaseModel, work: Callable[[Transaction], Answer]) -> Response:
        """Do ``work`` and keep its answer in the same unit of work; or give the answer that was kept.

        A refusal is not kept: nothing was done, so asking again is asking anew.
        """
        name, fingerprint = self.name, self.fingerprint(command.model_dump_json())

        def unit_of_work(tx: Transaction) -> tuple[IdempotencyRow, bool]:
            kept = tx.session.scalars(_KEPT, {"name": name}).first()
            if kept is not None:
                if kept.fingerprint != fingerprint:
                    raise Refused("idempotency-key-reused", field="Idempotency-Key")
                return kept, True
            answer = work(tx)
            row = IdempotencyRow(
                key=name,
                fingerprint=fingerprint,
                status=answer.status,
                location=answer.location,
                etag=answer.etag,
                body=answer.body.model_dump_json().encode(),
                answered_at=tx.now,
            )
            tx.session.connection().execute(_KEEPING, row.model_dump())
            return row, False

        row, repeated = self.database.write(unit_of_work)
        headers = {"Location": row.location, "ETag": row.etag, "Idempotent-Replayed": "true" if repeated else None}
        stated = {name: value for name, value in headers.items() if value is not None}
        return Response(row.body, row.status, stated, media_type="application/json")


async def posting(request: Request, key: KEY) -> Posting:
    """The POST under way (a FastAPI dependency)."""
    # not request.url, which is put together with the Host that the caller names
    state = request.app.state
    return Posting(request.state.caller.client, key, request.scope["path"], state.database, state.office.vault)
