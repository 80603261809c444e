"""Commands of a case and of a journey: open, register, record a stage, close."""

from typing import Annotated

from pydantic import Field

from shared.contracts.codes import AgeClass, Exploitation, JourneyOutcome, Sex, Stage
from shared.contracts.types import COUNTRY, Code, Id, Region, UnitId
from shared.domain.commands import Command, example
from shared.domain.identity import Identity


class OpenCase(Command):
    """Open a case: one trafficking incident, found by a unit of this agency."""

    case_id: Id | None = None
    unit: UnitId
    channel: Code
    exploitation: Exploitation
    destination: Annotated[str, Field(pattern=COUNTRY)] | None = Field(
        default=None, description="The country of destination (ISO 3166 alpha-2)."
    )


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
