"""Problem texts about capacity."""

from collections.abc import Mapping

from shared.domain.refusal import Refusal, refusal

REFUSALS: Mapping[str, Refusal] = {
    "desk-is-full": refusal(
        409,
        "Satuan penuh", "Desk is full",
        "Satuan {desk} mengumumkan tidak dapat menerima. Yang masih menerima: {instead}.",
        "Desk {desk} has announced that it cannot take anybody on. Desks that can: {instead}.",
        "Pilih satuan lain (lihat daya tampung), atau kirim dengan force: true bila tetap perlu.",
        "Choose another desk (see its capacity), or send force: true if it must be this desk.",
    ),
}  # fmt: skip
"""Problem code → status and texts."""
