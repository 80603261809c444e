"""Reference data: the declaration of this agency, and the units of the network."""

from typing import Annotated

from fastapi import APIRouter, Query

from shared.agency.reference.views import AgencyView, RouteView, ServiceView, UnitList, UnitView
from shared.contracts.codes import Level
from shared.contracts.types import CODE, REGION
from shared.http.admission import GuardedRoute
from shared.http.dependencies import NowDep, OfficeDep
from shared.http.openapi import responses
from shared.http.route_traits import route_traits

router = APIRouter(prefix="/v1", tags=["acuan"], route_class=GuardedRoute)


@router.get("/agency", summary="Pernyataan instansi / The agency's declaration")
@route_traits(cacheable=True)
def see_agency(office: OfficeDep) -> AgencyView:
    """Layanan, saluran laporan, dan jalur rujukan instansi ini.

    The services, channels and routes of this agency.
    """
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


@router.get("/units", summary="Cari satuan / Find units", responses=responses("unknown-region", "unknown-agency"))
@route_traits(cacheable=True)
def find_units(
    office: OfficeDep,
    now: NowDep,
    agency: Annotated[str, Query(pattern=CODE, max_length=48)],
    region: Annotated[str | None, Query(pattern=REGION)] = None,
    level: Level | None = None,
    serving: Annotated[str | None, Query(pattern=REGION, description="Satuan yang melayani wilayah ini")] = None,
) -> UnitList:
    """Dengan `serving` jawabannya satu satuan: yang terdekat di kabupaten/kota, lalu provinsi, lalu nasional.

    With `serving` the answer is one desk: the nearest in the regency, then the province, then the nation.
    """
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
