"""Problem texts of Kemensos's own forms and beds."""

from collections.abc import Mapping

from shared.domain.refusal import Refusal, refusal

REFUSALS: Mapping[str, Refusal] = {
    "beds-in-use": refusal(
        409,
        "Tempat tidur masih dipakai", "Beds are in use",
        "{taken} tempat tidur di ruang ini sedang dipakai.", "{taken} beds of this ward are in use.",
        "Catat dahulu siapa yang sudah keluar, lalu kurangi jumlahnya.",
        "First record who has left, then reduce the number.",
    ),
    "ward-not-for-them": refusal(
        409,
        "Bukan ruang untuk orang ini", "Ward not for this person",
        "Menurut jenis kelamin dan usianya, orang ini boleh menempati: {wards}.",
        "By sex and age, this person may use: {wards}.",
        "Pilih salah satu ruang itu.", "Choose one of these wards.",
    ),
    "already-has-bed": refusal(
        409,
        "Sudah punya tempat", "Has a bed already",
        "Orang ini sudah menempati sebuah tempat tidur.", "This person already has a bed.",
        "Catat dahulu bahwa ia keluar dari sana.", "First record that this person has left that bed.",
    ),
    "has-no-bed": refusal(
        409,
        "Tidak menempati tempat tidur", "Has no bed",
        "Orang ini tidak menempati tempat tidur mana pun.", "This person has no bed.",
        "Tidak ada yang perlu dicatat.", "There is nothing to record.",
    ),
    "no-bed-free": refusal(
        409,
        "Tidak ada tempat kosong", "No bed is free",
        "Ruang ini penuh. Yang terdekat dan masih ada tempat: {instead}.",
        "This ward is full. The nearest with a free bed: {instead}.",
        "Rujuk ke rumah aman lain, atau pilih ruang lain.", "Refer to another shelter, or choose another ward.",
    ),
    "not-safe-to-return": refusal(
        409,
        "Tidak aman untuk pulang", "Not safe to return",
        "Tidak seorang pun dipulangkan ke tempat yang tidak aman.", "Nobody is returned to a place that is not safe.",
        "Rencanakan tujuan lain bersama korban.", "Plan another destination with the victim.",
    ),
    "not-signed": refusal(
        409,
        "Belum ditandatangani", "Not signed",
        "Serah terima hanya berlaku bila kedua pihak menandatangani.",
        "A hand-over is valid only when both sides have signed.",
        "Catat setelah berita acara ditandatangani.", "Record it after the hand-over report is signed.",
    ),
    "leg-out-of-order": refusal(
        409,
        "Urutan perjalanan keliru", "Leg out of order",
        "Serah terima terakhir dicatat di: {last}.", "The last hand-over on record was at: {last}.",
        "Catat tahap berikutnya, atau betulkan catatan yang lalu.",
        "Record a later leg, or correct the earlier record.",
    ),
    "after-care-ended": refusal(
        409,
        "Bina lanjut sudah selesai", "After-care has ended",
        "Bina lanjut orang ini sudah dinyatakan selesai.", "The after-care of this person has ended.",
        "Betulkan catatan akhirnya bila keliru.", "Correct the record of its end if that was a mistake.",
    ),
}  # fmt: skip
"""Problem code → status and texts."""
