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
    "other-side-first": refusal(
        409,
        "Menunggu pihak lain", "The other side decides first",
        "Satuan di pihak lain memutuskan lebih dahulu. Orangnya lebih aman posisinya, atau lebih dahulu terdaftar "
        "dengan tanda pengenal itu.",
        "The desk at the other side decides first. Its person is in the safer position, or was registered with that "
        "identifier first.",
        "Tunggu sampai `turn` pada /v1/matches menjadi `this-side`.",
        "Wait until `turn` at /v1/matches becomes `this-side`.",
    ),
}  # fmt: skip
"""Problem code → status and texts."""
