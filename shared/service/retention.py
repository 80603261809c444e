"""Delete data whose retention has ended (UU 27/2022 Ps 21(1) d, Ps 43), from timers, with nobody logged in.

An identity is kept after the end of the journey for as long as the notice says. Then it is erased here and at every
holder, unless a legal hold stands. Stored answers (Idempotency-Key) and applied parked events are deleted after a fixed
time.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select
from sqlmodel import Session, col

from shared.domain.consent import Notice
from shared.service import erasure, security_log
from shared.service.deadlines import Deadline
from shared.service.erasure import RETENTION
from shared.service.office import Office, new_id
from shared.storage import privacy
from shared.storage.agency_tables import IdempotencyRow, VictimRow
from shared.storage.database import Transaction
from shared.storage.privacy_tables import HoldRow
from shared.storage.tables import ParkedEvent
from shared.storage.victims import load_victim

ANSWERS_KEPT = timedelta(days=30)
"""How long a repeated request with the same Idempotency-Key still gets its first answer."""
PARKED_KEPT = timedelta(days=90)
"""How long a parked event stays listed after it was applied. The ledger keeps it anyway."""
AT_ONCE = 500
"""Rows that one transaction deletes."""


def deadlines(office: Office) -> Sequence[Deadline]:
    """The retention timers of an agency."""
    return (
        Deadline(RETENTION, next_erasure, lambda tx: erase_due(tx, office)),
        Deadline(RETENTION, next_forgotten_answer, forget_answers),
        deadline_of_parked(office),
    )


def deadline_of_parked(_: Office) -> Deadline:
    """The retention timer of every member, an agency or not."""
    return Deadline(RETENTION, next_forgotten_parked, forget_parked)


def keep_until(tx: Transaction, office: Office, victim: VictimRow, closed_at: datetime) -> datetime:
    """The moment (UTC) until which the data of a victim may be kept, after the end of the journey.

    The notice of the last consent sets the retention. Without a consent, the newest notice that was valid then sets it.
    """
    consents = privacy.consents_of(tx.session, victim.id)
    notice = office.notices[consents[-1].notice] if consents else _newest(office, closed_at)
    return closed_at + timedelta(days=notice.retention_days)


def _newest(office: Office, at: datetime) -> Notice:
    valid = [notice for notice in office.notices.values() if notice.valid_from <= at.date()]
    return max(valid or office.notices.values(), key=lambda notice: notice.valid_from)


def erase_due(tx: Transaction, office: Office) -> int:
    """Erase every victim whose retention has ended, ``AT_ONCE`` at most; answers how many."""
    over = select(col(VictimRow.id)).where(_kept(), col(VictimRow.keep_until) <= tx.now)
    ids = tx.session.scalars(over.order_by(col(VictimRow.keep_until)).limit(AT_ONCE)).all()
    for victim_id in ids:
        victim, erasure_id = load_victim(tx.session, victim_id), new_id()
        assert victim is not None
        erasure.carry_out(tx, office, victim, office.speaker(tx.now.date()), erasure_id)
        security_log.retention_ended(tx, erasure_id)
    return len(ids)


def next_erasure(session: Session) -> datetime | None:
    """When the next victim's retention ends (UTC); None if there is none."""
    due = select(col(VictimRow.keep_until)).where(_kept()).order_by(col(VictimRow.keep_until))
    found: datetime | None = session.scalars(due.limit(1)).first()
    return found


def _kept() -> ColumnElement[bool]:
    held = select(col(HoldRow.number)).where(
        col(HoldRow.victim_id) == col(VictimRow.id), col(HoldRow.lifted_at).is_(None)
    )
    return col(VictimRow.keep_until).is_not(None) & ~held.exists()


def forget_answers(tx: Transaction) -> int:
    """Delete stored answers older than ``ANSWERS_KEPT``; answers how many."""
    old = select(col(IdempotencyRow.key)).where(col(IdempotencyRow.answered_at) <= tx.now - ANSWERS_KEPT)
    keys = tx.session.scalars(old.order_by(col(IdempotencyRow.answered_at)).limit(AT_ONCE)).all()
    tx.session.execute(delete(IdempotencyRow).where(col(IdempotencyRow.key).in_(keys)))
    return len(keys)


def next_forgotten_answer(session: Session) -> datetime | None:
    """When the next stored answer is due for deletion (UTC); None if there is none."""
    oldest = select(col(IdempotencyRow.answered_at)).order_by(col(IdempotencyRow.answered_at)).limit(1)
    first: datetime | None = session.scalars(oldest).first()
    return None if first is None else first + ANSWERS_KEPT


def forget_parked(tx: Transaction) -> int:
    """Delete parked events that were applied more than ``PARKED_KEPT`` ago; answers how many."""
    old = select(col(ParkedEvent.number)).where(col(ParkedEvent.resolved_at) <= tx.now - PARKED_KEPT)
    numbers = tx.session.scalars(old.limit(AT_ONCE)).all()
    tx.session.execute(delete(ParkedEvent).where(col(ParkedEvent.number).in_(numbers)))
    return len(numbers)


def next_forgotten_parked(session: Session) -> datetime | None:
    """When the next parked event is due for deletion (UTC); None if there is none."""
    oldest = select(col(ParkedEvent.resolved_at)).where(col(ParkedEvent.resolved_at).is_not(None))
    first: datetime | None = session.scalars(oldest.order_by(col(ParkedEvent.resolved_at)).limit(1)).first()
    return None if first is None else first + PARKED_KEPT
