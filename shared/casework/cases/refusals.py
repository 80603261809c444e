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
    "referral-still-live": refusal(
        409,
        "Masih ada rujukan berjalan", "A referral is still live",
        "Rujukan {referral} belum berakhir.", "Referral {referral} has not ended.",
        "Selesaikan atau batalkan rujukan itu dahulu.", "Complete or cancel that referral first.",
    ),
}  # fmt: skip
"""Problem code → status and texts."""
