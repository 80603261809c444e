"""Executes the commands of a referral: ask the rules, write the rows, file the events, in one unit of work.

Each function works in the transaction that it is given. No function commits, waits or knows HTTP.
"""

from collections.abc import Sequence
from datetime import date

from shared.contracts import events as e
from shared.contracts.codes import InformationKind, Kind, LegalBasis, Status
from shared.contracts.types import UnitRef, VictimFacts
from shared.domain import commands as c
from shared.domain.access import Sight
from shared.domain.referral import ENDED, MOVES, Referral, Side, decide, evolve, open_referral, react
from shared.domain.refusal import Refused
from shared.domain.routing import Unit
from shared.service import capacity, clocks, disclosure, erasure, interviews, sealed
from shared.service.office import Office, draft, new_id
from shared.storage import referrals, seen
from shared.storage.agency_tables import VictimRow
from shared.storage.database import Transaction
from shared.storage.tables import ReferralRow
from shared.storage.victims import holder_of, lock_victim, take_custody


def request(tx: Transaction, office: Office, sight: Sight, command: c.Request) -> ReferralRow:
    """Request a service, or a transfer of custody, from a desk. Returns the row of the new referral.

    Raises Refused, for example ``unknown-victim``, ``journey-closed``, ``not-responsible``, ``no-such-route``,
    ``desk-is-full``, ``duplicate``, ``no-consent``. ``id-taken`` comes last, so that probing an id costs a referral.
    """
    victim = lock_victim(tx.session, sight, command.victim_id, field="victim_id")
    if victim.closed_at is not None:
        raise Refused("journey-closed")
    referral_id = command.referral_id or new_id()
    if command.replaces is not None:
        earlier = referrals.load(tx.session, command.replaces, seen.referrals(sight))
        if earlier is None or earlier.victim_id != victim.id:
            raise Refused("unknown-referral", field="replaces")
    live = referrals.live_of_victim(tx.session, victim.id)
    requested = _requested(tx, office, command, victim, speaking_unit(sight, victim, live), referral_id)
    _refuse_second(requested, live, office.code)
    wanted = command.receiver.agency
    what = disclosure.lawful(tx, office, sight, victim, live, wanted, command.service, command.basis)
    if referrals.load(tx.session, referral_id) is not None:  # checked last: probing an id costs a real referral
        raise Refused("id-taken", field="referral_id")
    given = disclosure.give(tx, office, victim.id, referral_id, wanted, what, command.basis, first=True)
    sealed_for_them = given.sealed if given else None
    requested = requested.model_copy(update={"consent_id": what.consent_id, "sealed": sealed_for_them})
    referral = open_referral(requested)
    row = referrals.add(tx.session, referral, command.basis, tx.now)
    _speak(tx, office, row, referral, requested, command.note, key=given.key if given else None)
    if referral.receiver.agency == office.code:
        _answer_in_house(tx, office, row, referral, requested)
    return row


def _requested(
    tx: Transaction, office: Office, command: c.Request, victim: VictimRow, sender: UnitRef, referral_id: str
) -> e.Requested:
    """Version 1 of a referral: checks the route, the desk and its room, and computes the clock's time limit."""
    wanted = command.receiver
    route = office.agency.route(wanted.agency, command.service)
    if route is None:
        raise Refused("no-such-route", field="service")
    if command.kind not in route.kinds:
        raise Refused("kind-not-on-route", field="kind")
    at = c.when(command, tx.now)
    on = tx.now.date()
    unit = asked_desk(office, wanted, sender.region, on)
    if unit.as_ref() == sender:
        raise Refused("desk-asks-itself", field="receiver")
    capacity.require_room(tx, office, unit, command.service, command.force, "receiver")
    about = {"service": command.service, "priority": command.priority, "kind": command.kind}
    service = office.directory.service(wanted.agency, command.service)
    clock = clocks.for_request(office, service.clock, unit.as_ref(), at, about)
    return e.Requested(
        referral_id=referral_id,
        victim_id=victim.id,
        case_id=victim.case_id,
        occurred_at=at,
        kind=command.kind,
        service=command.service,
        priority=command.priority,
        sender=sender,
        receiver=unit.as_ref(),
        facts=VictimFacts.model_validate(
            {"age_class": victim.age_class, "sex": victim.sex, "home_region": victim.home_region}
        ),
        due_at=clock.due(at, office.clocks.zone(unit.region)),
        clock=clock.code,
        custody_seq=_next_custody(office, victim) if command.kind is Kind.TRANSFER else None,
        replaces=command.replaces,
        forced=command.force,
        interviews=interviews.known(tx.session, victim.id),
    )


def asked_desk(office: Office, wanted: c.Receiver, region: str, on: date) -> Unit:
    """The desk that a request asks: the named desk, or the nearest desk to the named region or to ``region``.

    ``on``: the day on which the desk must be valid. Raises Refused: ``unknown-unit``, ``unknown-region`` or
    ``unknown-agency``.
    """
    if wanted.unit is not None:
        return office.units.get(wanted.agency, wanted.unit, on, "receiver/unit")
    return office.units.desk_for(wanted.agency, wanted.region or region, on, "receiver/region")


def speaking_unit(sight: Sight, victim: VictimRow, live: Sequence[ReferralRow]) -> UnitRef:
    """The unit in whose name the caller may refer this victim: the custody holder, or a unit that serves the victim.

    ``live``: the victim's referrals that have not ended. Raises Refused("not-responsible").
    """
    holder = holder_of(victim)
    if holder is not None and sight.covers(holder):
        return holder
    for row in live:
        receiver = referrals.to_referral(row).receiver
        if sight.covers(receiver) and row.status not in (Status.REQUESTED, Status.RECEIVED):
            return receiver
    raise Refused("not-responsible", field="victim_id")


def _next_custody(office: Office, victim: VictimRow) -> int:
    if victim.custody_agency != office.code:
        raise Refused("not-custody-holder", field="kind")
    return victim.custody_seq + 1


def _refuse_second(requested: e.Requested, live: Sequence[ReferralRow], our_code: str) -> None:
    """Refuse a second live referral of the victim for the same service to the same desk, unless forced.

    Refuse a second open transfer of the same custody too, even if forced.
    """
    ours = [row for row in live if row.sender_agency == our_code]
    for row in ours:
        if requested.kind is Kind.TRANSFER and row.custody_seq == requested.custody_seq:
            raise Refused("transfer-already-open", field="kind", referral=row.id)
        if not requested.forced and is_same_request(row, requested):
            raise Refused("duplicate", field="service", referral=row.id)


def is_same_request(row: ReferralRow, requested: e.Requested) -> bool:
    """Whether a live referral already asks this desk for this service for this victim."""
    return (
        row.victim_id == requested.victim_id
        and row.service == requested.service
        and row.receiver_agency == requested.receiver.agency
        and row.receiver_unit == requested.receiver.unit
    )


def act(
    tx: Transaction,
    office: Office,
    sight: Sight,
    referral_id: str,
    command: c.Command,
    expected: str | None,
    causation_id: str | None = None,
) -> ReferralRow:
    """Execute a command of the caller on a referral. Returns the row.

    ``expected`` is the ETag that the caller has seen; None: any. ``causation_id`` is the event that the command
    answers, if any. Raises Refused: ``unknown-referral``, ``not-your-move``, ``precondition-failed``, or what the
    rules refuse.
    """
    row = referrals.load(tx.session, referral_id, seen.referrals(sight))
    if row is None:
        raise Refused("unknown-referral")
    referral = referrals.to_referral(row)
    if not sight.covers(referral.sender if MOVES[type(command)].side is Side.SENDER else referral.receiver):
        raise Refused("not-your-move", command=type(command).__name__)
    if expected is not None and expected != etag(row):
        raise Refused("precondition-failed", current=etag(row))
    if isinstance(command, c.Reject) and command.better_desk is not None:
        better = command.better_desk
        office.units.get(better.agency, better.unit, tx.now.date(), "better_desk/unit")
    given = None
    if isinstance(command, c.ProvideInformation) and command.about is InformationKind.IDENTITY:
        given = _identity_for(tx, office, sight, row)
    progress(tx, office, row, command, causation_id, given)
    return row


def _identity_for(tx: Transaction, office: Office, sight: Sight, row: ReferralRow) -> sealed.Given | None:
    """Seal the identity, as known now, for the receiver of a referral. None when there is nothing to give.

    Raises Refused when the legal basis does not hold: ``no-consent`` or ``not-a-child``.
    """
    victim = lock_victim(tx.session, sight, row.victim_id)
    assert row.basis is not None  # every request of ours has a legal basis
    basis, wanted = LegalBasis(row.basis), row.receiver_agency
    live = referrals.live_of_victim(tx.session, victim.id)
    what = disclosure.lawful(tx, office, sight, victim, live, wanted, row.service, basis)
    return disclosure.give(tx, office, row.victim_id, row.id, wanted, what, basis, first=False)


def etag(row: ReferralRow) -> str:
    """The entity tag of a referral: its version, the number of the sender's asks, and whether it is closed."""
    return f'"{row.version}.{row.asks}{"c" if row.closed else ""}"'


def progress(
    tx: Transaction,
    office: Office,
    row: ReferralRow,
    command: c.Command,
    causation_id: str | None = None,
    given: sealed.Given | None = None,
) -> None:
    """Execute a command of our side without checking a caller: decide, write the row, file the events.

    ``given``: sealed identity to send with the event. Raises Refused for a move that the rules do not allow.
    """
    if isinstance(command, c.RequestCancellation) and command.ask_id is None:
        command = command.model_copy(update={"ask_id": new_id()})
    note = command.note if isinstance(command, c.Noted) else None
    before = referrals.to_referral(row)
    for event in decide(before, command, tx.now):
        if given is not None:
            event = event.model_copy(update={"sealed": given.sealed})
        after = evolve(before, event)
        _speak(tx, office, row, after, event, note, causation_id, given.key if given else None)
        settle(tx, office, row, after, event)
        if row.sender_agency == row.receiver_agency:
            row.closed = after.status in ENDED
            _answer_in_house(tx, office, row, after, event)


def settle(tx: Transaction, office: Office, row: ReferralRow, referral: Referral, event: e.EventData) -> None:
    """Apply an event to the rows: write the referral and, for an accepted transfer, the custody."""
    referrals.save(row, referral, tx.now)
    tx.changed.add(row.id)
    if isinstance(event, e.Accepted) and event.custody is not None:
        left = take_custody(tx.session, row.victim_id, event.custody, office.code)
        if left is not None:
            erasure.custody_left(tx, office, left)


def _answer_in_house(tx: Transaction, office: Office, row: ReferralRow, referral: Referral, event: e.EventData) -> None:
    # both desks are ours and share the row, so the other desk answers in the same transaction
    answer = react(referral, event)
    if answer is not None:
        progress(tx, office, row, answer)


def _speak(
    tx: Transaction,
    office: Office,
    row: ReferralRow,
    referral: Referral,
    event: e.ReferralEvent,
    note: str | None = None,
    causation_id: str | None = None,
    key: str | None = None,
) -> None:
    """File an event of ours for the other side, start and stop clocks, and store the note.

    The note stays in our agency. ``key``: the wrapped data key that travels beside the event.
    """
    by_sender = isinstance(event, e.Requested | e.SenderAsk)
    ours, theirs = (referral.sender, referral.receiver) if by_sender else (referral.receiver, referral.sender)
    filed = draft(
        event,
        theirs.agency,
        ours,
        victim_id=referral.victim_id,
        sequence=referral.version,
        causation_id=causation_id,
        basis=row.basis,
        key=key,
    )
    tx.emit(filed)
    clocks.note_referral(tx, office, referral, event)
    tx.changed.add(referral.id)
    if note:
        sealed.keep_note(tx, office, referral.victim_id, filed.id, note)
