"""File a form of an agency's own work.

One transaction holds rules, row, sealed fields, event, clocks, and the agency's own ``Effect``, called by the route.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from shared.casework.capacity import announcing as capacity
from shared.casework.clocks import running as clocks
from shared.casework.records import delivery, store
from shared.casework.records.reading import sealed_under
from shared.casework.records.subjects import SUBJECTS, Subject, is_child
from shared.casework.records.tables import RecordRow
from shared.contracts import events as e
from shared.domain.clocks import ClockSubject
from shared.domain.commands import when
from shared.domain.forms import Earlier, Filing, Filled, Form, decide
from shared.domain.identity import Identity
from shared.domain.refusal import Refused
from shared.reference.acting import Acting
from shared.reference.office import Office, new_id, tell_coordinator
from shared.storage.unit_of_work import Transaction
from shared.victims.identity import recording
from shared.victims.interviews import store as interviews
from shared.victims.interviews import telling
from shared.victims.sealed import holds
from shared.victims.sealed import notes as sealed_notes
from shared.victims.sealed import records as sealed_records

Effect = Callable[[Transaction, Office, RecordRow, Mapping[str, Any]], None]
"""The agency's own action when a form is filed, with the row and all field values. Raises Refused."""


def file(acting: Acting, form: Form, about: str, filled: Filled) -> RecordRow:
    """File a form; answers the stored record. Raises Refused, and then stores nothing."""
    tx, office = acting.tx, acting.office
    subject = SUBJECTS[form.about](acting, about)
    if form.of_service and subject.referral and subject.referral.service != form.of_service:
        raise Refused("not-of-this-service", service=form.of_service)
    at = when(filled, tx.now, _earliest(form, subject))
    before = store.filed_about(tx.session, subject.about)
    values = values_of(form, filled)
    named = _named(acting, form, values)
    earlier = [row for row in before if row.id != filled.corrects]
    filing = _filing(tx, subject, values, at, earlier, named)
    corrected = next((row for row in before if row.id == filled.corrects and row.form == form.code), None)
    if filled.corrects is not None and corrected is None:
        raise Refused("unknown-record", field="corrects")
    decide(form, filing, filled.corrects, tx.now, office.units.is_region)
    derived = form.derive(filing)
    row = _row(acting, form, subject, filled, at, derived)
    tx.session.add(row)
    if corrected is not None:
        corrected.corrected_by = row.id
    _keep_and_deliver(acting, form, subject, row, filled.model_dump(mode="json", include=set(values)))
    filed = _event(form, subject, row)
    tx.changed |= {row.about, row.id, row.victim_id or row.about}
    event_id = tell_coordinator(tx, office, filed, subject.unit, row.victim_id)
    if filled.note:  # beside the event, since the fields of the form are kept beside the record
        sealed_notes.keep_note_under(tx, office, sealed_under(row), event_id, filled.note)
    _run_clocks(tx, office, filed, subject, row, named.values())
    if form.counts_as_interview and corrected is None:
        _tell_interview(tx, office, subject, row)
    if form.statement in values and subject.victim is not None:
        _keep_statement(tx, office, subject.victim.id, values[form.statement])
    return row


def _earliest(form: Form, subject: Subject) -> datetime | None:
    """The earliest moment that a form may tell: an interview follows the registration, or coordination parks it."""
    victim = subject.victim
    return victim.registered_at if form.counts_as_interview and victim and victim.registered_here else None


def values_of(form: Form, filled: Filled) -> dict[str, Any]:
    """The values of the fields that are filled in: code of the field → value."""
    return filled.model_dump(include={field.code for field in form.fields}, exclude_none=True)


def _filing(
    tx: Transaction,
    subject: Subject,
    values: Mapping[str, Any],
    at: datetime,
    earlier: Iterable[RecordRow],
    named: Mapping[str, RecordRow],
) -> Filing:
    """The facts for the rules of a form: its values, the subject's earlier records, and the records named."""
    return Filing(
        values=values,
        at=at,
        before=tuple(map(store.to_filed, earlier)),
        is_child=subject.victim is not None and is_child(subject.victim),
        interviews=len(interviews.ids_of(tx.session, subject.victim.id)) if subject.victim else 0,
        named={code: store.to_filed(row) for code, row in named.items()},
    )


def _keep_and_deliver(acting: Acting, form: Form, subject: Subject, row: RecordRow, written: Mapping[str, Any]) -> None:
    """Seal the fields that are not clear; deliver and announce the record where the form says so.

    ``written``: code of the field → value as JSON.
    """
    tx, office = acting.tx, acting.office
    closed = {code: value for code, value in written.items() if code not in row.facts}
    if closed:
        sealed_records.keep_record(tx, office, sealed_under(row), row.id, closed)
    if form.delivered and subject.referral and subject.victim:
        delivery.send(acting, subject.victim, form.delivered, row, subject.referral, written)
    if form.announced:
        capacity.describe(tx, office, _description(subject, row))


def _tell_interview(tx: Transaction, office: Office, subject: Subject, row: RecordRow) -> None:
    """Tell of an interview, because interviews of a victim are counted across agencies."""
    assert row.victim_id is not None  # an interview is of somebody
    told = e.VictimInterviewed(
        victim_id=row.victim_id, interview_id=row.id, unit=subject.unit, occurred_at=row.occurred_at
    )
    telling.tell_interview(tx, office, told)


def _keep_statement(tx: Transaction, office: Office, victim_id: str, statement: str) -> None:
    """Store the victim's statement with the identity. Under a legal hold, the earlier statement is kept too."""
    keep_before = bool(holds.holds_of(tx.session, victim_id))
    recording.write(tx, office, victim_id, Identity(statement=statement), keep_before=keep_before)


def _run_clocks(
    tx: Transaction, office: Office, filed: e.RecordFiled, subject: Subject, row: RecordRow, named: Iterable[RecordRow]
) -> None:
    """Start and stop the clocks of this record, including clocks of the record itself and of earlier records it
    names."""
    facts = {"form": row.form, **row.facts}
    ids = {**subject.ids, ClockSubject.RECORD: store.first_of(tx.session, row).id}
    clocks.start_and_stop(tx, office, filed, ids, subject.unit, facts)
    for answered in named:
        clocks.stop(
            tx,
            office,
            filed,
            {ClockSubject.RECORD: store.first_of(tx.session, answered).id},
            facts,
            clocks.Recorded(tx.now),
        )


def _row(
    acting: Acting, form: Form, subject: Subject, filled: Filled, at: datetime, derived: Mapping[str, Any]
) -> RecordRow:
    kept_clear = {field.code for field in form.fields if field.clear}
    return RecordRow(
        id=new_id(),
        form=form.code,
        form_version=form.version,
        kind=form.about,
        about=subject.about,
        victim_id=subject.victim.id if subject.victim else None,
        case_id=subject.case_id,
        unit=subject.unit.unit,
        region=subject.unit.region,
        client=acting.caller.client,
        person=acting.caller.person,
        facts={**filled.model_dump(mode="json", include=kept_clear, exclude_none=True), **derived},
        corrects=filled.corrects,
        occurred_at=at,
        recorded_at=acting.tx.now,
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


def _named(acting: Acting, form: Form, values: Mapping[str, Any]) -> dict[str, RecordRow]:
    found = {}
    for field in form.fields:
        if isinstance(field.kind, Earlier) and field.code in values:
            row = store.load(acting.tx.session, values[field.code], store.visible(acting.sight))
            if row is None or row.form not in field.kind.forms or row.corrected_by is not None:
                raise Refused("unknown-record", field=field.code)
            found[field.code] = row
    return found
