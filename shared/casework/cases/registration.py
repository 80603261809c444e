"""Open a case, and register a victim of a case. The service makes both ids."""

from datetime import datetime

from shared.casework.clocks import running as clocks
from shared.contracts import events as e
from shared.contracts.codes import Stage
from shared.contracts.events import EventData
from shared.contracts.types import Custody, UnitRef, VictimFacts
from shared.domain.anonymity import province_of
from shared.domain.cases import OpenCase, RegisterVictim
from shared.domain.clocks import ClockSubject
from shared.domain.commands import when
from shared.domain.refusal import Refused
from shared.reference.acting import Acting
from shared.reference.office import Office, new_pseudonym, tell_coordinator
from shared.storage.unit_of_work import Transaction
from shared.victims.identity import access_log, recording
from shared.victims.identity.rights import Ground, Right
from shared.victims.register import visibility
from shared.victims.register.facts import first_facts
from shared.victims.register.store import load_case
from shared.victims.register.tables import CaseRow, VictimRow
from shared.victims.sealed import notes as sealed_notes
from shared.victims.sealed import store as sealed

REGISTERED = Right(frozenset(), Ground.CUSTODY)
"""The right of a desk that registers a victim: it becomes the custody holder."""


def open_case(acting: Acting, command: OpenCase) -> CaseRow:
    """Open a case and tell the coordinator. Returns the row.

    Raises Refused: ``unknown-unit``, ``not-your-unit``, ``unknown-channel``, or for a bad ``occurred_at``.
    """
    tx, office = acting.tx, acting.office
    unit = office.our_unit(command.unit, tx.now.date())
    acting.sight.require(unit, field="unit")
    if command.channel not in office.agency.channels:
        known = ", ".join(office.agency.channels)
        raise Refused("unknown-channel", field="channel", known=known)
    at = when(command, tx.now)
    case_id = new_pseudonym(tx.now.date())
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
    event_id = publish(tx, office, opened, unit)
    if command.note:
        sealed_notes.keep_note_under(tx, office, sealed.of_case(case_id), event_id, command.note)
    return row


def register_victim(
    acting: Acting, case_id: str, command: RegisterVictim, known_again_later: bool = False
) -> VictimRow:
    """Register a victim. The unit that opened the case is the first custody holder. Returns the row.

    ``known_again_later``: send the match tokens to the coordinator later. Raises Refused: ``unknown-case``,
    ``unknown-region``, ``no-such-day``, or for a bad ``occurred_at``.
    """
    tx, office = acting.tx, acting.office
    case = load_case(tx.session, case_id, visibility.cases(acting.sight))
    if case is None:
        raise Refused("unknown-case")
    if command.home_region is not None and not office.units.is_region(command.home_region):
        raise Refused("unknown-region", field="home_region")
    if command.identity is not None:
        recording.check(command.identity, tx.now, within="identity/")
    at = when(command, tx.now)
    victim_id = new_pseudonym(tx.now.date())
    custody = Custody(agency=office.code, unit=case.unit, region=case.region, seq=1)
    tx.session.add(row := _victim_row(victim_id, case_id, command, custody, at, tx.now))
    registered = e.VictimRegistered(
        case_id=case_id,
        victim_id=victim_id,
        facts=_facts(command).model_copy(update={"home_region": province_of(command.home_region)}),
        custody=custody,
        occurred_at=at,
    )
    event_id = publish(tx, office, registered, custody, victim_id)
    clocks.start_and_stop(
        tx, office, registered, {ClockSubject.VICTIM: victim_id}, custody, {"exploitation": case.exploitation}
    )
    if command.identity is not None:
        # match tokens follow the event above, so that the coordinator knows the victim
        recording.write_first(tx, office, victim_id, command.identity, known_again_later)
        access_log.log_search(acting, victim_id, REGISTERED, command.identity.model_dump(exclude_none=True), {})
    if command.note:  # written after the identity, which makes the victim's data key
        sealed_notes.keep_note(tx, office, victim_id, event_id, command.note)
    return row


def _facts(command: RegisterVictim) -> VictimFacts:
    return VictimFacts(age_class=command.age_class, sex=command.sex, home_region=command.home_region)


def _victim_row(
    victim_id: str, case_id: str, command: RegisterVictim, custody: Custody, registered_at: datetime, now: datetime
) -> VictimRow:
    return VictimRow(
        id=victim_id,
        case_id=case_id,
        registered_here=True,
        **first_facts(_facts(command), custody.agency, now),
        stage=Stage.DETECTION,
        custody_agency=custody.agency,
        custody_unit=custody.unit,
        custody_region=custody.region,
        custody_seq=custody.seq,
        custody_at=registered_at,
        registered_at=registered_at,
    )


def publish(tx: Transaction, office: Office, event: EventData, unit: UnitRef, victim_id: str | None = None) -> str:
    """Publish an event about a case or a victim to the coordinator, and wake what waits for its subject.

    Returns the id of the event; a new id in a network without a coordinator.
    """
    tx.changed.add(event.subject)
    return tell_coordinator(tx, office, event, unit, victim_id)
