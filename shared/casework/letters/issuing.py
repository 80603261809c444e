"""Issue letters: a random code, a row, and a signed event to the other side with codes and ids only."""

import secrets
from typing import get_args

from sqlalchemy import select
from sqlmodel import Session, col

from shared.casework.letters import store
from shared.casework.letters.tables import LetterRow
from shared.casework.records import store as records
from shared.casework.records.tables import RecordRow
from shared.contracts import events as e
from shared.contracts.codes import LetterKind
from shared.contracts.envelope import Envelope
from shared.contracts.types import UnitRef
from shared.domain.forms import Form
from shared.domain.letters import CODES, IssueLetter, code_of
from shared.domain.referral import ENDED, Referral
from shared.domain.refusal import Refused
from shared.messaging.parked import Park
from shared.reference.acting import Acting
from shared.reference.office import Office, draft
from shared.storage import ledger, referrals, visibility
from shared.storage.tables import LedgerEntry
from shared.storage.unit_of_work import Transaction

VERSIONS = frozenset(event.type() for event in (e.Requested, *get_args(e.ReceiverEvent)))
"""The types of the events that make a version of a referral."""


def issue(acting: Acting, referral_id: str, command: IssueLetter) -> LetterRow:
    """Print a referral: the sender prints the letter, and either side prints a reply slip. Raises Refused."""
    tx = acting.tx
    row = referrals.load(tx.session, referral_id, visibility.referrals(acting.sight))
    if row is None:
        raise Refused("unknown-referral")
    referral = referrals.to_referral(row)
    by_sender = acting.sight.covers(referral.sender)
    if not by_sender and (command.kind is LetterKind.REFERRAL_LETTER or not acting.sight.covers(referral.receiver)):
        raise Refused("not-your-move", command=command.kind)
    if referral.status in ENDED:
        raise Refused("referral-ended", status=referral.status)
    ours, theirs = (referral.sender, referral.receiver) if by_sender else (referral.receiver, referral.sender)
    said = e.LetterIssued(
        code=code_of(secrets.randbelow(CODES)),
        kind=command.kind,
        victim_id=referral.victim_id,
        referral_id=referral.id,
        version=referral.version,
        tells=_made(tx.session, referral),
        unit=ours,
        occurred_at=tx.now,
    )
    return _say(tx, said, theirs.agency)


def print_record(acting: Acting, record_id: str) -> LetterRow:
    """Print a record, at the desk that filed it; its form must have a paper form. Raises Refused."""
    tx, office = acting.tx, acting.office
    row = records.load(tx.session, record_id, records.visible(acting.sight))
    if row is None:
        raise Refused("unknown-record")
    unit = UnitRef(agency=office.code, unit=row.unit, region=row.region)
    acting.sight.require(unit)
    if row.delivered_by is not None or form_of(office, row).printed is None:
        raise Refused("form-not-printed", form=row.form)
    if row.corrected_by is not None:
        raise Refused("unknown-record")
    said = e.LetterIssued(
        code=code_of(secrets.randbelow(CODES)),
        kind=LetterKind.RECORD,
        victim_id=row.victim_id,
        record_id=row.id,
        form=row.form,
        tells=_filed(tx.session, row),
        unit=unit,
        occurred_at=tx.now,
    )
    return _say(tx, said, office.agency.coordinator or office.code)


def on_letter_issued(tx: Transaction, office: Office, envelope: Envelope, said: e.LetterIssued) -> None:
    """Store the letter that the other side of a referral has printed. Raises Park ``letter-code-taken``."""
    if store.load(tx.session, said.code) is not None:
        raise Park("letter-code-taken")
    _keep(tx, said, envelope.id)


def form_of(office: Office, row: RecordRow) -> Form:
    """The form of a record."""
    return next(form for form in office.agency.forms if form.code == row.form)


def _say(tx: Transaction, said: e.LetterIssued, receiver: str) -> LetterRow:
    told = draft(said, receiver, said.unit, victim_id=said.victim_id)
    tx.emit(told)
    return _keep(tx, said, told.id)


def _keep(tx: Transaction, said: e.LetterIssued, event_id: str) -> LetterRow:
    row = LetterRow(
        code=said.code,
        kind=said.kind,
        **dict(said.unit),
        victim_id=said.victim_id,
        referral_id=said.referral_id,
        version=said.version,
        record_id=said.record_id,
        event_id=event_id,
        tells=said.tells,
        issued_at=said.occurred_at,
        recorded_at=tx.now,
    )
    tx.session.add(row)
    return row


def _made(session: Session, referral: Referral) -> str | None:
    """The id of the event that made the current version of a referral."""
    entries = [entry for entry in ledger.of_referral(session, referral.id) if entry.type in VERSIONS]
    made = (event for event in (Envelope.read(entry.body) for entry in entries) if event.version == referral.version)
    return next((event.id for event in made), None)


def _filed(session: Session, row: RecordRow) -> str | None:
    """The id of the event that reported a record; None in a network without a coordinator.

    The event was filed in the same transaction, so it has the same ``recorded_at``.
    """
    beside = select(LedgerEntry).where(
        col(LedgerEntry.type) == e.RecordFiled.type(), col(LedgerEntry.recorded_at) == row.recorded_at
    )
    told = (Envelope.read(entry.body) for entry in session.scalars(beside))
    return next((event.id for event in told if event.subject == row.id), None)
