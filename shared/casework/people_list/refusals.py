"""Problem texts about batches."""

from collections.abc import Mapping

from shared.domain.refusal import Refusal, refusal

REFUSALS: Mapping[str, Refusal] = {
    "malformed-csv": refusal(
        422,
        "Tabel tidak dapat dibaca", "The table cannot be read",
        "Baris {line} bukan baris CSV dengan sel sebanyak judul kolomnya.",
        "Line {line} is not a CSV line with one cell for each heading.",
        "Simpan tabel sebagai CSV UTF-8 dengan satu baris judul kolom dan sedikitnya satu orang.",
        "Save the table as UTF-8 CSV with one line of headings and at least one person.",
    ),
    "unknown-column": refusal(
        422,
        "Kolom tidak dikenal", "Unknown column",
        "Judul kolom ke-{column} tidak dikenal.", "The heading of column {column} is not known.",
        "Gunakan judul kolom yang disebut di /docs.", "Use the headings named at /docs.",
    ),
    "column-twice": refusal(
        422,
        "Kolom ganda", "Duplicate column",
        "Judul kolom ke-{column} sudah dipakai kolom lain.", "Another column has the same heading as column {column}.",
        "Gunakan tiap judul satu kali.", "Use each heading once.",
    ),
    "too-many-people": refusal(
        422,
        "Terlalu banyak orang", "Too many people",
        "Daftar memuat lebih dari {most} orang.", "The list has more than {most} people.",
        "Bagi daftar menjadi beberapa.", "Send the list in parts.",
    ),
    "force-not-in-lists": refusal(
        409,
        "force tidak berlaku dalam daftar", "No force in a list",
        "Dalam daftar orang, force tidak diterima.", "A list of people cannot force a referral.",
        "Rujuk orang itu satu per satu.", "Refer that person alone.",
    ),
    "list-needs-supervisor": refusal(
        409,
        "Daftar ini memerlukan penyelia", "This list needs a supervisor",
        "Petugas mengirim paling banyak 600 orang, dan 20 rujukan mendesak ke satu instansi; "
        "layanan yang tidak boleh menunggu juga mendesak.",
        "An officer sends at most 600 people, and 20 urgent referrals to one agency. A service that may not wait is "
        "urgent too.",
        "Minta penyelia mengirimnya.", "Ask a supervisor to send it.",
    ),
    "written-twice": refusal(
        409,
        "Orang ganda dalam daftar", "Person listed twice",
        "Orang dengan nomor ini sudah ada di baris {row} daftar ini.", "Row {row} of this list has the same number.",
        "Hapus baris ini, atau perbaiki nomor yang keliru.", "Remove this row, or correct the wrong number.",
    ),
    "batch-already-taken-in": refusal(
        409,
        "Daftar sudah diterima", "List already received",
        "Daftar yang sama sudah diterima dalam kasus ini: {batch}, dari satuan {unit}.",
        "The same list was already received for this case: {batch}, from {unit}.",
        "Lihat hasilnya dengan id itu. Pengirimnya melanjutkan dengan Idempotency-Key yang pertama. "
        "Penyelia satuan itu melanjutkan dengan kuncinya sendiri.",
        "Read its results by that id. Its sender continues it with the first Idempotency-Key. "
        "A supervisor of that unit continues it with a new key.",
    ),
    "unknown-batch": refusal(
        404,
        "Daftar tidak ditemukan", "Unknown batch",
        "Tidak ada daftar orang dengan id ini.", "There is no list of people with this id.",
        "Periksa id, atau lihat daftar milik kasus.", "Check the id, or see the lists of the case.",
    ),
}  # fmt: skip
"""Problem code → status and texts."""
