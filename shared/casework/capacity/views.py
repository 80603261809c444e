"""HTTP answers about the capacity of desks."""

from pydantic import BaseModel, Field

from shared.contracts.codes import Capacity, Level
from shared.contracts.types import Facts, Moment


class CapacityWord(BaseModel):
    """The capacity that a desk has announced for a service, until ``valid_until`` (UTC)."""

    agency: str
    unit: str
    service: str
    capacity: Capacity
    announced_at: Moment
    valid_until: Moment


class DeskCapacity(BaseModel):
    """A desk (satuan) and its capacity; ``capacity`` is null where no announcement is valid now."""

    agency: str
    unit: str
    level: Level
    region: str
    name: str
    name_en: str
    capacity: Capacity | None
    valid_until: Moment | None
    described: dict[str, Facts] = Field(
        description="Formulir → isian: apa yang diumumkan satuan tentang dirinya / form → the announced fields."
    )


class CapacityList(BaseModel):
    """Desks for a service and a region, nearest first."""

    items: list[DeskCapacity]
