"""Commands of legal holds and erasures: place, confirm, lift, ask, decide. And the terms of a legal hold."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import Field

from shared.contracts.codes import HoldBasis
from shared.contracts.types import AskedMoment, Flag, Id
from shared.domain.commands import Asked, Command, example
from shared.domain.refusal import Refused

CONFIRM_WITHIN = timedelta(days=14)
"""A second person confirms a legal hold within this time, or the hold lapses."""
HOLD_TERMS: Mapping[HoldBasis, timedelta] = {
    HoldBasis.INVESTIGATION: timedelta(days=180),
    HoldBasis.TRIAL: timedelta(days=365),
    HoldBasis.RESTITUTION: timedelta(days=365),
    HoldBasis.AUDIT: timedelta(days=90),
}
"""Basis → the longest term of one legal hold. A local standard, not a term of the law.

Where more time is needed, the next hold is placed, which again takes two people."""


class HoldEnd(StrEnum):
    """How a legal hold ended."""

    LIFTED = "lifted"
    UNCONFIRMED = "unconfirmed"
    """No second person confirmed it in time."""
    TERM = "term"
    """Its term is over."""


class PlaceHold(Command):
    """Forbid the erasure of a person's data, until a moment, because the law needs them."""

    model_config = example(basis="trial")

    basis: HoldBasis
    until: AskedMoment | None = Field(default=None, description="Its end; without one, the whole term of its basis.")


class ConfirmHold(Asked):
    """Confirm, as a second person, the legal hold of a basis, so that it stands until its end."""

    model_config = example(basis="trial")

    basis: HoldBasis


def hold_until(command: PlaceHold, now: datetime) -> datetime:
    """The end of a legal hold that is placed ``now`` (UTC). Raises Refused("hold-end-not-allowed")."""
    longest = now + HOLD_TERMS[command.basis]
    until = command.until or longest
    if not now < until <= longest:
        raise Refused("hold-end-not-allowed", field="until", days=str(HOLD_TERMS[command.basis].days))
    return until


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
