"""File the forms of an agency's own work, and read the records.

One transaction holds rules, row, sealed fields, event, clocks, and the agency's own ``Effect``.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from shared.contracts import events as e
from shared.contracts.codes import AgeClass
from shared.contracts.types import DeskRef, UnitRef
from shared.domain import commands as c
from shared.domain.access import NOT_TAKEN_ON, Caller, Sight
from shared.domain.clocks import About as Runs
from shared.domain.forms import About, Earlier, Filing, Filled, Form, decide
from shared.domain.refusal import Refused
from shared.service import capacity, clocks, delivery, identities, interviews, sealed
from shared.service.handlers import speaking_unit
from shared.service.notes import AUTHOR
from shared.service.office import Office, draft, new_id
from shared.storage import privacy, records, referrals, seen
from shared.storage.agency_tables import RecordRow, VictimRow
from shared.storage.database import Transaction
from shared.storage.privacy_tables import BreakGlassRow
from shared.storage.tables import ReferralRow
from shared.storage.victims import load_case, lock_victim


@dataclass(frozen=True, slots=True)
class Subject:
    """The case, victim, referral or desk that a form is about, and the desk that files it."""

    about: str
    unit: UnitRef
    victim: VictimRow | None = None
    case_id: str | None = None
    referral: ReferralRow | None = None

    @property
    def ids(self) -> dict[Runs, str]:
        """The ids that clocks may run for."""
        named = {
            Runs.VICTIM: self.victim.id if self.victim else None,
            Runs.CASE: self.case_id,
            Runs.REFERRAL: self.referral.id if self.referral else None,
        }
        return {about: ident for about, ident in named.items() if ident is not None}


Effect = Callable[[Transaction, Office, RecordRow, Mapping[str, Any]], None]
"""The agency's own action when a form is filed, with the row and all field values. Raises Refused."""


def file(
    tx: Transaction,
    office: Office,
    caller: Caller,
    sight: Sight,
    form: Form,
    about: str,
    filled: Filled,
    effect: Effect | None = None,
) -> RecordRow:
    """File a form; answers the stored record. Raises Refused, and then stores nothing."""
    subject = _SUBJECTS[form.about](tx, office, sight, about)
    if form.of_service and subject.referral and subject.referral.service != form.of_service:
        raise Refused("not-of-this-service", service=form.of_service)
    at = c.when(filled, tx.now)
    before = records.filed_about(tx.session, subject.about)
    values = filled.model_dump(include={field.code for field in form.fields}, exclude_none=True)
    named = _named(tx, sight, form, values)
    filing = Filing(
        values=values,
        at=at,
        before=tuple(records.to_filed(row) for row in before if row.id != filled.corrects),
        is_child=subject.victim is not None and is_child(subject.victim),
        interviews=len(interviews.known(tx.session, subject.victim.id)) if subject.victim else 0,
        named={code: records.to_filed(row) for code, row in named.items()},
    )
    corrected = next((row for row in before if row.id == filled.corrects and row.form == form.code), None)
    if filled.corrects is not None and corrected is None:
        raise Refused("unknown-record", field="corrects")
    decide(form, filing, filled.corrects, tx.now, office.units.is_region)
    derived = form.derive(filing)
    if filled.record_id is not None and records.load(tx.session, filled.record_id) is not None:
        raise Refused("id-taken", field="record_id")  # checked last, so that probing an id costs a real filing
    row = _row(tx, caller, form, subject, filled, at, derived)
    tx.session.add(row)
    if corrected is not None:
        corrected.corrected_by = row.id
    written = filled.model_dump(mode="json", include=set(values))
    closed = {code: value for code, value in written.items() if code not in row.facts}
    if closed:
        sealed.keep_record(tx, office, _sealed_under(row), row.id, closed)
    if form.delivered and subject.referral:
        delivery.send(tx, office, form.delivered, row, subject.referral, written)
    if form.announced:
        capacity.describe(tx, office, _description(subject, row))
    filed = _event(form, subject, row)
    tx.changed |= {row.about, row.id, row.victim_id or row.about}
    if office.agency.coordinator is not None:
        tx.emit(draft(filed, office.agency.coordinator, subject.unit, victim_id=row.victim_id))
    _run_clocks(tx, office, filed, subject, row, named.values())
    if form.counts_as_interview and corrected is None:
        assert row.victim_id is not None  # an interview is of somebody
        told_all = e.VictimInterviewed(
            victim_id=row.victim_id, interview_id=row.id, unit=subject.unit, occurred_at=row.occurred_at
        )
        interviews.held(tx, office, told_all)
    if form.statement in values and subject.victim is not None:
        told = c.Identity(statement=values[form.statement])
        keep_before = bool(privacy.holds_of(tx.session, subject.victim.id))
        identities.write(tx, office, subject.victim.id, told, keep_before=keep_before)
    if effect is not None:
        effect(tx, office, row, values)
    return row


def _run_clocks(
    tx: Transaction, office: Office, filed: e.RecordFiled, subject: Subject, row: RecordRow, named: Iterable[RecordRow]
) -> None:
    """Start and stop the clocks of this record, including clocks of the record itself and of earlier records it
    names."""
    facts = {"form": row.form, **row.facts}
    ids = {**subject.ids, Runs.RECORD: records.first_of(tx.session, row).id}
    clocks.note(tx, office, filed, ids, subject.unit, facts)
    for answered in named:
        clocks.stop(tx, office, filed, {Runs.RECORD: records.first_of(tx.session, answered).id}, facts)


def is_child(victim: VictimRow) -> bool:
    """Whether a victim is treated as a child; an unknown age counts as a child."""
    return victim.age_class != AgeClass.ADULT


def _row(
    tx: Transaction,
    caller: Caller,
    form: Form,
    subject: Subject,
    filled: Filled,
    at: datetime,
    derived: Mapping[str, Any],
) -> RecordRow:
    kept_clear = {field.code for field in form.fields if field.clear}
    return RecordRow(
        id=filled.record_id or new_id(),
        form=form.code,
        form_version=form.version,
        kind=form.about,
        about=subject.about,
        victim_id=subject.victim.id if subject.victim else None,
        case_id=subject.case_id,
        unit=subject.unit.unit,
        region=subject.unit.region,
        client=caller.client,
        person=caller.person,
        facts={**filled.model_dump(mode="json", include=kept_clear, exclude_none=True), **derived},
        corrects=filled.corrects,
        occurred_at=at,
        recorded_at=tx.now,
    )


def _event(form: Form, subject: Subject, row: RecordRow) -> e.RecordFiled:
    return e.RecordFiled(
        record_id=row.id,
        form=form.code,
        form_version=form.version,
        victim_id=row.victim_id,
        case_id=row.case_id,
        referral_id=subject.referral.id if subject.referral else None,
        corrects=row.corrects,
        unit=subject.unit,
        occurred_at=row.occurred_at,
    )


def _description(subject: Subject, row: RecordRow) -> e.DeskDescribed:
    return e.DeskDescribed(
        record_id=row.id,
        unit=subject.unit,
        form=row.form,
        facts=row.facts,
        corrects=row.corrects,
        occurred_at=row.occurred_at,
    )


def _sealed_under(row: RecordRow) -> str:
    """The victim, case or record whose key seals the fields. Erasing the victim, or the last of a case, erases them."""
    return row.victim_id or row.case_id or row.id


def _named(tx: Transaction, sight: Sight, form: Form, values: Mapping[str, Any]) -> dict[str, RecordRow]:
    found = {}
    for field in form.fields:
        if isinstance(field.kind, Earlier) and field.code in values:
            row = records.load(tx.session, values[field.code], seen.records(sight))
            if row is None or row.form not in field.kind.forms or row.corrected_by is not None:
                raise Refused("unknown-record", field=field.code)
            found[field.code] = row
    return found


# --- subjects --------------------------------------------------------------------------------------------------------


def _of_case(tx: Transaction, office: Office, sight: Sight, case_id: str) -> Subject:
    case = load_case(tx.session, case_id, seen.cases(sight))
    if case is None:
        raise Refused("unknown-case")
    unit = UnitRef(agency=office.code, unit=case.unit, region=case.region)
    return Subject(case_id, unit, case_id=case_id)


def _of_victim(tx: Transaction, office: Office, sight: Sight, victim_id: str) -> Subject:
    victim = lock_victim(tx.session, sight, victim_id)
    unit = speaking_unit(sight, victim, referrals.live_of_victim(tx.session, victim_id))
    return Subject(victim_id, unit, victim, victim.case_id)


def _of_referral(tx: Transaction, office: Office, sight: Sight, referral_id: str) -> Subject:
    row = referrals.load(tx.session, referral_id, seen.referrals(sight))
    if row is None:
        raise Refused("unknown-referral")
    desk = referrals.to_referral(row).receiver
    if not sight.covers(desk) or row.status in NOT_TAKEN_ON:
        raise Refused("not-responsible")
    victim = lock_victim(tx.session, None, row.victim_id)
    return Subject(referral_id, desk, victim, row.case_id, row)


def _of_desk(tx: Transaction, office: Office, sight: Sight, unit: str) -> Subject:
    desk = office.our_unit(unit, tx.now.date())
    sight.require(desk)
    return Subject(unit, desk)


_SUBJECTS: Mapping[About, Callable[[Transaction, Office, Sight, str], Subject]] = {
    About.CASE: _of_case,
    About.VICTIM: _of_victim,
    About.REFERRAL: _of_referral,
    About.DESK: _of_desk,
}


# --- read ------------------------------------------------------------------------------------------------------------


def read(
    tx: Transaction, office: Office, caller: Caller, sight: Sight, record_id: str, purpose: str
) -> tuple[RecordRow, dict[str, Any]]:
    """A record and those sealed fields that the caller may read; each reading is logged. Raises Refused.

    The desk that filed the record reads all of it. So do units with custody of the victim, and an open break-glass.
    Other callers who may know of the record read its clear fields.
    """
    looking = select(col(BreakGlassRow.victim_id)).where(
        col(BreakGlassRow.agency) == office.code,
        col(BreakGlassRow.client) == caller.client,
        col(BreakGlassRow.person) == caller.person,
        col(BreakGlassRow.ended_at).is_(None),
        col(BreakGlassRow.until) > tx.now,
    )
    here = seen.records(sight) | col(RecordRow.victim_id).in_(looking)
    row = records.load(tx.session, record_id, here)
    if row is None:
        raise Refused("unknown-record")
    ours = sight.covers(DeskRef(agency=office.code, unit=row.unit))
    if row.victim_id is None:
        return row, sealed.record(tx.session, office, _sealed_under(row), row.id) if ours else {}
    victim, right = identities.right_of(tx, office, caller, sight, row.victim_id)
    if not ours and right.name == "work":
        return row, {}
    found = sealed.record(tx.session, office, victim.id, row.id, held=right.glass is not None)
    if found:
        identities.log(tx, caller, victim.id, purpose, AUTHOR if ours and not right.fields else right, [row.form])
        identities.count_look(right)
    return row, found
