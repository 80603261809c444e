"""The ledger: every event sent and received, as signed bytes, and the numbers of each link.

No row of the ledger is ever updated or deleted. What is still to be published or receipted stands in the outbox.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import and_, bindparam, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from shared.contracts.codes import LegalBasis
from shared.contracts.envelope import Draft, Envelope, write
from shared.contracts.events import ConsentWithdrawn, CustodyEvent, ErasureRequested, ReferralEvent
from shared.contracts.subjects import subject
from shared.security.vault import Signer
from shared.storage import outbox
from shared.storage.tables import LedgerEntry, OutboxEntry, ParkedEvent, ReceivedLink, SentLink

# Every write runs this code, so it uses plain tables and statements that are built once
_LEDGER, _OUTBOX = LedgerEntry.__table__, OutboxEntry.__table__  # type: ignore[attr-defined]
_SENT, _RECEIVED = SentLink.__table__, ReceivedLink.__table__  # type: ignore[attr-defined]
_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_FILING, _OWING = insert(_LEDGER), insert(_OUTBOX)
_NUMBERS = select(_LEDGER.c.linkseq).where(
    _LEDGER.c.link == bindparam("link"), _LEDGER.c.linkseq > bindparam("through")
)
_ARRIVED = select(_RECEIVED.c.through, _RECEIVED.c.highest).where(_RECEIVED.c.link == bindparam("link"))
_FIRST_ARRIVING, _ARRIVING = insert(_RECEIVED), update(_RECEIVED).where(_RECEIVED.c.link == bindparam("of"))
_REFERRAL = select(_LEDGER.c.referral_id, _LEDGER.c.type).where(_LEDGER.c.event_id == bindparam("event_id"))
_RECORDED = select(_LEDGER.c.sha256).where(
    or_(
        _LEDGER.c.event_id == bindparam("event_id"),
        and_(_LEDGER.c.link == bindparam("link"), _LEDGER.c.linkseq == bindparam("linkseq")),
    )
)
_OVERTAKING = select(_LEDGER.c.position).where(
    _LEDGER.c.victim_id == bindparam("victim_id"),
    _LEDGER.c.link == bindparam("link"),
    _LEDGER.c.linkseq > bindparam("linkseq"),
    _LEDGER.c.type.in_(bindparam("types", expanding=True)),
)


@cache
def _taking_numbers(dialect: str) -> Any:
    statement = _INSERT[dialect](_SENT).values(peer=bindparam("peer"), last=bindparam("count"), witnessed=0)
    grown = {"last": _SENT.c.last + bindparam("count")}
    return statement.on_conflict_do_update(index_elements=["peer"], set_=grown).returning(_SENT.c.last)


def file_sent(
    session: Session,
    agency: str,
    key: Signer,
    drafts: Sequence[Draft],
    witnessed: Mapping[str, int],
    now: datetime,
) -> None:
    """Number, sign and file the events of a unit of work for the relay. Store the witnessed numbers of the links.

    Called last in a unit of work: it locks the rows of the links, and other writers wait. ``witnessed``: peer → the
    number up to which the coordinator has our link. ``now``: UTC.
    """
    if not drafts and not witnessed:
        return
    session.flush()
    last = _link_numbers(session, _numbers_wanted(drafts), witnessed)
    if not drafts:
        return
    entries, owed = [], []
    for draft in drafts:
        linkseq = None
        if draft.data.numbered:
            linkseq = last[draft.receiver] = last[draft.receiver] + 1
        # no receipt is expected for a receipt, nor for an event to our own desks: this ledger is their record.
        # Such an event is only to be published
        awaited = draft.data.numbered and draft.receiver != agency
        body = write(draft, agency, linkseq, now)
        entries.append(_entry(draft, agency, linkseq, body, key.sign(body), now))
        owed.append(_outbox_row(draft, agency, linkseq, now, awaited))
    connection = session.connection()
    connection.execute(_FILING, entries)
    connection.execute(_OWING, owed)


def _numbers_wanted(drafts: Sequence[Draft]) -> dict[str, int]:
    wanted: dict[str, int] = {}
    for draft in drafts:
        if draft.data.numbered:
            wanted[draft.receiver] = wanted.get(draft.receiver, 0) + 1
    return wanted


def _link_numbers(session: Session, wanted: Mapping[str, int], witnessed: Mapping[str, int]) -> dict[str, int]:
    """Reserve numbers; return peer → the number before the first reserved one.

    Links are locked in sorted order, so that two transactions never wait for each other.
    """
    last = {}
    for peer in sorted(wanted.keys() | witnessed.keys()):
        if peer in witnessed:
            outbox.witness(session, peer, witnessed[peer])
        if peer in wanted:
            last[peer] = _take_numbers(session, peer, wanted[peer])
    return last


def _take_numbers(session: Session, peer: str, count: int) -> int:
    """Reserve the next ``count`` numbers of the link to ``peer``; return the number before the first of them."""
    statement = _taking_numbers(session.get_bind().dialect.name)
    taken = session.connection().execute(statement, {"peer": peer, "count": count})
    return int(taken.scalar_one()) - count


def _entry(
    draft: Draft, agency: str, linkseq: int | None, body: bytes, signature: str, now: datetime
) -> dict[str, Any]:
    return {
        "event_id": draft.id,
        "sent": True,
        "type": draft.data.type(),
        "link": f"{agency}>{draft.receiver}",
        "linkseq": linkseq,
        "referral_id": draft.data.referral_id if isinstance(draft.data, ReferralEvent | CustodyEvent) else None,
        "victim_id": draft.victim_id,
        "body": body,
        "sha256": hashlib.sha256(body).hexdigest(),
        "signature": signature,
        "recorded_at": now,
    }


def _outbox_row(draft: Draft, agency: str, linkseq: int | None, now: datetime, awaited: bool) -> dict[str, Any]:
    """The row of the outbox for an event. ``awaited``: a receipt is expected for it."""
    return {
        "event_id": draft.id,
        "peer": draft.receiver,
        "linkseq": linkseq,
        "subject": subject(agency, draft.receiver, type(draft.data), draft.region),
        "key": draft.key if awaited else None,
        "attempts": 0,
        "confirmed_at": None if awaited else now,
    }


FARTHEST = 100_000
"""The most by which a number may be ahead of the highest one recorded of its link."""


def is_far_ahead(session: Session, envelope: Envelope) -> bool:
    """Whether the number of an event lies too far beyond its link. Recorded, it would leave a gap for ever."""
    if envelope.linkseq is None or envelope.linkseq <= FARTHEST:
        return False
    _, highest = arrived(session, envelope.link) or (0, 0)
    return envelope.linkseq > highest + FARTHEST


def file_received(session: Session, envelope: Envelope, body: bytes, signature: str, now: datetime) -> None:
    """Record a verified event from another member. The entry makes every later delivery a duplicate."""
    entry = {
        "event_id": envelope.id,
        "sent": False,
        "type": envelope.type,
        "link": envelope.link,
        "linkseq": envelope.linkseq,
        "referral_id": envelope.referral_id,
        "victim_id": envelope.partitionkey,
        "body": body,
        "sha256": hashlib.sha256(body).hexdigest(),
        "signature": signature,
        "recorded_at": now,
    }
    session.connection().execute(_FILING, entry)


def referral_of(session: Session, event_id: str) -> tuple[str | None, str]:
    """The referral id and the type of a recorded event; (None, "") for an unknown event."""
    found = session.connection().execute(_REFERRAL, {"event_id": event_id}).first()
    return (None, "") if found is None else (found.referral_id, found.type)


def recorded(session: Session, envelope: Envelope) -> str | None:
    """SHA-256 (hex) of the entry with this event's id, or its number on the link; None without an entry."""
    # in SQL no number equals NULL, so an unnumbered event is found by its id alone
    named = {"event_id": envelope.id, "link": envelope.link, "linkseq": envelope.linkseq}
    found: str | None = session.connection().execute(_RECORDED, named).scalars().first()
    return found


def overtaken(session: Session, envelope: Envelope) -> bool:
    """Whether a later event of the same sender forbids opening the identity that this event carries.

    The later event is a request to erase the victim. For a disclosure on consent it may also be a withdrawal.
    """
    causes = [ErasureRequested.type()]
    if envelope.basis == LegalBasis.CONSENT:
        causes.append(ConsentWithdrawn.type())
    named = {"victim_id": envelope.partitionkey, "link": envelope.link, "linkseq": envelope.linkseq, "types": causes}
    return session.connection().execute(_OVERTAKING, named).first() is not None


def of_referral(session: Session, referral_id: str) -> Sequence[LedgerEntry]:
    """Every event about a referral, in the order of recording."""
    statement = select(LedgerEntry).where(col(LedgerEntry.referral_id) == referral_id)
    return session.scalars(statement.order_by(col(LedgerEntry.position))).all()


def is_repeated(session: Session, envelope: Envelope) -> bool:
    """Whether an event repeats an applied one of its link. Both have one version of the referral, and one data."""
    of_referral = col(LedgerEntry.referral_id) == envelope.referral_id
    waiting = select(col(ParkedEvent.event_id)).where(
        col(ParkedEvent.referral_id) == envelope.referral_id, col(ParkedEvent.resolved_at).is_(None)
    )
    applied = select(col(LedgerEntry.body)).where(
        of_referral,
        col(LedgerEntry.link) == envelope.link,
        col(LedgerEntry.type) == envelope.type,
        col(LedgerEntry.event_id) != envelope.id,
        col(LedgerEntry.event_id).not_in(waiting),
    )
    told = (Envelope.read(body) for body in session.scalars(applied))
    return any((one.version, one.data) == (envelope.version, envelope.data) for one in told)


def entry_of(session: Session, event_id: str) -> LedgerEntry | None:
    """The entry of an event, or None."""
    return session.scalars(select(LedgerEntry).where(col(LedgerEntry.event_id) == event_id)).first()


def arrived(session: Session, link: str) -> tuple[int, int] | None:
    """The last number before the first gap of a link, and the highest number recorded. None: nothing of it arrived."""
    found = session.connection().execute(_ARRIVED, {"link": link}).first()
    return None if found is None else (found.through, found.highest)


def record_arrivals(session: Session, arrivals: Mapping[str, Sequence[int]]) -> dict[str, tuple[int, int]]:
    """Store which numbers arrived: advance each link's ``through`` up to the first gap, and ``highest`` to the end.

    ``arrivals``: link → numbers recorded in this unit of work. Returns link → ``through`` before and after.
    """
    moved = {}
    for link, numbers in sorted(arrivals.items()):
        connection = session.connection()
        known = arrived(session, link)
        before, highest = known or (0, 0)
        highest, present = max(highest, *numbers), set(numbers)
        if before + 1 not in present or highest > before + len(present):
            # an earlier event arrived out of order: read from the ledger which numbers stand beyond the gap
            present.update(connection.scalars(_NUMBERS, {"link": link, "through": before}))
        through = before
        while through + 1 in present:
            through += 1
        now = {"through": through, "highest": highest}
        if known is None:
            connection.execute(_FIRST_ARRIVING, {"link": link} | now)
        else:
            connection.execute(_ARRIVING, {"of": link} | now)
        moved[link] = (before, through)
    return moved
