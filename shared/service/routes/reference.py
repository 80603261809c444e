"""Reference data: the declaration of this agency, and the units of the network."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from shared.contracts.codes import Kind, Level, Stage
from shared.contracts.types import CODE, REGION
from shared.service.admission import GuardedRoute
from shared.service.dependencies import Now, OfficeDep
from shared.service.problems import responses

router = APIRouter(prefix="/v1", tags=["acuan"], route_class=GuardedRoute)


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


@router.get("/agency", summary="Pernyataan instansi / The agency's declaration")
def see_agency(office: OfficeDep) -> AgencyView:
    """Layanan, saluran laporan, dan jalur rujukan instansi ini."""
    agency = office.agency
    services = [
        ServiceView(
            code=service.code,
            label=service.label.id,
            label_en=service.label.en,
            stage=service.stage,
            clock=clock.code,
            limit_hours=clock.limit.total_seconds() / 3600,
            basis=clock.basis,
        )
        for service, clock in ((service, office.clocks.by_code[service.clock]) for service in agency.services)
    ]
    return AgencyView(
        code=agency.code,
        label=agency.label.id,
        label_en=agency.label.en,
        subsatgas=agency.subsatgas,
        channels={code: text.id for code, text in agency.channels.items()},
        services=services,
        routes=[RouteView(agency=r.agency, service=r.service, kinds=sorted(r.kinds)) for r in agency.routes],
    )


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


@router.get("/units", summary="Cari satuan / Find units", responses=responses("unknown-region", "unknown-agency"))
def find_units(
    office: OfficeDep,
    now: Now,
    agency: Annotated[str, Query(pattern=CODE, max_length=48)],
    region: Annotated[str | None, Query(pattern=REGION)] = None,
    level: Level | None = None,
    serving: Annotated[str | None, Query(pattern=REGION, description="Satuan yang melayani wilayah ini")] = None,
) -> UnitList:
    """Dengan `serving` jawabannya satu satuan: yang terdekat di kabupaten/kota, lalu provinsi, lalu nasional."""
    on = now.date()
    if serving is not None:
        found = [office.units.desk_for(agency, serving, on, "serving")]
    else:
        found = office.units.find(agency, region, level, day=on)
    return UnitList(
        items=[
            UnitView(
                agency=unit.agency,
                unit=unit.id,
                level=unit.level,
                region=unit.region,
                name=unit.name.id,
                name_en=unit.name.en,
            )
            for unit in found
        ]
    )
