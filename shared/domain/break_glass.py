"""Commands of a break-glass: open, end and review it. And its rules: how many, and which desk reviews."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from shared.contracts.codes import BreakGlassReason, Verdict
from shared.domain.commands import Asked, Note, example, whole
from shared.domain.refusal import Refused

MOST_UNJUDGED = 3
"""One person's break-glasses without a review, over all victims, that block a new one."""


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


def require_other_desk(reviewer: str, opener: str, has_desk_above: bool) -> None:
    """Raise Refused("other-desk-needed") where the desk that opened the break-glass would review it itself.

    ``reviewer``, ``opener``: ids of units. A desk above the opener may always review. The topmost desk of an agency
    has none above it. There another human of the same desk reviews, because no other agency can.
    """
    if reviewer == opener and has_desk_above:
        raise Refused("other-desk-needed")
