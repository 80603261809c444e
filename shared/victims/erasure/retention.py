"""Erase victims whose retention has ended (UU 27/2022 Ps 21(1) d, Ps 43), from a timer, with nobody logged in.

An identity is kept after the end of the journey for as long as the notice says. Then it is erased here and at every
controller, unless a legal hold stands.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col

from shared.contracts.codes import DisclosureEnd
from shared.domain.consent import Notice
from shared.domain.erasure import ErasureCause
from shared.reference.office import Office, new_id
from shared.storage.notifier import Topic
from shared.storage.timers import Timer
from shared.storage.unit_of_work import Transaction
from shared.victims.disclosure import store as disclosure
from shared.victims.erasure import carry_out as erasure
from shared.victims.erasure import security_log
from shared.victims.erasure.tables import ErasureRow
from shared.victims.register.store import load_victim
from shared.victims.register.tables import VictimRow
from shared.victims.sealed.tables import HoldRow

AT_ONCE = 500
"""Victims whom one transaction erases."""


def keep_until(tx: Transaction, office: Office, victim: VictimRow, closed_at: datetime) -> datetime:
    """The moment (UTC) until which the data of a victim may be kept, after the end of the journey.

    The notice of the last consent sets the retention. Without a consent, the newest notice that was valid then sets it.
    The retention counts from the later of the told end and its recording, so that no early date erases early.
    """
    consents = disclosure.consents_of(tx.session, victim.id)
    notice = office.notices[consents[-1].notice] if consents else _newest(office, closed_at)
    return max(closed_at, tx.now) + timedelta(days=notice.retention_days)


def _newest(office: Office, at: datetime) -> Notice:
    valid = [notice for notice in office.notices.values() if notice.valid_from <= at.date()]
    return max(valid or office.notices.values(), key=lambda notice: notice.valid_from)


def ended_retention(office: Office) -> Timer:
    """The timer that erases each victim whose time is over."""
    return Timer(Topic.RETENTION, next_erasure, lambda tx: erase_due(tx, office))


def erase_due(tx: Transaction, office: Office) -> int:
    """Erase every victim whose retention has ended, ``AT_ONCE`` at most; answers how many."""
    over = select(col(VictimRow.id)).where(_kept(), col(VictimRow.keep_until) <= tx.now)
    ids = tx.session.scalars(over.order_by(col(VictimRow.keep_until)).limit(AT_ONCE)).all()
    for victim_id in ids:
        victim, erasure_id = load_victim(tx.session, victim_id), new_id()
        assert victim is not None
        erasure.carry_out(tx, office, victim, office.speaker(tx.now.date()), erasure_id)
        tx.session.add(
            ErasureRow(
                id=erasure_id,
                victim_id=victim_id,
                cause=ErasureCause.RETENTION,
                end=DisclosureEnd.ERASED,
                asked_at=tx.now,
                approved=True,
                decided_at=tx.now,
            )
        )
        security_log.retention_ended(tx, erasure_id)
    return len(ids)


def next_erasure(session: Session) -> datetime | None:
    """When the next victim's retention ends (UTC); None if there is none."""
    due = select(col(VictimRow.keep_until)).where(_kept()).order_by(col(VictimRow.keep_until))
    found: datetime | None = session.scalars(due.limit(1)).first()
    return found


def _kept() -> ColumnElement[bool]:
    legal_hold = select(col(HoldRow.number)).where(
        col(HoldRow.victim_id) == col(VictimRow.id), col(HoldRow.lifted_at).is_(None)
    )
    return col(VictimRow.keep_until).is_not(None) & ~legal_hold.exists()
