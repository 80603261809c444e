"""The commands of an agency's service. A request body *is* a command; responses are read models.

``occurred_at`` says when the fact happened, if not now (a paper answer entered later). ``note`` is free text. It
stays in the database of the agency that wrote it, and appears in no event, log or error.
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
    """Convert 2.0 to 2, because 2.0 is an integer in JSON Schema (validation 6.1.1)."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Text = Annotated[str, Field(min_length=1, max_length=200, pattern=PLAIN)]


LETTER_CODE_WRITTEN = r"^[A-Za-z][0-9A-Za-z]{3}-?[0-9A-Za-z]{4}-?[0-9A-Za-z]{4}$"
LetterCodeWritten = Annotated[str, Field(pattern=LETTER_CODE_WRITTEN)]
"""The code of a letter as a person copies it from paper. ``letters.read_code`` validates it.

It begins with a letter of the alphabet, so that no NIK and no telephone number has its form."""


class Asked(BaseModel):
    """A request body. Unknown fields are refused, because a misspelt field must not be lost in silence.

    An act that the request itself performs, such as a break-glass, happens now and has no ``occurred_at``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


class Command(Asked):
    """A request about a fact that may have happened earlier."""

    occurred_at: AskedMoment | None = Field(default=None, description="When it happened, if not now (RFC 3339).")


def when(command: Command, now: datetime) -> datetime:
    """When the commanded fact happened: ``occurred_at``, or ``now`` (UTC).

    Raises Refused: ``occurred-in-the-future`` or ``occurred-too-long-ago``.
    """
    at = command.occurred_at or now
    if at > now:
        raise Refused("occurred-in-the-future", field="occurred_at")
    if at <= EARLIEST:
        raise Refused("occurred-too-long-ago", field="occurred_at")
    return at


EASTERNMOST = timedelta(hours=9)
"""The UTC offset of the zone where a day begins first in Indonesia (WIT)."""


def is_past_day(day: str, now: datetime) -> bool:
    """Whether ``day`` (``2001-02-28``) is a calendar day that has begun somewhere in Indonesia. ``now``: UTC."""
    try:
        return date.fromisoformat(day) <= (now + EASTERNMOST).date()
    except ValueError:
        return False


def example(**fields: Any) -> ConfigDict:
    """The model configuration of a command, with one example for OpenAPI."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


class Noted(Command):
    """A command that may carry a note."""

    note: Note | None = None


SORTED = PlainSerializer(sorted, when_used="json")
"""Writes a set in sorted order, so that the same request gives the same text in every process."""


NIK = r"^[0-9]{16}$"
BORN_ON = r"^(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
PASSPORT = r"^[A-Za-z0-9][A-Za-z0-9 -]{3,18}[A-Za-z0-9]$"
PHONE = r"^\+?[0-9]{6,15}$"
NUMBER = r"^\+?[A-Za-z0-9][A-Za-z0-9 -]{3,18}[A-Za-z0-9]$"
"""The form of a number to search for: a NIK, a passport number or a telephone number."""


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
    """The identity of a victim. The holder alone keeps it. No field is required: half of a group of 723 had no NIK."""

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
    """The custody holder closes the journey, after after-care."""

    model_config = example(outcome="reintegrated")

    outcome: JourneyOutcome


class AnnounceCapacity(Command):
    """Announce a desk's capacity for one of its services, and for how many hours the announcement is valid."""

    service: Code
    capacity: Capacity
    hours: Annotated[int, Field(ge=1, le=168, strict=True), BeforeValidator(whole)] = 24


class Receiver(BaseModel):
    """The receiving desk: a named unit, or the desk that serves a region."""

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
    """Find a victim by a number. The search reads no stored number, because it compares keyed hashes."""

    model_config = example(field="nik", value="7401010101010001")

    field: Literal[IdentityField.NIK, IdentityField.PASSPORT, IdentityField.PHONE]
    value: Annotated[str, Field(pattern=NUMBER)]


class DecideMatch(Asked):
    """Decide whether both victims of a proposal are one person, after asking the desk of the other victim."""

    model_config = example(decision="same-person")

    decision: SamePerson


class RecordConsent(Command):
    """Record a person's consent, after the person was told the seven items of UU 27/2022 Ps 21(1).

    It replaces every earlier consent of the person. ``agrees`` is the person's own word, at every age.
    """

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
    """Record that a person withdraws a consent."""

    model_config = example()


class PlaceHold(Command):
    """Forbid the erasure of a person's data for as long as the law needs them."""

    model_config = example(basis="trial")

    basis: HoldBasis


class LiftHold(Asked):
    """Allow the erasure of a person's data again."""

    model_config = example()


class Erase(Command):
    """Ask for the erasure of a person at every holder: each destroys its keys. A second person decides."""

    model_config = example()

    erasure_id: Id | None = None


class DecideErasure(Asked):
    """Approve or refuse an erasure, as a second person. Destroyed keys cannot be restored."""

    model_config = example(erasure_id="0193f0a2-7a10-7000-8000-00000000000a", approved=True)

    erasure_id: Id
    approved: Flag


class BreakGlass(Asked):
    """Open an identity in an emergency, without the right to see it, for some minutes. The custody holder is told."""

    model_config = example(reason="life-in-danger", minutes=30, note="Tersangka menuju alamat korban.")

    reason: BreakGlassReason
    note: Note | None = None
    minutes: Annotated[int, Field(ge=1, le=60, strict=True), BeforeValidator(whole)]


class EndBreakGlass(Asked):
    """End a break-glass before its time is over."""

    model_config = example()


class ReviewBreakGlass(Asked):
    """Review a break-glass as a second person, within 24 hours."""

    model_config = example(verdict="justified")

    verdict: Verdict


class IssueLetter(Asked):
    """Print a referral for desks that work on paper: the referral letter, or the slip for the answer."""

    model_config = example(kind="reply-slip")

    kind: Literal[LetterKind.REFERRAL_LETTER, LetterKind.REPLY_SLIP]


class PrintRecord(Asked):
    """Print a record for signing by hand."""

    model_config = example()


class PaperAnswer(Command):
    """Enter the answer on a reply slip that has come back, with its signer and the moment of signing.

    ``note`` is the text written on the slip. The reason ``other`` needs a note.
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
    """Confirm that the request has arrived. The receiver's service does this by itself."""


class Accept(Noted):
    """Accept the referral; for a transfer, also take custody."""


class Reject(Noted):
    """Reject the referral, with a coded reason; ``other`` needs a note."""

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
    """Resume the work."""


class Complete(Noted):
    """Complete the work, with a coded outcome."""

    model_config = example(outcome="service-provided")

    outcome: Outcome


class Fail(Noted):
    """End the work without completing it, with a coded reason; ``other`` needs a note."""

    model_config = example(reason="cannot-locate")

    reason: FailReason
    norm_gap: NormGap | None = None


class AnswerCancellation(Noted):
    """Grant or refuse the cancellation that the sender asked for. A refusal needs a reason."""

    model_config = example(granted=True)

    granted: Flag
    reason: RefusalReason | None = None


class RequestCancellation(Noted):
    """Ask the receiver to cancel the referral."""

    model_config = example(reason="not-needed")

    ask_id: Id | None = None
    reason: CancellationReason


class ProvideInformation(Noted):
    """Tell the receiver that there is new information."""

    model_config = example(about="medical")

    about: InformationKind


class Remind(Command):
    """Remind the receiver that the sender is waiting."""
