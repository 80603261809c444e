"""The actions on a referral over HTTP: command, Indonesian words, and the problems of each."""

from dataclasses import dataclass

from shared.casework.referrals.refusals import GIVING_BACK
from shared.domain.commands import Command
from shared.domain.referral_commands import (
    Accept,
    AnswerCancellation,
    Complete,
    Fail,
    Hold,
    ProvideInformation,
    Reject,
    Remind,
    RequestCancellation,
    Resume,
    Start,
)


@dataclass(frozen=True, slots=True)
class Action:
    """One action on a referral over HTTP. ``about`` says in Indonesian what the docstring of its command says."""

    command: type[Command]
    summary: str
    about: str
    refusals: tuple[str, ...] = ()
    """The problems of this action, beside those of every action."""


ACTIONS: dict[str, Action] = {
    "accept": Action(
        Accept,
        "Terima / Accept",
        "Terima rujukan; pada pelimpahan, terima juga tanggung jawab.",
        ("custody-contested", "custody-held-here"),
    ),
    "reject": Action(
        Reject,
        "Tolak / Reject",
        "Tolak rujukan dengan kode alasan; `other` memerlukan catatan. Sesudah pelimpahan diterima, "
        "`sender-without-custody` mengembalikan tanggung jawab: oleh penyelia, dengan catatan.",
        ("unknown-unit", *GIVING_BACK),
    ),
    "start": Action(Start, "Mulai layani / Start", "Mulai pelayanan."),
    "hold": Action(Hold, "Tunda / Hold", "Tunda pelayanan untuk sementara."),
    "resume": Action(Resume, "Lanjutkan / Resume", "Lanjutkan pelayanan."),
    "complete": Action(Complete, "Selesaikan / Complete", "Selesaikan pelayanan dengan kode hasil."),
    "fail": Action(
        Fail,
        "Nyatakan gagal / Fail",
        "Akhiri pelayanan yang tidak selesai dengan kode alasan; `other` memerlukan catatan.",
        ("answer-the-cancellation-instead",),
    ),
    "answer-cancellation": Action(
        AnswerCancellation,
        "Jawab permintaan pembatalan / Answer a cancellation",
        "Kabulkan atau tolak pembatalan yang diminta pengirim. Penolakan memerlukan alasan.",
        ("no-cancellation-asked", "reason-required", "custody-has-moved"),
    ),
    "request-cancellation": Action(
        RequestCancellation,
        "Minta pembatalan / Ask for cancellation",
        "Minta penerima membatalkan rujukan.",
        ("cancellation-already-asked",),
    ),
    "provide-information": Action(
        ProvideInformation,
        "Beri informasi / Provide information",
        "Beri tahu penerima bahwa ada keterangan baru.",
        (
            *("no-consent", "not-a-child", "guardian-part-missing", "unknown-victim"),
            *("basis-not-for-service", "against-withdrawal"),
        ),
    ),
    "remind": Action(Remind, "Ingatkan / Remind", "Ingatkan penerima bahwa pengirim menunggu."),
}
"""Every action by name. The first eight belong to the receiver, the last three to the sender."""
