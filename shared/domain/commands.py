"""What can be asked of a referral. A request body *is* a command; the answers are read models.

``occurred_at`` is when it happened, where that is not now (a paper answer entered later). ``note`` is free text:
it stays in the database of the agency that wrote it and is in no event, log or error.
"""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from shared.contracts.codes import (
    AgeClass,
    BreakGlassReason,
    CancellationReason,
    Capacity,
    ConsentManner,
    ConsentPurpose,
    Exploitation,
    FailReason,
    GuardianPart,
    HoldBasis,
    HoldReason,
    IdentityField,
    InformationKind,
    JourneyOutcome,
    Kind,
    LegalBasis,
    LetterKind,
    NormGap,
    Outcome,
    Priority,
    RefusalReason,
    RejectReason,
    SamePerson,
    Sex,
    Stage,
    Verdict,
)
from shared.contracts.types import EARLIEST, PLAIN, AskedMoment, Code, DeskRef, Flag, Id, NoticeVersion, Region, UnitId
from shared.domain.refusal import Refused

Note = Annotated[str, Field(max_length=4000, pattern=PLAIN, description="Stays with the agency that wrote it.")]


def whole(value: Any) -> Any:
    """2.0 is a whole number in JSON Schema (validation 6.1.1)."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Text = Annotated[str, Field(min_length=1, max_length=200, pattern=PLAIN)]


LETTER_CODE_WRITTEN = r"^[A-Za-z][0-9A-Za-z]{3}-?[0-9A-Za-z]{4}-?[0-9A-Za-z]{4}$"
LetterCodeWritten = Annotated[str, Field(pattern=LETTER_CODE_WRITTEN)]
"""The code of a letter as somebody copies it from paper; it begins with a letter, so that no NIK and no telephone
number has its form. ``letters.read_code`` tells whether it is one."""


class Asked(BaseModel):
    """Something asked. Unknown fields are refused: a misspelt one must not be lost in silence.

    What happens by being asked, such as a look, cannot have happened at another time than now.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


class Command(Asked):
    """Something asked that may have happened before."""

    occurred_at: AskedMoment | None = Field(default=None, description="When it happened, if not now (RFC 3339).")


def when(command: Command, now: datetime) -> datetime:
    """When what is commanded happened: ``occurred_at``, or ``now`` (UTC). Raises Refused."""
    at = command.occurred_at or now
    if at > now:
        raise Refused("occurred-in-the-future", field="occurred_at")
    if at <= EARLIEST:
        raise Refused("occurred-too-long-ago", field="occurred_at")
    return at


EASTERNMOST = timedelta(hours=9)
"""Where in Indonesia a day begins first (WIT)."""


def is_past_day(day: str, now: datetime) -> bool:
    """Whether this (``2001-02-28``) is a day of the calendar that has begun somewhere in Indonesia. ``now``: UTC."""
    try:
        return date.fromisoformat(day) <= (now + EASTERNMOST).date()
    except ValueError:
        return False


def example(**fields: Any) -> ConfigDict:
    """The configuration of a command that shows how it is written."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


class Noted(Command):
    """A command that may carry a note."""

    note: Note | None = None


SORTED = PlainSerializer(sorted, when_used="json")
"""A set is written in one order, so that the same request is the same text in every process."""


NIK = r"^[0-9]{16}$"
BORN_ON = r"^(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
PASSPORT = r"^[A-Za-z0-9][A-Za-z0-9 -]{3,18}[A-Za-z0-9]$"
PHONE = r"^\+?[0-9]{6,15}$"
NUMBER = r"^\+?[A-Za-z0-9][A-Za-z0-9 -]{3,18}[A-Za-z0-9]$"
"""A NIK, the number of a passport or a telephone number, to search for."""


class OpenCase(Command):
    """Open a case: one trafficking incident, found by a unit of this agency."""

    case_id: Id | None = None
    unit: UnitId
    channel: Code
    exploitation: Exploitation
    destination: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = Field(
        default=None, description="Country the victims were bound for (ISO 3166 alpha-2)."
    )


class Identity(BaseModel):
    """Who a victim is. Kept by the holder alone. Nothing is required: half of a group of 723 had no NIK."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"examples": [{"name": "Contoh Rekaan", "phone": "+620000000000"}]},
    )

    name: Text | None = None
    nik: Annotated[str, Field(pattern=NIK)] | None = None
    passport: Annotated[str, Field(pattern=PASSPORT)] | None = Field(
        default=None, description="The number of a passport, or of the paper in place of one (SPLP)."
    )
    born_on: Annotated[str, Field(pattern=BORN_ON)] | None = None
    phone: Annotated[str, Field(pattern=PHONE)] | None = None
    address: Text | None = None
    statement: Annotated[str, Field(min_length=1, max_length=4000, pattern=PLAIN)] | None = Field(
        default=None, description="What the victim has told, so that nobody has to tell it twice."
    )
    safe_house: Text | None = Field(default=None, description="Where the victim is sheltered; its own recipients.")


class RegisterVictim(Command):
    """Register a victim of a case. The unit that opened the case becomes the first custody holder."""

    model_config = example(age_class="adult", sex="female", home_region="73.71")

    victim_id: Id | None = None
    age_class: AgeClass
    sex: Sex
    home_region: Region | None = None
    identity: Identity | None = None


class RecordStage(Command):
    """The custody holder records a stage of the journey."""

    model_config = example(stage="identification")

    stage: Stage


class CloseJourney(Command):
    """The custody holder ends the journey, after after-care."""

    model_config = example(outcome="reintegrated")

    outcome: JourneyOutcome


class AnnounceCapacity(Command):
    """Say whether a desk can take anybody on for one of its services, and for how long that may be believed."""

    service: Code
    capacity: Capacity
    hours: Annotated[int, Field(ge=1, le=168, strict=True), BeforeValidator(whole)] = 24


class Receiver(BaseModel):
    """Which desk is asked: a named unit, or the one that serves a region."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    agency: Code
    unit: UnitId | None = None
    region: Region | None = None


class Request(Noted):
    """Create a referral or transfer for a victim."""

    referral_id: Id | None = None
    victim_id: Id
    kind: Kind = Kind.REFERRAL
    service: Code
    receiver: Receiver
    priority: Priority = Priority.ROUTINE
    basis: LegalBasis
    replaces: Id | None = Field(default=None, description="The referral that this one follows after a refusal.")
    force: Flag = Field(default=False, description="Ask although the same request is live, or the desk full.")


class Search(Asked):
    """Find a victim by a number, without anybody reading a number."""

    model_config = example(field="nik", value="7401010101010001")

    field: Literal[IdentityField.NIK, IdentityField.PASSPORT, IdentityField.PHONE]
    value: Annotated[str, Field(pattern=NUMBER)]


class DecideMatch(Asked):
    """Say whether a victim and the other of a proposal are one person, after asking the desk that has the other."""

    model_config = example(decision="same-person")

    decision: SamePerson


class RecordConsent(Command):
    """What a person agrees to, after they were told the seven items of UU 27/2022 Ps 21(1). Replaces what they
    agreed to before. ``agrees`` is the person's own word, at every age."""

    consent_id: Id | None = None
    notice: NoticeVersion
    purposes: Annotated[frozenset[ConsentPurpose], Field(min_length=1), SORTED]
    fields: Annotated[frozenset[IdentityField], Field(min_length=1), SORTED]
    recipients: Annotated[frozenset[Code], Field(min_length=1, max_length=20), SORTED]
    valid_until: AskedMoment
    manner: ConsentManner
    agrees: Flag
    guardian: GuardianPart = GuardianPart.NONE


class WithdrawConsent(Command):
    """The person takes their consent back."""

    model_config = example()


class PlaceHold(Command):
    """Forbid the erasure of a person's data for as long as the law needs them."""

    model_config = example(basis="trial")

    basis: HoldBasis


class LiftHold(Asked):
    """Allow erasure again."""

    model_config = example()


class Erase(Command):
    """Ask that a person be erased everywhere: every holder destroys the keys of what it holds. A second person
    decides."""

    model_config = example()

    erasure_id: Id | None = None


class DecideErasure(Asked):
    """A second person says whether somebody is erased: what is destroyed comes back by no means."""

    model_config = example(erasure_id="0193f0a2-7a10-7000-8000-00000000000a", approved=True)

    erasure_id: Id
    approved: Flag


class BreakGlass(Asked):
    """Look at an identity without the right to, in an emergency: for a while, seen by the one responsible."""

    model_config = example(reason="life-in-danger", minutes=30, note="Tersangka menuju alamat korban.")

    reason: BreakGlassReason
    note: Note | None = None
    minutes: Annotated[int, Field(ge=1, le=60, strict=True), BeforeValidator(whole)]


class EndBreakGlass(Asked):
    """Look no more."""

    model_config = example()


class ReviewBreakGlass(Asked):
    """A second person judges it, within 24 hours."""

    model_config = example(verdict="justified")

    verdict: Verdict


class IssueLetter(Asked):
    """Print a referral for desks that work on paper: the letter itself, or the slip on which they answer."""

    model_config = example(kind="reply-slip")

    kind: Literal[LetterKind.REFERRAL_LETTER, LetterKind.REPLY_SLIP]


class PrintRecord(Asked):
    """Print a record, to be signed by hand."""

    model_config = example()


class PaperAnswer(Command):
    """Enter what stands on a reply slip that has come back: who signed it, and when that was.

    ``note`` is what was written on it; ``other`` needs one.
    """

    model_config = example(
        letter="K3M9-QXD7-R2TF", answer="rejected", reason="no-capacity", signed_by="Petugas Rekaan, kepala ruang",
        occurred_at="2026-11-24T09:30:00+08:00",
    )  # fmt: skip

    letter: LetterCodeWritten
    answer: Literal["accepted", "rejected"]
    reason: RejectReason | None = None
    note: Annotated[str, Field(max_length=3000, pattern=PLAIN, description="Stays with the agency.")] | None = None
    signed_by: Annotated[Text, Field(description="Stays with the agency that wrote it, as a note does.")]
    occurred_at: AskedMoment = Field(description="When it was signed (RFC 3339).")


class Receive(Command):
    """The receiver's service takes note. Done by itself when the request arrives."""


class Accept(Noted):
    """Take the referral; for a transfer, take responsibility."""


class Reject(Noted):
    """Refuse the referral, with a coded reason; ``other`` needs a note."""

    model_config = example(reason="no-capacity", note="Ruang rawat penuh.")

    reason: RejectReason
    better_desk: DeskRef | None = None
    norm_gap: NormGap | None = None


class Start(Noted):
    """Begin the work."""


class Hold(Noted):
    """Pause the work."""

    model_config = example(reason="awaiting-information")

    reason: HoldReason


class Resume(Noted):
    """Go on with the work."""


class Complete(Noted):
    """Say that the service has been given."""

    model_config = example(outcome="service-provided")

    outcome: Outcome


class Fail(Noted):
    """Say that the work will not reach its end; ``other`` needs a note."""

    model_config = example(reason="cannot-locate")

    reason: FailReason
    norm_gap: NormGap | None = None


class AnswerCancellation(Noted):
    """Grant or refuse the cancellation that the sender asked for. A refusal needs a reason."""

    model_config = example(granted=True)

    granted: Flag
    reason: RefusalReason | None = None


class RequestCancellation(Noted):
    """Ask the receiver to stop."""

    model_config = example(reason="not-needed")

    ask_id: Id | None = None
    reason: CancellationReason


class ProvideInformation(Noted):
    """Tell the receiver that there is something new."""

    model_config = example(about="medical")

    about: InformationKind


class Remind(Command):
    """Tell the receiver that you wait."""
