"""Problem texts about the legal basis of a disclosure."""

from collections.abc import Mapping

from shared.domain.refusal import Refusal, refusal

REFUSALS: Mapping[str, Refusal] = {
    "not-a-child": refusal(
        409,
        "Bukan anak", "Not a child",
        "Pelindungan anak bukan dasar pemrosesan bagi orang dewasa.",
        "Child protection is no legal basis for an adult.",
        "Pilih dasar pemrosesan lain.", "Choose another legal basis.",
    ),
    "no-consent": refusal(
        409,
        "Tidak ada persetujuan", "No consent",
        "Tidak ada persetujuan korban yang berlaku untuk ini.", "No valid consent of the victim covers this.",
        "Mintalah persetujuan korban dan catat, atau pakai dasar pemrosesan lain bila ada.",
        "Ask for the victim's consent and record it, or use another legal basis if there is one.",
    ),
    "basis-not-for-service": refusal(
        409,
        "Dasar tidak sesuai layanan", "Basis does not fit the service",
        "Dasar pemrosesan ini tidak berlaku untuk layanan itu.", "This legal basis does not hold for that service.",
        "Kepentingan vital hanya untuk pelindungan, pengobatan, dan rumah aman; pakai dasar lain yang sah.",
        "Vital interest is for protection, treatment and shelter alone; use another lawful basis.",
    ),
    "against-withdrawal": refusal(
        409,
        "Bertentangan dengan pencabutan", "Against the withdrawal",
        "Korban telah mencabut persetujuannya, dan tidak ada persetujuan baru yang menyebut instansi itu.",
        "The person has withdrawn consent, and no new consent names that agency.",
        "Mintalah persetujuan baru; atau penyelia memutuskan dasar lain dengan catatan, dan korban diberi tahu.",
        "Ask for a new consent; or a supervisor decides on another basis with a note, and the person is told.",
    ),
    "not-agreed": refusal(
        409,
        "Korban tidak menyetujui", "The victim does not agree",
        "Persetujuan memerlukan pernyataan setuju dari korban sendiri.", "A consent needs the victim's own agreement.",
        "Jangan catat sebagai persetujuan.", "Do not record it as a consent.",
    ),
    "guardian-part-missing": refusal(
        409,
        "Peran wali belum jelas", "The guardian's part is missing",
        "Bagi anak atau usia yang belum diketahui, wali menyetujui atau dikecualikan karena mungkin terlibat.",
        "For a child or an unknown age, a guardian agrees, or is excluded as possibly involved.",
        "Catat persetujuan baru dengan guardian agreed atau excluded; tanpa itu pakai dasar pelindungan anak.",
        "Record a new consent with guardian agreed or excluded; without either, use child protection as the basis.",
    ),
}  # fmt: skip
"""Problem code → status and texts."""
