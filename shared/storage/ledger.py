"""The ledger: every event sent and received, as signed bytes, and the numbers of the links.

Nothing here is ever updated or deleted but the outbox, which says what of it is still owed.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from shared.contracts.envelope import Draft, Envelope, write
from shared.contracts.events import ReferralEvent
from shared.contracts.subjects import subject
from shared.security.keys import SigningKey
from shared.storage.tables import LedgerEntry, OutboxEntry, ReceivedLink, SentLink

_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def upsert(session: Session, table: type[Any]) -> Any:
    """``INSERT … ON CONFLICT`` in the dialect of this session."""
    return _INSERT[session.get_bind().dialect.name](table)


def file_sent(session: Session, agency: str, key: SigningKey, drafts: Sequence[Draft], now: datetime) -> None:
    """Number, sign and file what a unit of work has decided, ready for the relay."""
    if not drafts:
        return
    last = {peer: _take_numbers(session, peer, count) for peer, count in sorted(_numbers_wanted(drafts).items())}
    entries, owed = [], []
    for draft in drafts:
        linkseq = None
        if draft.data.numbered:
            linkseq = last[draft.receiver] = last[draft.receiver] + 1
        body = write(draft, agency, linkseq, now)
        entries.append(_entry(draft, agency, linkseq, body, key.sign(body), now))
        owed.append(
            {
                "event_id": draft.id,
                "peer": draft.receiver,
                "linkseq": linkseq,
                "subject": subject(agency, draft.receiver, type(draft.data), draft.region),
                "attempts": 0,
                # nobody answers a receipt: it owes only its publication
                "confirmed_at": None if draft.data.numbered else now,
            }
        )
    session.execute(insert(LedgerEntry), entries)
    session.execute(insert(OutboxEntry), owed)


def _numbers_wanted(drafts: Sequence[Draft]) -> dict[str, int]:
    wanted: dict[str, int] = {}
    for draft in drafts:
        if draft.data.numbered:
            wanted[draft.receiver] = wanted.get(draft.receiver, 0) + 1
    return wanted


def _take_numbers(session: Session, peer: str, count: int) -> int:
    """Reserve the next ``count`` numbers of the link to ``peer``; answers the number before the first of them."""
    statement = upsert(session, SentLink).values(peer=peer, last=count, witnessed=0)
    statement = statement.on_conflict_do_update(
        index_elements=["peer"], set_={"last": SentLink.last + count}
    ).returning(col(SentLink.last))
    return int(session.execute(statement).scalar_one()) - count


def _entry(
    draft: Draft, agency: str, linkseq: int | None, body: bytes, signature: str, now: datetime
) -> dict[str, Any]:
    return {
        "event_id": draft.id,
        "sent": True,
        "type": draft.data.type(),
        "link": f"{agency}>{draft.receiver}",
        "linkseq": linkseq,
        "referral_id": draft.data.referral_id if isinstance(draft.data, ReferralEvent) else None,
        "victim_id": draft.victim_id,
        "body": body,
        "sha256": hashlib.sha256(body).hexdigest(),
        "signature": signature,
        "recorded_at": now,
    }


def file_received(session: Session, envelope: Envelope, body: bytes, signature: str, now: datetime) -> None:
    """Record a verified event of somebody else. Being here is what makes a second delivery a duplicate."""
    entry = {
        "event_id": envelope.id,
        "sent": False,
        "type": envelope.type,
        "link": envelope.link,
        "linkseq": envelope.linkseq,
        "referral_id": envelope.subject if envelope.type.startswith("id.tppo.referral.") else None,
        "victim_id": envelope.partitionkey,
        "body": body,
        "sha256": hashlib.sha256(body).hexdigest(),
        "signature": signature,
        "recorded_at": now,
    }
    session.execute(insert(LedgerEntry), [entry])


def find(session: Session, event_id: str) -> LedgerEntry | None:
    """The ledger's entry of an event, if it is known."""
    return session.scalars(select(LedgerEntry).where(col(LedgerEntry.event_id) == event_id)).first()


def of_referral(session: Session, referral_id: str) -> Sequence[LedgerEntry]:
    """Every event about a referral, in the order in which this member recorded them."""
    statement = select(LedgerEntry).where(col(LedgerEntry.referral_id) == referral_id)
    return session.scalars(statement.order_by(col(LedgerEntry.position))).all()


def note_arrivals(session: Session, arrivals: Mapping[str, Sequence[int]]) -> None:
    """Move each link's ``through`` on over what has arrived without a hole, and its ``highest`` to the end."""
    for link, numbers in sorted(arrivals.items()):
        row = session.get(ReceivedLink, link) or ReceivedLink(link=link)
        row.highest = max(row.highest, *numbers)
        present = set(numbers)
        if row.through + 1 not in present or row.highest > row.through + len(present):
            # something came out of order before: ask the ledger what stands beyond the hole
            beyond = select(col(LedgerEntry.linkseq)).where(
                col(LedgerEntry.link) == link, col(LedgerEntry.linkseq) > row.through
            )
            present.update(n for n in session.scalars(beyond) if n is not None)
        while row.through + 1 in present:
            row.through += 1
        session.add(row)
