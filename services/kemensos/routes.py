"""The list of shelters with a free bed: numbers only, no victim."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.kemensos import beds
from services.kemensos.shelter import wards_for
from shared.contracts.codes import AgeClass, Sex
from shared.contracts.types import REGION
from shared.domain.refusal import Refused
from shared.http.admission import GuardedRoute
from shared.http.dependencies import DatabaseDep, OfficeDep
from shared.http.openapi import responses

router = APIRouter(prefix="/v1", tags=["rumah aman"], route_class=GuardedRoute)


class WardView(BaseModel):
    """A ward (ruang) of a shelter, with its beds and the free ones."""

    ward: str
    beds: int
    free: int


class ShelterView(BaseModel):
    """A shelter (rumah aman) and those of its wards that have a free bed for this person."""

    unit: str
    name: str
    region: str
    wards: list[WardView]


class ShelterList(BaseModel):
    """Shelters with a free bed, the nearest first."""

    items: list[ShelterView] = Field(description="Only those with a free bed.")


@router.get(
    "/shelters", summary="Rumah aman yang masih menerima / Shelters with a bed", responses=responses("unknown-region")
)
def list_shelters(
    office: OfficeDep,
    database: DatabaseDep,
    region: Annotated[str, Query(pattern=REGION, description="Wilayah korban / where the victim is.")],
    sex: Sex = Sex.UNSPECIFIED,
    age_class: AgeClass = AgeClass.UNKNOWN,
) -> ShelterList:
    """Yang terdekat dahulu, dengan ruang yang boleh ditempati orang dengan jenis kelamin dan kelompok usia itu.

    The nearest first, with the rooms that a person of that sex and age class may take.
    """
    if not office.units.is_region(region):
        raise Refused("unknown-region", field="region")
    allowed, found = wards_for(sex, age_class), database.read(beds.counts)
    wards: dict[str, list[WardView]] = {}
    for (unit, ward), (taken, there) in sorted(found.items()):
        if ward in allowed and there > taken:
            wards.setdefault(unit, []).append(WardView(ward=ward, beds=there, free=there - taken))
    views = []
    for unit in beds.nearest(office, wards, region):
        desk = office.units.units[office.code, unit][-1]
        views.append(ShelterView(unit=unit, name=desk.name.id, region=desk.region, wards=wards[unit]))
    return ShelterList(items=views)
