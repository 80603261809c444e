"""Problem texts about erasures and legal holds."""

from collections.abc import Mapping

from shared.domain.refusal import Refusal, refusal

REFUSALS: Mapping[str, Refusal] = {
    "legal-hold": refusal(
        409,
        "Penghapusan ditahan", "Under legal hold",
        "Data korban ini ditahan menurut hukum dan tidak dapat dihapus sekarang.",
        "A legal hold protects this victim's data; they cannot be erased now.",
        "Cabut penahanan setelah alasannya berakhir.", "Lift the legal hold when its reason has ended.",
    ),
    "hold-unconfirmed": refusal(
        409,
        "Penahanan Anda belum dikuatkan", "Your legal hold is not confirmed",
        "Penahanan Anda yang terdahulu atas korban ini tidak dikuatkan orang kedua.",
        "No second person confirmed your earlier legal hold of this victim.",
        "Minta penyelia lain menguatkannya, atau menahan sendiri.",
        "Ask another supervisor to confirm it, or to place one.",
    ),
    "unknown-hold": refusal(
        404,
        "Penahanan tidak dikenal", "Unknown legal hold",
        "Tidak ada penahanan korban ini dengan dasar itu yang menunggu penguatan.",
        "No legal hold of this victim with this basis waits for confirmation.",
        "Periksa daftar di /v1/legal-holds.", "Check the list at /v1/legal-holds.",
    ),
    "hold-end-not-allowed": refusal(
        409,
        "Akhir penahanan tidak diizinkan", "End of the legal hold not allowed",
        "until harus sesudah sekarang dan paling lama {days} hari dari sekarang.",
        "until must be after now, and at most {days} days from now.",
        "Kirim akhir yang lebih dekat; bila masih perlu, tahan lagi sebelum berakhir.",
        "Send a nearer end; if it is still needed, place the next one before it ends.",
    ),
    "already-asked": refusal(
        409,
        "Penghapusan sudah diminta", "Erasure already asked for",
        "Penghapusan {erasure} menunggu keputusan orang kedua.",
        "Erasure {erasure} waits for a second person to decide.",
        "Minta penyelia lain memutuskannya.", "Ask another supervisor to decide it.",
    ),
    "unknown-erasure": refusal(
        404,
        "Permintaan penghapusan tidak dikenal", "Unknown erasure",
        "Tidak ada permintaan penghapusan korban ini dengan id itu.", "No erasure of this victim has this id.",
        "Periksa id di /v1/erasures.", "Check the id at /v1/erasures.",
    ),
    "already-decided": refusal(
        409,
        "Sudah diputuskan", "Already decided",
        "Permintaan penghapusan ini sudah diputuskan.", "This erasure has been decided.",
        "Tidak ada yang perlu dilakukan.", "There is nothing to do.",
    ),
}  # fmt: skip
"""Problem code → status and texts."""
