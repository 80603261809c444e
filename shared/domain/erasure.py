"""Legal holds and erasures: commands, the terms of a legal hold, and whose word of an erasure counts."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import Field

from shared.contracts.codes import HoldBasis
from shared.contracts.types import AskedMoment, Flag, Id
from shared.domain.commands import Asked, Command, Noted, example
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


class PlaceHold(Noted):
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


class DecideErasure(Asked):
    """Approve or refuse an erasure, as a second person. Destroyed keys cannot be restored."""

    model_config = example(erasure_id="0193f0a2-7a10-7000-8000-00000000000a", approved=True)

    erasure_id: Id
    approved: Flag


class ErasureCause(StrEnum):
    """Why something was erased here, in the list of erasures."""

    ASKED = "asked"
    """A person asked here, and a second person decided."""
    RETENTION = "retention"
    """The time was over for which the notice allows to keep it."""
    ERASURE = "erasure"
    """Another agency told us of an erasure."""
    WITHDRAWAL = "withdrawal"
    """Another agency told us of a withdrawal."""


MOST_HANDS = 3
"""How often a withdrawal or an erasure may be passed on, each time with the signed event before inside."""


@dataclass(frozen=True, slots=True)
class Word:
    """A withdrawal or an erasure that ``sender`` told us, and the agency that said it first (``origin``).

    ``custody_proven``: each agency before the sender took custody over from the next one, as it signed itself.
    """

    sender: str
    origin: str
    custody_proven: bool = False

    @property
    def passed_on(self) -> bool:
        """Whether the sender passes on what another agency said."""
        return self.sender != self.origin


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of agencies in a victim, as far as known here.

    ``gave``: agencies that gave us text. ``working_for``: senders of a referral that we took on. ``stands``: no
    custody is known here, and the sender is among those who ``stand_together``.
    """

    us: str
    coordinator: str | None
    holder: str | None
    gave: frozenset[str]
    working_for: frozenset[str]
    stands: bool


def stand_together(asked: AbstractSet[str], denied: AbstractSet[str], by: AbstractSet[str]) -> bool:
    """Whether agencies stand together for a custody holder whom nobody has told us of.

    ``asked``: all who ever asked us, and all of them must say the same. ``denied``: those whose custody we denied, also
    after we had accepted it. They alone speak for no holder.
    """
    return asked <= by and bool(asked - denied)


def may_say(word: Word, parts: Parts) -> bool:
    """Whether an erasure of this word counts here at all, at least for what its sender gave us.

    A word that is passed on counts only from an agency that gave us something. Where a custody holder is known here,
    that holder or a giver must have said it first.
    """
    if {word.sender, word.origin} & {parts.us, parts.coordinator}:
        return False
    if not word.passed_on:
        return word.sender in parts.gave | parts.working_for | {parts.holder} or parts.stands
    if word.sender not in parts.gave | {parts.holder}:
        return False
    handed_over = word.sender == parts.holder and word.custody_proven
    return parts.holder is None or handed_over or word.origin in parts.gave | {parts.holder}


def decides_over_all(word: Word, parts: Parts) -> bool:
    """Whether an erasure of this word reaches also what we wrote ourselves: the word of the custody holder alone.

    Where no custody is known here, those who ``stand_together`` stand for the holder. A word that is passed on counts
    only if each agency signed that it took the custody over.
    """
    if word.passed_on and not word.custody_proven:
        return False
    return word.sender == parts.holder or parts.stands
