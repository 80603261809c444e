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
