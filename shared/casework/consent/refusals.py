"""Problem texts about consents."""

from collections.abc import Mapping

from shared.domain.refusal import Refusal, refusal

REFUSALS: Mapping[str, Refusal] = {
    "unknown-notice": refusal(
        409,
        "Pemberitahuan tidak dikenal", "Unknown notice",
        "Pemberitahuan versi itu tidak berlaku pada tanggal tersebut.",
        "No notice of that version is valid on that date.",
        "Pakai versi yang berlaku.", "Use a valid version.",
    ),
    "valid-too-long": refusal(
        409,
        "Berlaku terlalu lama", "Valid for too long",
        "Persetujuan berlaku paling lama seratus tahun.", "A consent is valid for a hundred years at most.",
        "Sebut waktu yang lebih dekat.", "Name an earlier time.",
    ),
    "already-over": refusal(
        409,
        "Sudah lewat", "Already over",
        "Waktu berakhirnya sudah lewat.", "The end time is in the past.",
        "Sebut waktu yang akan datang.", "Name a time in the future.",
    ),
}  # fmt: skip
"""Problem code → status and texts."""
