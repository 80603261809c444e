"""Problem texts about facts that were told late."""

from collections.abc import Mapping

from shared.domain.refusal import Refusal, refusal

REFUSALS: Mapping[str, Refusal] = {
    "unknown-backdating": refusal(
        404,
        "Catatan tidak dikenal", "Unknown entry",
        "Tidak ada keterangan terlambat dengan id ini di satuan Anda.", "Your desk has no late fact with this id.",
        "Lihat /v1/backdated.", "See /v1/backdated.",
    ),
}  # fmt: skip
"""Problem code → status and texts."""
