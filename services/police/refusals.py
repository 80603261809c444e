"""Problem texts of the police's own forms."""

from collections.abc import Mapping

from shared.domain.refusal import Refusal, refusal

REFUSALS: Mapping[str, Refusal] = {
    "why-required": refusal(
        409,
        "Alasan wajib diisi", "A reason is required",
        "Keputusan ini berbeda dari yang disarankan oleh jawaban.",
        "This decision differs from what the answers suggest.",
        "Isi why dengan alasan, atau periksa lagi jawabannya.", "State the reason in why, or check the answers.",
    ),
    "not-convicted": refusal(
        409,
        "Tidak ada yang dipidana", "Nobody was convicted",
        "Restitusi hanya diperintahkan kepada yang dipidana.",
        "Restitution can be ordered only from a convicted person.",
        "Periksa amar putusan (verdict) dan restitution_ordered.", "Check verdict and restitution_ordered.",
    ),
    "interview-reason-required": refusal(
        409,
        "Korban sudah pernah diperiksa", "The victim has been interviewed before",
        "Korban sudah diperiksa {times} kali oleh semua instansi bersama-sama.",
        "The victim has been interviewed {times} times by all agencies together.",
        "Baca keterangan yang ada; bila pemeriksaan tetap perlu, isi reason dengan alasannya.",
        "Read the earlier statement; if an interview is still needed, state why in reason.",
    ),
    "officer-not-trained": refusal(
        409,
        "Penyidik belum terlatih", "The officer is not trained for this",
        "Penyidik ini tidak punya pelatihan {module} yang masih berlaku pada hari itu.",
        "This officer has no training in {module} that was valid on that day.",
        "Tugaskan penyidik yang terlatih, atau catat pelatihannya dengan officer-training.",
        "Assign a trained officer, or record the training with officer-training.",
    ),
}  # fmt: skip
"""Problem code → status and texts."""
