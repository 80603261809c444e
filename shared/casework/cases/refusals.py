"""Problem texts about cases and journeys."""

from collections.abc import Mapping

from shared.domain.refusal import Refusal, refusal

REFUSALS: Mapping[str, Refusal] = {
    "unknown-channel": refusal(
        409,
        "Saluran tidak dikenal", "Unknown channel",
        "Saluran yang dikenal: {known}.", "The known channels are: {known}.",
        "Pilih salah satu saluran itu.", "Choose one of them.",
    ),
    "unknown-correction": refusal(
        404,
        "Pembetulan tidak dikenal", "Unknown correction",
        "Bukan pembetulan terakhir atas fakta korban ini.", "This is not the newest correction of this victim's facts.",
        "Lihat lagi fakta korban, lalu minta pembetulan baru.",
        "See the victim's facts again, and ask for a new correction.",
    ),
    "already-applied": refusal(
        409,
        "Sudah berlaku", "Already applied",
        "Pembetulan ini sudah berlaku.", "This correction applies already.",
        "Tidak ada yang perlu dilakukan.", "There is nothing to do.",
    ),
    "referral-still-live": refusal(
        409,
        "Masih ada rujukan berjalan", "A referral is still live",
        "Rujukan {referral} belum berakhir.", "Referral {referral} has not ended.",
        "Selesaikan atau batalkan rujukan itu dahulu.", "Complete or cancel that referral first.",
    ),
    "stages-missing": refusal(
        409,
        "Tahap belum dicatat", "Stages not recorded",
        "Hasil ini memerlukan tahap yang belum dicatat instansi ini: {missing}.",
        "This outcome needs stages that this agency has not recorded: {missing}.",
        "Catat tahap itu bila sudah dijalani, atau pilih hasil yang benar.",
        "Record those stages if they took place, or choose the true outcome.",
    ),
    "closure-already-asked": refusal(
        409,
        "Penutupan sudah diminta", "Closure already asked for",
        "Penutupan {closure} menunggu keputusan orang kedua.", "Closure {closure} waits for a second person to decide.",
        "Minta petugas lain memutuskannya.", "Ask another officer to decide it.",
    ),
    "unknown-closure": refusal(
        404,
        "Penutupan tidak dikenal", "Unknown closure",
        "Tidak ada penutupan korban ini dengan id itu.", "No closure of this victim has this id.",
        "Periksa id di /v1/closures.", "Check the id at /v1/closures.",
    ),
    "closure-already-decided": refusal(
        409,
        "Penutupan sudah diputuskan", "Closure already decided",
        "Penutupan ini sudah diputuskan.", "This closure has been decided.",
        "Tidak ada yang perlu dilakukan.", "There is nothing to do.",
    ),
}  # fmt: skip
"""Problem code → status and texts."""
