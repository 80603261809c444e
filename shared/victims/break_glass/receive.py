"""Break-glasses of another agency, received."""

from shared.contracts import events as e
from shared.contracts.envelope import Envelope
from shared.messaging.parked import Park
from shared.reference.office import Office
from shared.storage.notifier import Topic
from shared.storage.unit_of_work import Transaction
from shared.victims.break_glass.store import load_break_glass
from shared.victims.identity.tables import BreakGlassRow
from shared.victims.register.store import holder_of, load_victim


def on_break_glass(tx: Transaction, office: Office, envelope: Envelope, event: e.BreakGlassEvent) -> None:
    """Apply a break-glass event of another agency at a victim of ours: opened, ended, reviewed or overdue.

    The sender is the agency that opened it, or the coordinator. The coordinator passes the event on, because it knows
    better than that agency which agency is responsible now. Raises Park: ``unknown-break-glass``,
    ``not-theirs-to-say`` or ``id-of-another-victim``.
    """
    row = load_break_glass(tx.session, event.break_glass_id)
    opener = event.unit.agency if isinstance(event, e.BreakGlassOpened) else row and row.agency
    if opener is None:
        raise Park("unknown-break-glass")
    if opener == office.code or envelope.sender not in (opener, office.agency.coordinator):
        raise Park("not-theirs-to-say")
    if isinstance(event, e.BreakGlassOpened):
        if row is None:
            tx.session.add(_notice(tx, event))
    elif row is None or row.victim_id != event.victim_id:
        raise Park("id-of-another-victim")
    elif isinstance(event, e.BreakGlassEnded):
        row.end, row.ended_at, row.looks = event.end, event.occurred_at, event.looks
    elif isinstance(event, e.BreakGlassReviewOverdue):
        row.overdue_at = event.occurred_at
    elif isinstance(event, e.BreakGlassReviewed):
        row.verdict, row.reviewed_at = event.verdict, event.occurred_at
    tx.changed.add(Topic.BREAK_GLASS)


def _notice(tx: Transaction, event: e.BreakGlassOpened) -> BreakGlassRow:
    victim = load_victim(tx.session, event.victim_id)
    owner = holder_of(victim) if victim is not None else None
    return BreakGlassRow(
        id=event.break_glass_id,
        victim_id=event.victim_id,
        agency=event.unit.agency,
        unit=event.unit.unit,
        region=event.unit.region,
        owner_agency=owner.agency if owner else None,
        owner_unit=owner.unit if owner else None,
        reason=event.reason,
        opened_at=event.occurred_at,
        until=event.until,
    )
