"""The content of each letter. Identity appears only where it was lawfully disclosed already; each reading is logged."""

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from shared.casework.letters import issuing, store, words
from shared.casework.letters.checking import standing_of
from shared.casework.letters.paper import Blanks, Boxes, Lines, Paper, Part, Remark, Signatures
from shared.casework.letters.tables import LetterRow
from shared.casework.records import reading
from shared.contracts.codes import IdentityField, LegalBasis, LetterKind, Priority
from shared.contracts.envelope import Envelope
from shared.contracts.types import UnitRef
from shared.domain import forms as f
from shared.domain.letters import Standing, grouped
from shared.domain.referral import Referral
from shared.domain.refusal import Refused
from shared.domain.text import Text
from shared.domain.words import counting
from shared.reference.acting import Acting
from shared.reference.office import Office
from shared.storage import ledger, referrals
from shared.storage.unit_of_work import Transaction
from shared.victims.disclosure import disclose as disclosure
from shared.victims.disclosure import store as disclosure_store
from shared.victims.identity import access_log, rights
from shared.victims.register.facts import facts_to_give
from shared.victims.register.store import load_victim, speakers_of
from shared.victims.register.tables import VictimRow
from shared.victims.sealed import identity as sealed_identity

ON_RECORDS = frozenset({IdentityField.NAME, IdentityField.BORN_ON})
"""The identity fields of a victim on a printed record, for those who sign it."""


def paper(acting: Acting, code: str, purpose: str) -> Paper:
    """The content of a letter that exists for the caller. Raises Refused.

    A letter with an identity writes a row of the access log in the same transaction.
    """
    tx, office = acting.tx, acting.office
    row = store.load(tx.session, code, store.visible(acting.sight))
    if row is None:
        raise Refused("unknown-letter")
    if row.record_id is not None:
        return _record(acting, row, purpose)
    found = referrals.load(tx.session, row.referral_id or "")
    assert found is not None  # it existed when the letter was printed, and a referral is never deleted
    referral = referrals.to_referral(found)
    if row.kind == LetterKind.REPLY_SLIP:
        return _paper(tx, office, row, words.SLIP, _slip(office, row, referral))
    who = _identity(acting, referral, found.basis, purpose)
    title = words.TITLES[referral.kind]
    return _paper(tx, office, row, title, _letter(tx, office, row, referral, found.basis, who))


def _paper(tx: Transaction, office: Office, row: LetterRow, title: Text, parts: tuple[Part, ...]) -> Paper:
    code = grouped(row.code)
    unit = UnitRef(agency=row.agency, unit=row.unit, region=row.region)
    zone = office.clocks.zone(row.region)
    last = standing_of(tx.session, row) is Standing.CURRENT
    return Paper(
        agency=agency_name(office, row.agency),
        unit=desk_name(office, unit, row.issued_at),
        title=title,
        code=code,
        square=f"{office.public_url.rstrip('/')}/surat/{code}" if office.public_url else code,
        dated=words.moment(row.issued_at, zone),
        issued_at=row.issued_at,
        parts=parts if last else (Remark(words.NOT_LAST), *parts),
    )


# --- a referral -------------------------------------------------------------------------------------------------------


def _letter(
    tx: Transaction, office: Office, row: LetterRow, referral: Referral, basis: str | None, who: Mapping[str, str]
) -> tuple[Part, ...]:
    zone = office.clocks.zone(row.region)
    victim = load_victim(tx.session, referral.victim_id)
    coarse = [(Text("Usia dan jenis kelamin", "Age and sex"), _coarse(victim, office.code))] if victim else []
    told = [
        (Text("Pseudonim", "Pseudonym"), referral.victim_id),
        *coarse,
        *((label, _said(field, who[field])) for field, label in words.IDENTITY.items() if field in who),
    ]
    return (
        Remark(words.CONFIDENTIAL),
        Lines(Text("Para pihak", "From and to"), _desks(office, referral)),
        Lines(
            Text("Yang diminta", "What is asked"),
            (
                (Text("Layanan", "Service"), _service(office, referral)),
                (Text("Jenis", "Kind"), words.KINDS[referral.kind].id),
                (Text("Prioritas", "Priority"), words.PRIORITIES[Priority(referral.priority)].id),
                (Text("Diminta", "Requested"), words.moment(referral.requested_at, zone)),
                (Text("Paling lambat dimulai", "To begin by"), words.moment(referral.due_at, zone)),
                *_clock(tx, office, referral),
                *(((Text("Dasar pemrosesan", "Legal basis"), words.BASES[LegalBasis(basis)].id),) if basis else ()),
                (Text("Nomor rujukan", "Referral"), referral.id),
            ),
        ),
        Lines(Text("Korban", "Victim"), tuple(told)),
        Signatures(((Text("Pengirim", "Sender"), None), (Text("Penerima surat", "Received by"), None))),
    )


def _slip(office: Office, row: LetterRow, referral: Referral) -> tuple[Part, ...]:
    code = grouped(row.code)
    return (
        Lines(
            Text("Rujukan yang dijawab", "The referral that is answered"),
            (
                *_desks(office, referral),
                (Text("Layanan", "Service"), _service(office, referral)),
                (Text("Nomor rujukan", "Referral"), referral.id),
                (Text("Pseudonim korban", "Victim's pseudonym"), referral.victim_id),
            ),
        ),
        Boxes(Text("Jawaban", "Answer"), (Text("Diterima", "Accepted"), Text("Ditolak", "Rejected"))),
        Boxes(Text("Bila ditolak, alasannya (satu)", "If rejected, why (one)"), tuple(words.REASONS.values())),
        Blanks(
            (
                (Text("Uraian alasan lain", "Other reason"), 2),
                (Text("Tanggal, jam (WIB, WITA, WIT)", "Date and time, with the zone"), 1),
                (Text("Nama dan jabatan", "Name and position"), 1),
            )
        ),
        Signatures(((Text("Penerima rujukan", "For the receiving desk"), None),)),
        Remark(
            Text(
                "Jangan tulis nama atau identitas korban di lembar ini. Setelah ditandatangani, petugas penerima "
                f"memasukkannya ke sistem instansinya: rujukan di atas, menu jawaban kertas, kode surat {code}, waktu "
                "dan penanda tangan persis seperti tertulis. Kedua waktu dicatat: saat ditandatangani dan saat "
                "dimasukkan.",
                "Write nothing here that tells who the victim is. Once signed, the receiving desk enters it: this "
                "referral, paper answer, the code, and time and signer exactly as written here.",
            )
        ),
    )


def _identity(acting: Acting, referral: Referral, basis: str | None, purpose: str) -> dict[str, str]:
    """The identity fields for a letter: those that the service needs and the caller may read. Raises Refused.

    On a letter to another agency, no more than the referral has disclosed. Nothing once that disclosure has ended.
    """
    victim = load_victim(acting.tx.session, referral.victim_id)
    if victim is None:
        return {}
    live = referrals.live_of_victim(acting.tx.session, victim.id)
    right = rights.ordinary_right(acting.office, acting.sight, victim, live)
    fields = right.fields & acting.office.directory.service(referral.receiver.agency, referral.service).needs
    against = False
    if referral.sender.agency == acting.office.code and acting.sight.covers(referral.sender):
        asked = disclosure.ForService(referral.receiver.agency, referral.service, LegalBasis(basis or ""))
        fields &= disclosure.lawful(acting, victim, live, asked).fields
        against = disclosure.is_against_withdrawal(acting, victim, asked)
    if referral.sender.agency != referral.receiver.agency:
        given = disclosure_store.disclosure_with(acting.tx.session, referral.id)
        fields &= frozenset(map(IdentityField, given.fields)) if given is not None else frozenset()
        if against and not (given is not None and given.against_withdrawal):  # no supervisor has given the reason
            return {}
    for_another = acting.office.code == referral.sender.agency != referral.receiver.agency
    return _shown(acting, victim, rights.Right(fields, right.ground), purpose, for_another)


def _shown(
    acting: Acting, victim: VictimRow, right: rights.Right, purpose: str, for_another: bool = False
) -> dict[str, str]:
    """The known values of these fields; writes a row of the access log.

    ``for_another``: the letter goes to another agency, so it says only what we may pass on.
    """
    if not right.fields:
        return {}
    speakers = speakers_of(victim, acting.office.code)
    if for_another:
        known = sealed_identity.identity_to_give(acting.tx.session, acting.office, speakers)
    else:
        known = counting(sealed_identity.words_of(acting.tx.session, acting.office, speakers))
    shown = {name: value for name, value in known.items() if name in right.fields}
    if shown:
        access_log.log(acting, victim.id, purpose, right, sorted(shown))
    return shown


def _clock(tx: Transaction, office: Office, referral: Referral) -> tuple[tuple[Text, str], ...]:
    """The legal basis of the time limit, from the clock that the request names."""
    first = next((Envelope.read(entry.body) for entry in ledger.of_referral(tx.session, referral.id)), None)
    clock = office.clocks.by_code.get(str(first.data.get("clock"))) if first is not None else None
    return ((Text("Dasar batas waktu", "Basis of the time limit"), clock.basis),) if clock is not None else ()


def _desks(office: Office, referral: Referral) -> tuple[tuple[Text, str], ...]:
    at = referral.requested_at
    sides = ((Text("Dari", "From"), referral.sender), (Text("Kepada", "To"), referral.receiver))
    return tuple((label, f"{desk_name(office, desk, at)}\n{agency_name(office, desk.agency)}") for label, desk in sides)


def _service(office: Office, referral: Referral) -> str:
    offered = office.directory.services.get((referral.receiver.agency, referral.service))
    return offered.label.id if offered is not None else referral.service


# --- a record ---------------------------------------------------------------------------------------------------------


def _record(acting: Acting, row: LetterRow, purpose: str) -> Paper:
    office = acting.office
    record, found = reading.read(acting, row.record_id or "", purpose)
    form, zone = issuing.form_of(office, record), office.clocks.zone(record.region)
    assert form.printed is not None
    values, victim = {**record.facts, **found}, None
    if record.victim_id is not None:
        victim = load_victim(acting.tx.session, record.victim_id)
    who = {}
    if victim is not None:
        live = referrals.live_of_victim(acting.tx.session, victim.id)
        right = rights.ordinary_right(office, acting.sight, victim, live)
        who = _shown(acting, victim, rights.Right(right.fields & ON_RECORDS, right.ground), purpose)
    about = ((Text("Pseudonim", "Pseudonym"), victim.id),) if victim is not None else ()
    named = tuple((label, _said(field, who[field])) for field, label in words.IDENTITY.items() if field in who)
    filled = tuple((one.label, _value(office, one, values.get(one.code), zone)) for one in form.fields)
    signers = tuple(
        (caption, _on_one_line(values[field]) if values.get(field) else None)
        for field, caption in form.printed.signers.items()
    )
    parts = (
        Remark(words.CONFIDENTIAL),
        *((Lines(Text("Korban", "Victim"), (*about, *named)),) if about else ()),
        Lines(
            form.label,
            (
                (Text("Waktu kejadian", "When it happened"), words.moment(record.occurred_at, zone)),
                (Text("Waktu dicatat", "When it was recorded"), words.moment(record.recorded_at, zone)),
                *filled,
                (Text("Dasar", "Basis"), form.basis),
                (Text("Nomor catatan", "Record"), record.id),
            ),
        ),
        Signatures(signers),
    )
    return _paper(acting.tx, office, row, form.printed.title, parts)


def _value(office: Office, one: f.FormField, value: Any, zone: timezone) -> str:
    """The value of a form's field, in Indonesian words."""
    if value is None:
        return words.HIDDEN if one.required and not one.clear else words.NOTHING
    match one.kind:
        case f.Choice(options):
            chosen = value if isinstance(value, list) else [value]
            return ", ".join(options[code].id if code in options else code for code in chosen)
        case f.YesNo():
            return words.YES if value else words.NO
        case f.Day():
            return words.day(value)
        case f.DateTime():
            return words.moment(datetime.fromisoformat(value), zone)
        case f.Place():
            return office.units.region_name(value)
        case f.Words() if one.kind.one_line:
            return _on_one_line(value)
    return str(value)


# --- both -------------------------------------------------------------------------------------------------------------


def agency_name(office: Office, agency: str) -> str:
    """An agency's name, or its code where the directory does not know it."""
    label = office.directory.labels.get(agency)
    return label.id if label is not None else agency


def desk_name(office: Office, desk: UnitRef, at: datetime) -> str:
    """A desk's name at a moment, or its id where the reference data does not know it."""
    try:
        return office.units.get(desk.agency, desk.unit, at.date()).name.id
    except Refused:
        return desk.unit


def _coarse(victim: VictimRow, ours: str) -> str:
    facts = facts_to_give(victim, ours)
    return f"{words.AGES[facts.age_class].id}; {words.SEXES[facts.sex].id.lower()}"


def _said(field: IdentityField, value: str) -> str:
    if field is IdentityField.BORN_ON:
        return words.day(value)
    return value if field is IdentityField.STATEMENT else _on_one_line(value)


def _on_one_line(value: Any) -> str:
    """Text on one line. A second line would read as a word of the agency that printed the letter."""
    return " ".join(str(value).split())
