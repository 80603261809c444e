"""Problem texts about cases, victims and custody."""

from collections.abc import Mapping

from shared.domain.refusal import Refusal, refusal

REFUSALS: Mapping[str, Refusal] = {
    "unknown-case": refusal(
        404,
        "Kasus tidak dikenal", "Unknown case",
        "Tidak ada kasus dengan id ini di instansi ini.", "This agency has no case with this id.",
        "Periksa id kasus.", "Check the id of the case.",
    ),
    "unknown-victim": refusal(
        404,
        "Korban tidak dikenal", "Unknown victim",
        "Tidak ada korban dengan id ini di instansi ini.", "This agency knows no victim with this id.",
        "Periksa victim_id.", "Check victim_id.",
    ),
    "not-responsible": refusal(
        409,
        "Bukan penanggung jawab", "Not responsible",
        "Instansi ini bukan penanggung jawab korban dan tidak sedang melayaninya.",
        "This agency does not have custody of the victim and is not serving them.",
        "Minta penanggung jawab yang merujuk.", "Ask the custody holder to refer.",
    ),
    "not-custody-holder": refusal(
        409,
        "Bukan penanggung jawab", "Not the custody holder",
        "Hanya penanggung jawab korban yang boleh melakukan ini.", "Only the victim's custody holder may do this.",
        "Minta penanggung jawab, atau terima pelimpahannya dahulu.",
        "Ask the custody holder, or accept a transfer of the victim first.",
    ),
    "journey-closed": refusal(
        409,
        "Perjalanan sudah ditutup", "Journey closed",
        "Perjalanan korban ini sudah berakhir.", "The journey of this victim has ended.",
        "Buka kasus baru bila korban ditemukan lagi.", "Open a new case if the victim is found again.",
    ),
}  # fmt: skip
"""Problem code → status and texts."""
