"""Problem texts about forms and records."""

from collections.abc import Mapping

from shared.domain.refusal import Refusal, refusal

REFUSALS: Mapping[str, Refusal] = {
    "unknown-record": refusal(
        404,
        "Catatan tidak dikenal", "Unknown record",
        "Tidak ada catatan itu, atau formulirnya bukan yang diminta, atau sudah dibetulkan.",
        "There is no such record, or its form is not the one needed, or it has been corrected.",
        "Lihat daftar catatan korban, kasus atau satuannya.", "See the list of records of the victim, case or desk.",
    ),
    "form-not-yet": refusal(
        409,
        "Formulir sebelumnya belum diisi", "An earlier form has not been filed",
        "Formulir ini baru dapat diisi setelah: {form}.", "This form can be filed only after: {form}.",
        "Isi formulir itu lebih dahulu; isi occurred_at bila kejadiannya lebih awal.",
        "File that form first; set occurred_at if it happened earlier.",
    ),
    "already-filed": refusal(
        409,
        "Formulir sudah diisi", "The form has been filed",
        "Formulir {form} hanya diisi sekali.", "The form {form} can be filed only once.",
        "Untuk membetulkan, kirim lagi dengan corrects berisi id catatan yang lama.",
        "To correct it, send it again with the id of the old record in corrects.",
    ),
    "plan-not-agreed": refusal(
        409,
        "Korban belum setuju", "The victim has not agreed",
        "Rencana layanan hanya berlaku bila korban menyetujuinya.",
        "A service plan is valid only if the victim agrees to it.",
        "Bicarakan lagi dengan korban, ubah rencananya, lalu kirim dengan agreed true.",
        "Discuss the plan with the victim again, change it, and send it with agreed true.",
    ),
    "not-of-this-service": refusal(
        409,
        "Bukan untuk layanan ini", "Not of this service",
        "Formulir ini hanya untuk rujukan ke layanan {service}.",
        "This form is only for a referral to the service {service}.",
        "Isi pada rujukan yang meminta layanan itu.", "File it for the referral that asks for that service.",
    ),
    "no-key-to-seal-for": refusal(
        409,
        "Tidak ada kunci penerima", "No key of the recipient",
        "Kunci penyegelan instansi {agency} tidak ada di direktori kunci; isinya tidak dapat dikirim tersegel.",
        "The key directory has no sealing key of {agency}, so this cannot be delivered sealed.",
        "Tidak ada yang tersimpan. Minta operator memeriksa direktori kunci, lalu kirim lagi.",
        "Nothing is stored. Ask an operator to check the key directory, then send it again.",
    ),
    "too-long-to-seal": refusal(
        409,
        "Terlalu panjang untuk dikirim", "Too long to deliver",
        "Seluruh isian formulir ini terlalu panjang untuk dikirim tersegel.",
        "All fields of this form together are too long to be delivered sealed.",
        "Tidak ada yang tersimpan. Persingkat uraiannya, lalu kirim lagi.",
        "Nothing is stored. Shorten the text, then send it again.",
    ),
}  # fmt: skip
"""Problem code → status and texts."""
