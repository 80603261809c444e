"""End each consent when the time is over for which it was given, from a timer, with nobody logged in."""

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from shared.casework.consent.stopping import ConsentStop, given_on_consent, stop_disclosures
from shared.contracts.codes import ConsentEnd
from shared.reference.office import Office
from shared.storage.notifier import Topic
from shared.storage.timers import Timer
from shared.storage.unit_of_work import Transaction
from shared.victims.disclosure.tables import ConsentRow
from shared.victims.register.store import load_victim


def expiring_consents(office: Office) -> Timer:
    """The timer that ends a consent when its time is over."""
    return Timer(Topic.CONSENTS, next_end, lambda tx: end_due(tx, office))


def end_due(tx: Transaction, office: Office) -> int:
    """End every consent whose time is over. Returns the number ended.

    New disclosure stops and every controller is told. Referrals go on, because the person may be asked again.
    """
    over = select(ConsentRow).where(col(ConsentRow.ended_at).is_(None), col(ConsentRow.valid_until) <= tx.now)
    rows = tx.session.scalars(over.order_by(col(ConsentRow.number))).all()
    for row in rows:
        load_victim(tx.session, row.victim_id)  # everything stored about a victim is written under this lock
        row.ended_at = tx.now
        stop = ConsentStop(office.speaker(tx.now.date()), ConsentEnd.EXPIRED, row.valid_until)
        stop_disclosures(tx, office, row, stop, given_on_consent(tx.session, row.victim_id))
    return len(rows)


def next_end(session: Session) -> datetime | None:
    """The moment (UTC) at which the next consent expires, or None."""
    standing = select(col(ConsentRow.valid_until)).where(col(ConsentRow.ended_at).is_(None))
    found: datetime | None = session.scalars(standing.order_by(col(ConsentRow.valid_until)).limit(1)).first()
    return found
