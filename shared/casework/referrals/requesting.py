"""Request a service or a transfer of custody: find the desk, check route and room, refuse a second request."""

from collections.abc import Sequence
from datetime import date, datetime

from shared.casework.capacity import room
from shared.casework.clocks import running as clocks
from shared.casework.referrals.execution import answer_in_house, file_event
from shared.casework.referrals.urgent import UrgentToDesk, count_urgent
from shared.contracts import events as e
from shared.contracts.codes import Kind
from shared.contracts.types import UnitRef
from shared.domain.commands import when
from shared.domain.referral import open_referral
from shared.domain.referral_commands import Receiver, Request
from shared.domain.refusal import Refused
from shared.domain.routing import Unit
from shared.domain.urgency import is_urgent
from shared.reference.acting import Acting
from shared.reference.office import Office, new_pseudonym
from shared.storage import referrals, visibility
from shared.storage.tables import ReferralRow
from shared.storage.unit_of_work import Transaction
from shared.victims.disclosure import disclose as disclosure
from shared.victims.interviews import store as interviews
from shared.victims.register.facts import facts_of, facts_to_give
from shared.victims.register.speaking import speaking_unit
from shared.victims.register.store import lock_victim
from shared.victims.register.tables import VictimRow
from shared.victims.sealed import notes as sealed_notes


def request(acting: Acting, command: Request, counted: bool = False) -> ReferralRow:
    """Request a service, or a transfer of custody, from a desk. Returns the row of the new referral.

    ``counted``: a list has counted its urgent requests already. Raises Refused, for example ``unknown-victim``,
    ``journey-closed``, ``not-responsible``, ``no-such-route``, ``desk-is-full``, ``duplicate``, ``no-consent``,
    ``urgent-needs-supervisor``.
    """
    tx, office = acting.tx, acting.office
    victim = lock_victim(tx.session, acting.sight, command.victim_id, field="victim_id")
    if victim.closed_at is not None:
        raise Refused("journey-closed")
    referral_id = new_pseudonym(tx.now.date())
    if command.replaces is not None:
        earlier = referrals.load(tx.session, command.replaces, visibility.referrals(acting.sight))
        if earlier is None or earlier.victim_id != victim.id:
            raise Refused("unknown-referral", field="replaces")
    live = referrals.live_of_victim(tx.session, victim.id)
    requested = _requested(tx, office, command, victim, speaking_unit(acting.sight, victim, live), referral_id)
    _refuse_second(requested, live, office.code)
    asked = disclosure.ForService(command.receiver.agency, command.service, command.basis)
    if not counted and is_urgent(command.priority, office.directory.may_not_wait(asked.agency, asked.service)):
        count_urgent(acting, [UrgentToDesk(requested.receiver, "receiver", forced=command.force)])
    against = disclosure.check_basis(acting, victim, asked, command.note)
    what = disclosure.lawful(acting, victim, live, asked)
    disclosed = disclosure.Disclosure(referral_id, victim.id, asked.agency, asked.basis, what.consent_id, against)
    given = disclosure.give(tx, office, victim, disclosed, what.fields, first=True)
    sealed_for_them = given.sealed if given else None
    told = {"consent_id": what.consent_id, "sealed": sealed_for_them, "against_withdrawal": against}
    requested = requested.model_copy(update=told)
    referral = open_referral(requested)
    row = referrals.add(tx.session, referral, command.basis, tx.now)
    filed_id = file_event(tx, office, row, referral, requested, key=given.key if given else None)
    if command.note:
        sealed_notes.keep_note(tx, office, victim.id, filed_id, command.note)
    if referral.receiver.agency == office.code:
        answer_in_house(tx, office, row, referral, requested)
    return row


def _earliest(victim: VictimRow, kind: Kind) -> datetime:
    """The moment before which a request cannot have been made. Only who has custody hands it over."""
    since = victim.custody_at or victim.registered_at
    return since if kind is Kind.TRANSFER else min(victim.registered_at, since)


def _requested(
    tx: Transaction, office: Office, command: Request, victim: VictimRow, sender: UnitRef, referral_id: str
) -> e.Requested:
    """Version 1 of a referral: checks the route, the desk and its room, and computes the clock's time limit."""
    wanted = command.receiver
    route = office.agency.route(wanted.agency, command.service)
    if route is None:
        raise Refused("no-such-route", field="service")
    if command.kind not in route.kinds:
        raise Refused("kind-not-on-route", field="kind")
    at = when(command, tx.now, _earliest(victim, command.kind))
    on = tx.now.date()
    unit = asked_desk(office, wanted, sender.region, on)
    if unit.as_ref() == sender:
        raise Refused("desk-asks-itself", field="receiver")
    room.require_room(tx, office, unit, command.service, command.force, "receiver")
    about = {"service": command.service, "priority": command.priority, "kind": command.kind}
    service = office.directory.service(wanted.agency, command.service)
    clock = clocks.for_request(office, service.clock, unit.as_ref(), tx.now, about)
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
        facts=(facts := facts_to_give(victim, office.code)),
        facts_of_receiver=victim.facts_from == unit.agency != office.code and facts == facts_of(victim),
        due_at=clock.due(tx.now, office.clocks.zone(unit.region)),
        clock=clock.code,
        custody_seq=_next_custody(office, victim) if command.kind is Kind.TRANSFER else None,
        replaces=command.replaces,
        forced=command.force,
        interviews=interviews.to_tell(tx.session, victim.id),
    )


def asked_desk(office: Office, wanted: Receiver, region: str, on: date) -> Unit:
    """The desk that a request asks: the named desk, or the nearest desk to the named region or to ``region``.

    ``on``: the day on which the desk must be valid. Raises Refused: ``unknown-unit``, ``unknown-region`` or
    ``unknown-agency``.
    """
    if wanted.unit is not None:
        return office.units.get(wanted.agency, wanted.unit, on, "receiver/unit")
    return office.units.desk_for(wanted.agency, wanted.region or region, on, "receiver/region")


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
    """Whether a live referral of the same agency already asks this desk for this service for this victim.

    The request of another agency stands in nobody's way: a person must see both. Transfers are the same where they
    offer one custody link.
    """
    return (
        row.sender_agency == requested.sender.agency
        and row.custody_seq == requested.custody_seq
        and row.victim_id == requested.victim_id
        and row.service == requested.service
        and row.receiver_agency == requested.receiver.agency
        and row.receiver_unit == requested.receiver.unit
    )
