"""Commands of a break-glass: open, end and review it."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from shared.contracts.codes import BreakGlassReason, Verdict
from shared.domain.commands import Asked, Note, example, whole


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
