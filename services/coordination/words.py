"""Indonesian and English words for the codes that the pages show."""

from markupsafe import Markup

from shared.contracts.events import TYPE_PREFIX
from shared.domain.text import Text

NO_SUCH_REGION = Text(
    "Tidak ada wilayah dengan kode itu. Contoh kode: 74, 74.01.", "No region has that code. Such as: 74, 74.01."
)
FEW = Text("kurang dari 10", "fewer than 10")
AGENCIES = {
    "police": Text("Polri", "Police"),
    "kemenpppa": Text("KemenPPPA", "Women and children"),
    "kemensos": Text("Kemensos", "Social affairs"),
    "kemenkes": Text("Kemenkes", "Health"),
}
STAGES = {
    "detection": Text("Penemuan", "Detection"),
    "identification": Text("Identifikasi", "Identification"),
    "protection": Text("Pelindungan", "Protection"),
    "medical-rehabilitation": Text("Rehabilitasi medis", "Medical rehabilitation"),
    "social-rehabilitation": Text("Rehabilitasi sosial", "Social rehabilitation"),
    "law-enforcement": Text("Penegakan hukum", "Law enforcement"),
    "repatriation": Text("Pemulangan", "Repatriation"),
    "reintegration": Text("Reintegrasi", "Reintegration"),
    "after-care": Text("Bina lanjut", "After-care"),
}
STATUSES = {
    "requested": Text("Diminta", "Requested"),
    "received": Text("Diterima layanan", "Received"),
    "accepted": Text("Disetujui", "Accepted"),
    "in-progress": Text("Berjalan", "In progress"),
    "on-hold": Text("Ditunda", "On hold"),
    "completed": Text("Selesai", "Completed"),
    "rejected": Text("Ditolak", "Rejected"),
    "failed": Text("Gagal", "Failed"),
    "cancelled": Text("Dibatalkan", "Cancelled"),
}
REASONS = {
    "no-capacity": Text("tidak ada kapasitas", "no capacity"),
    "not-eligible": Text("tidak memenuhi syarat", "not eligible"),
    "out-of-jurisdiction": Text("di luar wilayah", "out of jurisdiction"),
    "wrong-service": Text("layanan keliru", "wrong service"),
    "missing-information": Text("informasi kurang", "missing information"),
    "duplicate": Text("rujukan ganda", "duplicate"),
    "safety-risk": Text("risiko keselamatan", "safety risk"),
    "consent-withdrawn": Text("persetujuan dicabut", "consent withdrawn"),
    "sender-without-custody": Text("pengirim bukan penanggung jawab", "sender without custody"),
    "cancellation-granted": Text("pembatalan dikabulkan", "cancellation granted"),
    "victim-declined": Text("korban menolak", "victim declined"),
    "cannot-locate": Text("tidak ditemukan", "cannot locate"),
    "no-show": Text("tidak hadir", "no show"),
    "service-unavailable": Text("layanan tidak tersedia", "service unavailable"),
    "other": Text("alasan lain", "other"),
    "service-provided": Text("layanan diberikan", "service provided"),
    "partly-provided": Text("sebagian diberikan", "partly provided"),
    "referred-onward": Text("dirujuk lanjut", "referred onward"),
    "not-needed": Text("tidak diperlukan", "not needed"),
    "awaiting-information": Text("menunggu informasi", "awaiting information"),
    "scheduled": Text("terjadwal", "scheduled"),
}
OUTCOMES = {
    "reintegrated": Text("Kembali ke masyarakat", "Reintegrated"),
    "registered-by-mistake": Text("Keliru didaftarkan", "Registered by mistake"),
    "returned-abroad": Text("Kembali ke luar negeri", "Returned abroad"),
    "victim-declined": Text("Korban menolak layanan", "Victim declined"),
    "lost-contact": Text("Kehilangan kontak", "Lost contact"),
    "deceased": Text("Meninggal dunia", "Deceased"),
}
FACTS = {
    "child": Text("Anak", "Child"),
    "adult": Text("Dewasa", "Adult"),
    "unknown": Text("Usia belum diketahui (diperlakukan sebagai anak)", "Age unknown (treated as a child)"),
    "female": Text("Perempuan", "Female"),
    "male": Text("Laki-laki", "Male"),
    "unspecified": Text("Tidak disebutkan", "Unspecified"),
    "online-scam": Text("Penipuan daring", "Online scam"),
    "forced-labour": Text("Kerja paksa", "Forced labour"),
    "sexual": Text("Eksploitasi seksual", "Sexual exploitation"),
    "domestic-servitude": Text("Perhambaan rumah tangga", "Domestic servitude"),
    "fishing": Text("Kapal ikan", "Fishing"),
    "organ-removal": Text("Pengambilan organ", "Organ removal"),
    "child-marriage": Text("Perkawinan anak", "Child marriage"),
    "referral": Text("Rujukan", "Referral"),
    "transfer": Text("Pelimpahan", "Transfer"),
}
LEVELS = {
    "regency": Text("kabupaten/kota", "regency"),
    "province": Text("provinsi", "province"),
    "national": Text("nasional", "national"),
}
ALARMS = {
    "clock-warned": Text("Hampir lewat batas waktu", "Nearly overdue"),
    "clock-breached": Text("Lewat batas waktu", "Overdue"),
    "clock-escalated": Text("Disampaikan ke atas", "Escalated"),
    "clock-in-time": Text("Terpenuhi tepat waktu", "Met in time"),
    "clock-late": Text("Terpenuhi terlambat", "Met late"),
}
CONTRADICTED = Text("Bertentangan", "Contradiction")
REOPENED = Text("Dibuka kembali", "Reopened")
CONTRADICTIONS = {
    "custody-link-taken": Text(
        "Satuan lain sudah menjadi penanggung jawab pada urutan ini", "Another desk has this place in the custody chain"
    ),
    "not-the-holder": Text(
        "Pelimpahan ditawarkan oleh instansi yang bukan penanggung jawab",
        "An agency without custody has offered a transfer",
    ),
    "custody-link-stands": Text(
        "Penerima mengembalikan tanggung jawab atas pelimpahan yang sah menurut rantai ini",
        "A receiver gives back custody that this chain shows as rightly handed over",
    ),
    "case-taken": Text("Perkara ini sudah dibuka oleh instansi lain", "Another agency has opened this case"),
    "registered-twice": Text("Korban ini sudah didaftarkan", "This victim is registered already"),
    "version-conflict": Text(
        "Penerima memberi dua jawaban yang berbeda atas satu rujukan",
        "A receiver has given two answers to one referral",
    ),
    "referral-id-taken": Text("Rujukan dengan id ini sudah ada", "A referral with this id exists already"),
}
"""Reason for parking an event, where it is an alarm → its words."""
NORM_GAPS = {
    "no-mandate": Text("tidak ada kewenangan", "no mandate"),
    "no-procedure": Text("tidak ada prosedur", "no procedure"),
    "no-budget-rule": Text("tidak ada aturan anggaran", "no budget rule"),
    "no-data-sharing-rule": Text("tidak ada aturan berbagi data", "no rule on data sharing"),
    "conflicting-rules": Text("aturan bertentangan", "conflicting rules"),
    "unclear-jurisdiction": Text("kewenangan wilayah tidak jelas", "unclear jurisdiction"),
}
PARTS = {
    "part-until": Text("Sampai pelimpahan oleh wilayah Anda", "Until your region handed over"),
    "part-handovers": Text("Hanya rujukan dari atau ke wilayah Anda", "Only referrals from or to your region"),
}
OTHERS = {
    "coordination": Text("Koordinasi", "Coordination"),
    "all": Text("Semua", "Everybody"),
}
EVENTS = {
    "case.opened": Text("Perkara dibuka", "Case opened"),
    "victim.registered": Text("Korban didaftarkan", "Victim registered"),
    "victim.stage-recorded": Text("Tahap dicatat", "Stage recorded"),
    "victim.interviewed": Text("Korban diperiksa", "Victim interviewed"),
    "record.filed": Text("Formulir diisi", "Form filed"),
    "record.delivered": Text("Formulir diserahkan tersegel", "Form delivered, sealed"),
    "journey.closed": Text("Perjalanan ditutup", "Journey closed"),
    "referral.requested": Text("Rujukan diminta", "Referral requested"),
    "referral.received": Text("Rujukan diterima layanan", "Referral received"),
    "referral.accepted": Text("Rujukan disetujui", "Referral accepted"),
    "referral.rejected": Text("Rujukan ditolak", "Referral rejected"),
    "referral.started": Text("Layanan dimulai", "Service started"),
    "referral.held": Text("Layanan ditunda", "Service on hold"),
    "referral.resumed": Text("Layanan dilanjutkan", "Service resumed"),
    "referral.completed": Text("Layanan selesai", "Service completed"),
    "referral.failed": Text("Layanan gagal", "Service failed"),
    "referral.cancelled": Text("Rujukan dibatalkan", "Referral cancelled"),
    "referral.cancellation-refused": Text("Pembatalan ditolak", "Cancellation refused"),
    "referral.cancellation-requested": Text("Pembatalan diminta", "Cancellation requested"),
    "referral.information-provided": Text("Informasi diberikan", "Information provided"),
    "referral.reminder": Text("Pengingat", "Reminder"),
    "referral.custody-asked": Text("Tanggung jawab pengirim ditanyakan", "Sender's custody asked about"),
    "referral.custody-checked": Text("Tanggung jawab pengirim diperiksa", "Sender's custody checked"),
    "victim.facts-corrected": Text("Fakta korban dibetulkan", "Victim's facts corrected"),
    "consent.recorded": Text("Persetujuan dicatat", "Consent recorded"),
    "consent.withdrawn": Text("Persetujuan berakhir", "Consent withdrawn or over"),
    "erasure.requested": Text("Penghapusan diminta", "Erasure requested"),
    "disclosure.ended": Text("Data dihentikan atau dihapus", "Disclosure ended"),
    "break-glass.opened": Text("Akses darurat dibuka", "Break-glass opened"),
    "break-glass.ended": Text("Akses darurat berakhir", "Break-glass ended"),
    "break-glass.reviewed": Text("Akses darurat dinilai", "Break-glass reviewed"),
    "break-glass.review-overdue": Text("Penilaian akses darurat terlambat", "Break-glass review overdue"),
    "capacity.announced": Text("Daya tampung diumumkan", "Capacity announced"),
    "desk.described": Text("Kemampuan satuan diumumkan", "What a desk can do announced"),
    "tokens.told": Text("Tanda pembanding disampaikan", "Tokens told"),
    "match.proposed": Text("Mungkin orang yang sama", "Perhaps the same person"),
    "match.withdrawn": Text("Usulan orang yang sama ditarik", "Proposal withdrawn"),
    "match.decided": Text("Usulan orang yang sama diputuskan", "Proposal decided"),
    "clock.warned": Text("Batas waktu hampir habis", "Clock nearly over"),
    "clock.breached": Text("Batas waktu terlewat", "Clock breached"),
    "clock.escalated": Text("Disampaikan ke satuan di atasnya", "Escalated"),
    "clock.stopped": Text("Batas waktu terpenuhi", "Clock stopped"),
    "letter.issued": Text("Surat dicetak", "Letter printed"),
    "receipt.recorded": Text("Tanda terima", "Receipt"),
    "link.witnessed": Text("Jalur disaksikan", "Link witnessed"),
    "keys.published": Text("Kunci diumumkan", "Keys published"),
}
"""Event type, without prefix and version → its words."""
ALL = {
    **FACTS,
    **LEVELS,
    **ALARMS,
    **CONTRADICTIONS,
    **OUTCOMES,
    **REASONS,
    **NORM_GAPS,
    **STATUSES,
    **STAGES,
    **AGENCIES,
    **PARTS,
    **OTHERS,
}


def both(said: str | Text | None) -> Markup:
    """A code's words, or a text, as HTML in both languages: Indonesian first, English small after it.

    A code without words, and a text that is the same in both languages, appear once and unchanged.
    """
    text = said if isinstance(said, Text) else _text(said)
    if text is None:
        return Markup.escape(said or "–")
    if text.id == text.en:
        return Markup.escape(text.id)
    return Markup('{} <span class="en" lang="en">{}</span>').format(text.id, text.en)


def _text(code: str | None) -> Text | None:
    if code and code.startswith(TYPE_PREFIX):
        return EVENTS.get(".".join(code.split(".")[2:4]))
    return ALL.get(code or "")
