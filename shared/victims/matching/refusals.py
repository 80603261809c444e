"""Problem texts about match proposals."""

from collections.abc import Mapping

from shared.domain.refusal import Refusal, refusal

REFUSALS: Mapping[str, Refusal] = {
    "unknown-match": refusal(
        404,
        "Usulan tidak dikenal", "Unknown proposal",
        "Tidak ada usulan yang masih berlaku dengan id itu bagi satuan Anda.",
        "Your desk has no valid proposal with this id.",
        "Lihat /v1/matches; usulan ditarik bila kedua korban tidak lagi punya kesamaan.",
        "See /v1/matches; a proposal is withdrawn when the two victims have nothing in common any more.",
    ),
}  # fmt: skip
"""Problem code → status and texts."""
