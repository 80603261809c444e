"""The commands of a referral. A request body *is* a command; the answers are views."""

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.codes import (
    CancellationReason,
    FailReason,
    HoldReason,
    InformationKind,
    Kind,
    LegalBasis,
    NormGap,
    Outcome,
    Priority,
    RefusalReason,
    RejectReason,
)
from shared.contracts.types import Code, DeskRef, Flag, Id, Region, UnitId
from shared.domain.commands import Asked, Command, Noted, example


class Receiver(BaseModel):
    """The receiving desk: a named unit, or the desk that serves a region."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    agency: Code
    unit: UnitId | None = None
    region: Region | None = None


class Request(Noted):
    """Create a referral or transfer for a victim."""

    victim_id: Id
    kind: Kind = Kind.REFERRAL
    service: Code
    receiver: Receiver
    priority: Priority = Priority.ROUTINE
    basis: LegalBasis
    replaces: Id | None = Field(default=None, description="The referral that this one follows after a refusal.")
    force: Flag = Field(default=False, description="Request even if the same request is live or the desk is full.")


class Receive(Command):
    """Confirm that the request has arrived. The receiver's service does this by itself."""


class Accept(Noted):
    """Accept the referral; for a transfer, also take custody."""


class CheckCustody(Asked):
    """Ask coordination whether the sender of a transfer has custody of the victim. No field is needed."""


class Reject(Noted):
    """Reject the referral, with a coded reason; ``other`` needs a note.
    After a transfer was accepted, ``sender-without-custody`` gives the custody back: a supervisor, with a note.
    """

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
