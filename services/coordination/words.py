"""Indonesian (and English) words for the codes that the pages show."""

from shared.domain.agency import Text

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
ALL = {**FACTS, **OUTCOMES, **REASONS, **STATUSES, **STAGES, **AGENCIES}


def word(code: str | None, english: bool = False) -> str:
    """The word for a code, or the code itself where there is none."""
    text = ALL.get(code or "")
    return (code or "–") if text is None else text.en if english else text.id
