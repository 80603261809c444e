"""Cases and victims: open a case, register a victim, record a stage of the journey, end the journey.

``id-taken`` is checked last, so that probing an id costs a real registration.
"""

from shared.contracts import events as e
from shared.contracts.codes import Stage
from shared.contracts.events import EventData
from shared.contracts.types import Custody, UnitRef, VictimFacts
from shared.domain import commands as c
from shared.domain.access import Sight
from shared.domain.clocks import About
from shared.domain.refusal import Refused
from shared.service import clocks, identities
from shared.service.erasure import RETENTION
from shared.service.office import Office, draft, new_id
from shared.service.retention import keep_until
from shared.storage import referrals, seen
from shared.storage.agency_tables import CaseRow, VictimRow
from shared.storage.database import Transaction
from shared.storage.victims import holder_of, load_case, load_victim, lock_victim


def open_case(tx: Transaction, office: Office, sight: Sight, command: c.OpenCase) -> CaseRow:
    """Open a case and tell the coordinator. Returns the row.

    Raises Refused: ``unknown-unit``, ``not-your-unit``, ``unknown-channel``, ``id-taken``, or for a bad
    ``occurred_at``.
    """
    unit = office.our_unit(command.unit, tx.now.date())
    sight.require(unit, field="unit")
    if command.channel not in office.agency.channels:
        known = ", ".join(office.agency.channels)
        raise Refused("unknown-channel", field="channel", known=known)
    at = c.when(command, tx.now)
    case_id = command.case_id or new_id()
    if load_case(tx.session, case_id) is not None:
        raise Refused("id-taken", field="case_id")
    row = CaseRow(
        id=case_id,
        unit=unit.unit,
        region=unit.region,
        channel=command.channel,
        exploitation=command.exploitation,
        destination=command.destination,
        opened_at=at,
    )
    tx.session.add(row)
    opened = e.CaseOpened(
        case_id=case_id,
        unit=unit,
        channel=command.channel,
        exploitation=command.exploitation,
        destination=command.destination,
        occurred_at=at,
    )
    _tell_coordinator(tx, office, opened, unit)
    return row


def register_victim(
    tx: Transaction,
    office: Office,
    sight: Sight,
    case_id: str,
    command: c.RegisterVictim,
    known_again_later: bool = False,
) -> VictimRow:
    """Register a victim. The unit that opened the case is the first custody holder. Returns the row.

    ``known_again_later``: send the match tokens to the coordinator later, not in this transaction. Raises Refused:
    ``unknown-case``, ``unknown-region``, ``no-such-day`` for an impossible date of birth, ``id-taken``, or for a bad
    ``occurred_at``.
    """
    case = load_case(tx.session, case_id, seen.cases(sight))
    if case is None:
        raise Refused("unknown-case")
    if command.home_region is not None and not office.units.is_region(command.home_region):
        raise Refused("unknown-region", field="home_region")
    if command.identity is not None:
        identities.check(command.identity, tx.now, within="identity/")
    at = c.when(command, tx.now)
    victim_id = command.victim_id or new_id()
    if command.victim_id is not None and load_victim(tx.session, victim_id) is not None:
        raise Refused("id-taken", field="victim_id")
    custody = Custody(agency=office.code, unit=case.unit, region=case.region, seq=1)
    row = VictimRow(
        id=victim_id,
        case_id=case_id,
        age_class=command.age_class,
        sex=command.sex,
        home_region=command.home_region,
        stage=Stage.DETECTION,
        custody_agency=custody.agency,
        custody_unit=custody.unit,
        custody_region=custody.region,
        custody_seq=custody.seq,
        registered_at=at,
    )
    tx.session.add(row)
    registered = e.VictimRegistered(
        case_id=case_id,
        victim_id=victim_id,
        facts=VictimFacts(age_class=command.age_class, sex=command.sex, home_region=command.home_region),
        custody=custody,
        occurred_at=at,
    )
    _tell_coordinator(tx, office, registered, custody, victim_id)
    clocks.note(tx, office, registered, {About.VICTIM: victim_id}, custody, {"exploitation": case.exploitation})
    if command.identity is not None:  # match tokens follow the event above, so that the coordinator knows the victim
        if command.victim_id is None:
            identities.write_first(tx, office, victim_id, command.identity, known_again_later)
        else:  # data may exist under an id that a caller chose, such as the id of a case
            identities.write(tx, office, victim_id, command.identity)
    return row


def record_stage(tx: Transaction, office: Office, sight: Sight, victim_id: str, command: c.RecordStage) -> VictimRow:
    """Record a stage of the journey. Only the custody holder may. Returns the victim's row.

    Raises Refused: ``unknown-victim``, ``not-custody-holder``, ``journey-closed``, or for a bad ``occurred_at``.
    """
    victim, unit = _held(tx, sight, victim_id)
    victim.stage = command.stage
    stage = e.StageRecorded(victim_id=victim_id, stage=command.stage, unit=unit, occurred_at=c.when(command, tx.now))
    _tell_coordinator(tx, office, stage, unit, victim_id)
    return victim


def close_journey(tx: Transaction, office: Office, sight: Sight, victim_id: str, command: c.CloseJourney) -> VictimRow:
    """End the journey. Only the custody holder may, and no referral of the victim may be live here.

    The end sets until when the identity is kept. Returns the victim's row. Raises Refused: as ``record_stage``, and
    ``referral-still-live``.
    """
    victim, unit = _held(tx, sight, victim_id)
    live = referrals.live_of_victim(tx.session, victim_id)
    if live:
        raise Refused("referral-still-live", referral=live[0].id)
    victim.closed_at = c.when(command, tx.now)
    victim.outcome, victim.keep_until = command.outcome, keep_until(tx, office, victim, victim.closed_at)
    tx.changed.add(RETENTION)
    closed = e.JourneyClosed(victim_id=victim_id, outcome=command.outcome, unit=unit, occurred_at=victim.closed_at)
    _tell_coordinator(tx, office, closed, unit, victim_id)
    clocks.note(tx, office, closed, {About.VICTIM: victim_id}, unit, {"outcome": command.outcome})
    return victim


def _held(tx: Transaction, sight: Sight, victim_id: str) -> tuple[VictimRow, UnitRef]:
    victim = lock_victim(tx.session, sight, victim_id)
    holder = holder_of(victim)
    if holder is None or not sight.covers(holder):
        raise Refused("not-custody-holder")
    if victim.closed_at is not None:
        raise Refused("journey-closed")
    return victim, holder


def _tell_coordinator(
    tx: Transaction, office: Office, event: EventData, unit: UnitRef, victim_id: str | None = None
) -> None:
    tx.changed.add(event.subject)
    if office.agency.coordinator is not None:
        tx.emit(draft(event, office.agency.coordinator, unit, victim_id=victim_id))
