"""Command: announce the capacity of a desk."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from shared.contracts.codes import Capacity
from shared.contracts.types import Code
from shared.domain.commands import Command, whole


class AnnounceCapacity(Command):
    """Announce a desk's capacity for one of its services, and for how many hours the announcement is valid."""

    service: Code
    capacity: Capacity
    hours: Annotated[int, Field(ge=1, le=168, strict=True), BeforeValidator(whole)] = 24
