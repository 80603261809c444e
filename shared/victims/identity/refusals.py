"""Problem texts about identities."""

from collections.abc import Mapping

from shared.domain.refusal import Refusal, refusal

REFUSALS: Mapping[str, Refusal] = {
    "no-such-day": refusal(
        409,
        "Tanggal tidak ada", "No such day",
        "Tanggal itu tidak ada dalam kalender, atau belum tiba.", "This date does not exist, or is in the future.",
        "Periksa tahun, bulan dan tanggalnya.", "Check year, month and day.",
    ),
    "not-such-a-number": refusal(
        409,
        "Nomor tidak sah", "Invalid number",
        "NIK: 16 angka; paspor: 5 sampai 12 huruf dan angka; telepon: 8 sampai 15 angka, dari luar negeri diawali +.",
        "NIK: 16 digits; passport: 5 to 12 letters and digits; telephone: 8 to 15 digits, with a + if from abroad.",
        "Periksa nomornya.", "Check the number.",
    ),
    "nothing-to-take-over": refusal(
        409,
        "Tidak ada yang diambil alih", "Nothing to take over",
        "Instansi itu tidak menyatakan isian ini, atau pemberian datanya sudah berakhir.",
        "That agency states nothing in this field, or its disclosure has ended.",
        "Lihat from_others dan differing pada identitas korban.",
        "See from_others and differing at the identity of the victim.",
    ),
    "said-since": refusal(
        409,
        "Sudah berubah", "Changed since",
        "Instansi itu sudah menyatakan hal lain sejak saat itu.", "That agency has said something else since then.",
        "Lihat lagi identitas korban, lalu periksa nilai yang baru.",
        "See the identity again, and check the new value.",
    ),
    "no-identity": refusal(
        404,
        "Identitas tidak ada", "No identity",
        "Instansi ini tidak menyimpan identitas korban ini.", "This agency holds no identity of this victim.",
        "Identitas dicatat oleh instansi yang menemui korban.", "The agency that meets the victim records it.",
    ),
}  # fmt: skip
"""Problem code → status and texts."""
