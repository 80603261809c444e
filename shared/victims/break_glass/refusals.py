"""Problem texts about break-glasses, and about what takes two people."""

from collections.abc import Mapping

from shared.domain.refusal import Refusal, refusal

REFUSALS: Mapping[str, Refusal] = {
    "unknown-break-glass": refusal(
        404,
        "Akses darurat tidak dikenal", "Unknown break-glass",
        "Tidak ada akses darurat dengan id ini.", "There is no break-glass with this id.",
        "Periksa id di daftar akses darurat.", "Check the id in the list of break-glasses.",
    ),
    "already-open": refusal(
        409,
        "Akses darurat sudah terbuka", "Already open",
        "Akses darurat Anda masih terbuka: {look}. Satu orang membuka satu, di semua korban dan sistem.",
        "Your break-glass is open: {look}. One person has one open, over all victims and systems.",
        "Pakai yang terbuka, atau akhiri dahulu.", "Use the one that is open, or end it first.",
    ),
    "review-overdue": refusal(
        409,
        "Akses darurat terdahulu belum dinilai", "An earlier break-glass awaits review",
        "Akses darurat Anda atas korban ini tidak dinilai dalam 24 jam: {look}.",
        "Nobody reviewed your break-glass for this victim within 24 hours: {look}.",
        "Minta penyelia menilainya, atau minta petugas lain membukanya.",
        "Ask a supervisor to review it, or ask another officer to open a new one.",
    ),
    "reviews-pending": refusal(
        409,
        "Akses darurat Anda menunggu penilaian", "Your break-glasses await review",
        "{most} akses darurat Anda belum dinilai.", "{most} of your break-glasses have no review yet.",
        "Minta penyelia satuan lain menilainya, atau minta petugas lain membuka yang baru.",
        "Ask a supervisor of another desk to review them, or ask another officer to open a new one.",
    ),
    "other-desk-needed": refusal(
        409,
        "Perlu satuan lain", "Another desk is needed",
        "Satuan yang membuka akses darurat tidak menilainya sendiri.",
        "The desk that opened a break-glass does not review it itself.",
        "Minta penyelia satuan di atasnya, atau satuan yang bertanggung jawab atas korban.",
        "Ask a supervisor of a desk above it, or of the desk responsible for the victim.",
    ),
    "already-reviewed": refusal(
        409,
        "Sudah dinilai", "Already reviewed",
        "Akses darurat ini sudah dinilai.", "This break-glass has been reviewed.",
        "Tidak ada yang perlu dilakukan.", "There is nothing to do.",
    ),
    "no-note": refusal(
        404,
        "Catatan tidak ada", "No note",
        "Tidak ada catatan di sini, atau sudah dihapus.", "There is no note here, or it was erased.",
        "Daftar memuat kode alasannya.", "The list shows the reason as a code.",
    ),
    "second-person-needed": refusal(
        409,
        "Perlu orang kedua", "A second person is needed",
        "Orang yang membuka atau meminta tidak boleh menilai atau memutuskannya sendiri.",
        "The person who opened or requested it must not review or decide it.",
        "Minta penyelia lain.", "Ask another supervisor.",
    ),
}  # fmt: skip
"""Problem code → status and texts."""
