"""Problem texts of an operator's requests."""

from collections.abc import Mapping

from shared.domain.refusal import Refusal, refusal

REFUSALS: Mapping[str, Refusal] = {
    "unknown-parked-event": refusal(
        404,
        "Peristiwa tertahan tidak dikenal", "Unknown parked event",
        "Tidak ada peristiwa tertahan dengan nomor ini.", "There is no parked event with this number.",
        "Lihat daftar peristiwa tertahan.", "See the list of parked events.",
    ),
    "unknown-schema": refusal(
        404,
        "Skema tidak dikenal", "Unknown schema",
        "Tidak ada jenis peristiwa dengan nama ini.", "There is no event type with this name.",
        "Lihat daftar skema.", "See the list of schemas.",
    ),
    "replay-failed": refusal(
        409,
        "Belum dapat diterapkan", "Cannot be applied yet",
        "Peristiwa ini masih tertahan: {reason}.", "This event is still parked: {reason}.",
        "Hilangkan penyebabnya, lalu coba lagi.", "Remove the cause, then try again.",
    ),
}  # fmt: skip
"""Problem code → status and texts."""
