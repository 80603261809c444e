"""Commands of a case and of a journey: open, register, record a stage, close. ``ENDINGS``: what precedes an end."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from shared.contracts.codes import AgeClass, Exploitation, JourneyOutcome, Sex, Stage
from shared.contracts.types import COUNTRY, Code, Flag, Id, Region, UnitId
from shared.domain.commands import Asked, Noted, example
from shared.domain.identity import Identity
from shared.domain.noting import THIS_OUTCOME, require_note
from shared.domain.refusal import Refused


class OpenCase(Noted):
    """Open a case: one trafficking incident, found by a unit of this agency."""

    unit: UnitId
    channel: Code
    exploitation: Exploitation
    destination: Annotated[str, Field(pattern=COUNTRY)] | None = Field(
        default=None, description="The country of destination (ISO 3166 alpha-2)."
    )


class RegisterVictim(Noted):
    """Register a victim of a case. The unit that opened the case becomes the first custody holder."""

    model_config = example(age_class="adult", sex="female", home_region="73.71")

    age_class: AgeClass
    sex: Sex
    home_region: Region | None = None
    identity: Identity | None = None


class RecordStage(Noted):
    """The custody holder records a stage of the journey."""

    model_config = example(stage="identification")

    stage: Stage


class CloseJourney(Noted):
    """The custody holder closes the journey. ``ENDINGS`` says what must precede each outcome."""

    model_config = example(outcome="reintegrated")

    outcome: JourneyOutcome


class DecideClosure(Asked):
    """Confirm or refuse the end of a journey, as a second person."""

    model_config = example(closure_id="0193f0a2-7a10-7000-8000-00000000000b", approved=True)

    closure_id: Id
    approved: Flag


@dataclass(frozen=True, slots=True)
class Ending:
    """What an outcome of a journey asks for.

    ``after``: the stages that the holder's agency has recorded. ``noted``: a note says what happened. ``two_people``:
    a second person confirms, for an adult too.
    """

    after: frozenset[Stage] = frozenset()
    noted: bool = False
    two_people: bool = False


ENDINGS: Mapping[JourneyOutcome, Ending] = {
    JourneyOutcome.REINTEGRATED: Ending(after=frozenset({Stage.REINTEGRATION, Stage.AFTER_CARE})),
    JourneyOutcome.RETURNED_ABROAD: Ending(after=frozenset({Stage.REPATRIATION})),
    JourneyOutcome.VICTIM_DECLINED: Ending(noted=True),
    JourneyOutcome.LOST_CONTACT: Ending(noted=True),
    JourneyOutcome.DECEASED: Ending(noted=True),
    JourneyOutcome.REGISTERED_BY_MISTAKE: Ending(noted=True, two_people=True),
}
"""Outcome → what must precede it. Nobody can plan a death or a lost contact, so no stage precedes those."""

SOON = timedelta(days=30)
"""An end after which the data would be erased sooner than this needs a second person."""


def check_ending(command: CloseJourney, recorded: Iterable[str]) -> None:
    """Raise Refused unless what must precede the outcome is there: ``stages-missing`` or ``note-required``.

    ``recorded``: the stages that the holder's agency has recorded.
    """
    ending = ENDINGS[command.outcome]
    if missing := ending.after.difference(recorded):
        raise Refused("stages-missing", field="outcome", missing=", ".join(s for s in Stage if s in missing))
    if ending.noted:
        require_note(command.note, THIS_OUTCOME)


def needs_second_person(outcome: JourneyOutcome, age: AgeClass, kept_for: timedelta) -> bool:
    """Whether two people end this journey: of a child, of unknown age, or with an outcome that asks for it.

    ``kept_for``: how long the data is kept after the end. Destroyed keys cannot be restored.
    """
    return ENDINGS[outcome].two_people or age is not AgeClass.ADULT or kept_for < SOON
