"""Capacity: a desk announces whether it can take people on, and the services it has. Referring desks read that
first."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from shared.contracts.codes import Capacity, Level
from shared.contracts.types import CODE, REGION, UNIT, Facts, Moment
from shared.domain import commands as c
from shared.domain.routing import Unit
from shared.service import capacity
from shared.service.admission import GuardedRoute, SightDep
from shared.service.changes import IfNoneMatch, Prefer, held_list, tag_of
from shared.service.dependencies import ChangesDep, DatabaseDep, OfficeDep, PostingDep
from shared.service.idempotency import Answer
from shared.service.problems import COMMANDED, responses
from shared.storage.agency_tables import CapacityRow
from shared.storage.database import Transaction

router = APIRouter(prefix="/v1", tags=["daya tampung"], route_class=GuardedRoute)
MOST = 50


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
        description="Formulir → isian: apa yang diumumkan satuan tentang dirinya / form → what the desk says of itself."
    )


class CapacityList(BaseModel):
    """Desks for a service and a region, nearest first."""

    items: list[DeskCapacity]


@router.post(
    "/desks/{unit}/capacity",
    status_code=201,
    response_model=CapacityWord,
    summary="Umumkan daya tampung / Announce capacity",
    responses=responses("unknown-unit", "unknown-service", "not-your-unit", *COMMANDED),
)
def announce_capacity(
    unit: Annotated[str, Path(pattern=UNIT, max_length=48, description="Satuan / a desk of this agency.")],
    command: c.AnnounceCapacity,
    office: OfficeDep,
    sight: SightDep,
    posting: PostingDep,
) -> Response:
    """Semua instansi diberi tahu. Pengumuman berlaku selama `hours` jam. Pada `no-capacity`, rujukan yang tidak darurat
    ditolak di instansi pengirim, dengan menyebut satuan lain yang masih menerima."""

    def work(tx: Transaction) -> Answer:
        row = capacity.announce(tx, office, sight, unit, command)
        return Answer(201, CapacityWord.model_validate(row, from_attributes=True))

    return posting.once(command, work)


@router.get(
    "/capacity",
    response_model=CapacityList,
    summary="Daya tampung, yang terdekat dahulu / Capacity, nearest first",
    responses={
        304: {"description": "Tidak berubah / not changed"},
        **responses("unknown-region", "unknown-agency", "unknown-service"),
    },
)
async def list_capacity(
    office: OfficeDep,
    database: DatabaseDep,
    changes: ChangesDep,
    agency: Annotated[str, Query(pattern=CODE, max_length=48)],
    service: Annotated[str, Query(pattern=CODE, max_length=48)],
    region: Annotated[str, Query(pattern=REGION, description="Wilayah korban / where the victim is.")],
    prefer: Prefer = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Satuan yang melayani wilayah itu, lalu satuan lain yang sudah mengumumkan daya tampungnya. `described` berisi
    kemampuan satuan. `Prefer: wait=20` menunggu perubahan."""
    office.directory.service(agency, service)

    def look(session: Session) -> tuple[str, CapacityList]:
        now = database.clock()
        words = capacity.standing(session, agency, service, now)
        desks = capacity.nearest(office, words, agency, region, now)[:MOST]
        said = capacity.descriptions(session, agency, [desk.id for desk in desks])
        page = CapacityList(items=[_view(desk, words.get(desk.id), said.get(desk.id, {})) for desk in desks])
        return tag_of(page.model_dump_json()), page

    return await held_list(changes, capacity.WATCHED, lambda: database.read(look), prefer, if_none_match)


def _view(desk: Unit, word: CapacityRow | None, described: dict[str, Facts]) -> DeskCapacity:
    return DeskCapacity(
        agency=desk.agency,
        unit=desk.id,
        level=desk.level,
        region=desk.region,
        name=desk.name.id,
        name_en=desk.name.en,
        capacity=Capacity(word.capacity) if word else None,
        valid_until=word.valid_until if word else None,
        described=described,
    )
