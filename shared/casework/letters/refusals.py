"""Problem texts about letters."""

from collections.abc import Mapping

from shared.domain.refusal import Refusal, refusal

REFUSALS: Mapping[str, Refusal] = {
    "unknown-letter": refusal(
        404,
        "Surat tidak dikenal", "Unknown letter",
        "Bentuk kode benar, tetapi buku induk instansi ini tidak memuat surat itu, atau surat itu untuk hal lain.",
        "The code is well formed, but this agency's ledger has no such letter, or the letter is for something else.",
        "Jangan percayai surat itu sebelum dibenarkan pengirimnya. Bila baru saja dicetak, coba lagi nanti.",
        "Do not trust the letter until its sender confirms it. If it was printed just now, try again later.",
    ),
    "letter-code-mistyped": refusal(
        409,
        "Kode surat salah ketik", "Letter code mistyped",
        "Huruf pemeriksa tidak cocok: paling sedikit satu huruf atau angka kode ini salah.",
        "The check character does not fit: at least one character of this code is wrong.",
        "Salin lagi dari surat, 12 huruf dan angka. Huruf kecil dan tanpa tanda hubung boleh; O dibaca 0, I dan L 1.",
        "Copy it again, 12 characters. Small letters and missing dashes are accepted; O counts as 0, I and L as 1.",
    ),
    "form-not-printed": refusal(
        409,
        "Formulir ini tidak dicetak", "This form is not printed",
        "Formulir {form} tidak punya bentuk kertas.", "The form {form} has no paper version.",
        "Lihat isian printed di /v1/forms.", "See the field printed at /v1/forms.",
    ),
    "answer-before-request": refusal(
        409,
        "Dijawab sebelum diminta", "Answered before the request",
        "occurred_at lebih awal dari permintaan rujukan ini.", "occurred_at is before this referral was requested.",
        "Periksa waktu yang tertulis di lembar jawaban.", "Check the time on the reply slip.",
    ),
    "reason-with-acceptance": refusal(
        409,
        "Alasan tolak pada jawaban terima", "A reason to reject, with an acceptance",
        "Jawabannya menerima, tetapi memuat alasan menolak.", "The answer accepts, but names a reason to reject.",
        "Hapus reason, atau ubah answer menjadi rejected.", "Remove reason, or set answer to rejected.",
    ),
}  # fmt: skip
"""Problem code → status and texts."""
