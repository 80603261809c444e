"""The texts on printed letters, Indonesian first."""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from shared.contracts.codes import AgeClass, IdentityField, Kind, LegalBasis, Priority, RejectReason, Sex
from shared.domain.text import Text

TITLES: Mapping[Kind, Text] = {
    Kind.REFERRAL: Text("Surat Rujukan", "Letter of referral"),
    Kind.TRANSFER: Text("Surat Pelimpahan", "Letter of transfer"),
}
SLIP = Text("Lembar Jawaban Rujukan", "Reply slip")
KINDS: Mapping[Kind, Text] = {
    Kind.REFERRAL: Text("Rujukan (tanggung jawab tetap pada pengirim)", "Referral"),
    Kind.TRANSFER: Text("Pelimpahan (tanggung jawab beralih saat diterima)", "Transfer"),
}
PRIORITIES: Mapping[Priority, Text] = {
    Priority.ROUTINE: Text("Biasa", "Routine"),
    Priority.URGENT: Text("Mendesak", "Urgent"),
    Priority.ASAP: Text("Secepatnya", "As soon as possible"),
    Priority.STAT: Text("Segera", "Immediately"),
}
BASES: Mapping[LegalBasis, Text] = {
    LegalBasis.CONSENT: Text("Persetujuan", "Consent"),
    LegalBasis.VITAL_INTEREST: Text("Kepentingan vital", "Vital interest"),
    LegalBasis.LEGAL_DUTY: Text("Kewajiban hukum", "Legal duty"),
    LegalBasis.PUBLIC_TASK: Text("Tugas pelayanan publik", "Public task"),
    LegalBasis.CHILD_PROTECTION: Text("Pelindungan anak", "Child protection"),
}
REASONS: Mapping[RejectReason, Text] = {
    RejectReason.NO_CAPACITY: Text("Tidak ada kapasitas", "No capacity"),
    RejectReason.NOT_ELIGIBLE: Text("Tidak memenuhi syarat", "Not eligible"),
    RejectReason.OUT_OF_JURISDICTION: Text("Di luar wilayah kerja", "Out of jurisdiction"),
    RejectReason.WRONG_SERVICE: Text("Bukan layanan kami", "Wrong service"),
    RejectReason.MISSING_INFORMATION: Text("Informasi kurang", "Missing information"),
    RejectReason.DUPLICATE: Text("Rujukan ganda", "Duplicate"),
    RejectReason.SAFETY_RISK: Text("Risiko keselamatan", "Safety risk"),
    RejectReason.CONSENT_WITHDRAWN: Text("Persetujuan dicabut", "Consent withdrawn"),
    RejectReason.SENDER_WITHOUT_CUSTODY: Text("Pengirim bukan penanggung jawab", "Sender has no custody"),
    RejectReason.OTHER: Text("Alasan lain, tulis di bawah", "Other, write below"),
}
AGES: Mapping[AgeClass, Text] = {
    AgeClass.CHILD: Text("Anak", "Child"),
    AgeClass.ADULT: Text("Dewasa", "Adult"),
    AgeClass.UNKNOWN: Text("Usia belum diketahui, diperlakukan sebagai anak", "Age unknown, treated as a child"),
}
SEXES: Mapping[Sex, Text] = {
    Sex.FEMALE: Text("Perempuan", "Female"),
    Sex.MALE: Text("Laki-laki", "Male"),
    Sex.UNSPECIFIED: Text("Jenis kelamin tidak disebutkan", "Sex not stated"),
}
IDENTITY: Mapping[IdentityField, Text] = {
    IdentityField.NAME: Text("Nama", "Name"),
    IdentityField.NIK: Text("NIK", "National id number"),
    IdentityField.PASSPORT: Text("Paspor/SPLP", "Passport or SPLP"),
    IdentityField.BORN_ON: Text("Tanggal lahir", "Date of birth"),
    IdentityField.PHONE: Text("Telepon", "Telephone"),
    IdentityField.ADDRESS: Text("Alamat", "Address"),
    IdentityField.STATEMENT: Text("Keterangan korban", "Victim's statement"),
    IdentityField.SAFE_HOUSE: Text("Rumah aman", "Safe house"),
}
"""The labels of identity fields, in the order of printing."""
CONFIDENTIAL = Text(
    "RAHASIA. Membuka identitas korban adalah tindak pidana (UU 21/2007 Ps 24).",
    "CONFIDENTIAL. Disclosing a victim's identity is a crime (UU 21/2007 Ps 24).",
)
SCAN = Text("Periksa surat ini dengan kodenya", "Check this letter by its code")
NOT_LAST = Text(
    "PERHATIAN: sejak surat ini dibuat, sudah ada jawaban atau pembetulan.",
    "NOTE: answered or corrected since this letter was made.",
)
YES, NO = "Ya", "Tidak"
NOTHING = "–"
HIDDEN = "(tersegel, tidak dicetak)"
MONTHS = (
    *("Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli"),
    *("Agustus", "September", "Oktober", "November", "Desember"),
)
ZONES = {timedelta(hours=7): "WIB", timedelta(hours=8): "WITA", timedelta(hours=9): "WIT"}
"""Offset from UTC → name of the time zone (Keppres 41/1987)."""


def day(written: str) -> str:
    """A date (``2001-02-28``) in Indonesian words; unchanged where it is no date."""
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        return written
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}"


def moment(at: datetime, zone: timezone) -> str:
    """A moment in local time of a zone: ``27 November 2026 pukul 14.05 WIB``."""
    there = at.astimezone(zone)
    offset = zone.utcoffset(None)
    named = ZONES.get(offset, str(zone))
    return f"{there.day} {MONTHS[there.month - 1]} {there.year} pukul {there:%H.%M} {named}"
