"""Answers of the HTTP API about an agency and its desks."""

from pydantic import BaseModel

from shared.contracts.codes import Kind, Level, Stage


class ServiceView(BaseModel):
    """A service of this agency, and its clock by national law. A local standard may shorten the limit."""

    code: str
    label: str
    label_en: str
    stage: Stage
    clock: str
    limit_hours: float
    basis: str


class RouteView(BaseModel):
    """Another agency that this agency may refer to, for which service, and whether custody may move."""

    agency: str
    service: str
    kinds: list[Kind]


class AgencyView(BaseModel):
    """The declaration of this agency: services, reporting channels, and referral routes."""

    code: str
    label: str
    label_en: str
    subsatgas: str
    channels: dict[str, str]
    services: list[ServiceView]
    routes: list[RouteView]


class UnitView(BaseModel):
    """A unit (satuan): a desk of an agency."""

    agency: str
    unit: str
    level: Level
    region: str
    name: str
    name_en: str


class UnitList(BaseModel):
    """Units, sorted by agency, region and id."""

    items: list[UnitView]
