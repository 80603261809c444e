"""Problem texts of coordination."""

from collections.abc import Mapping

from shared.domain.refusal import Refusal, refusal

REFUSALS: Mapping[str, Refusal] = {
    "unknown-journey": refusal(
        404,
        "Perjalanan tidak dikenal", "Unknown journey",
        "Tidak ada perjalanan korban dengan id ini.", "There is no journey of a victim with this id.",
        "Periksa victim_id.", "Check victim_id.",
    ),
}  # fmt: skip
"""Problem code → status and texts."""
