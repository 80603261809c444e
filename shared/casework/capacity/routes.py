"""Capacity: a desk announces whether it can take people on, and the services it has. Referring desks read that
first."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from sqlmodel import Session

from shared.casework.capacity import announcing as capacity
from shared.casework.capacity import store
from shared.casework.capacity.tables import CapacityRow
from shared.casework.capacity.views import CapacityList, CapacityWord, DeskCapacity
from shared.contracts.codes import Capacity
from shared.contracts.types import CODE, REGION, UNIT, Facts
from shared.domain.capacity import AnnounceCapacity
from shared.domain.routing import Unit
from shared.http.admission import GuardedRoute
from shared.http.caller_at_desk import CallerAtDeskDep
from shared.http.dependencies import DatabaseDep, LongPollDep, OfficeDep, PostingDep
from shared.http.idempotency import StoredResponse
from shared.http.long_polling import tag_of
from shared.http.openapi import COMMANDED, responses
from shared.storage.notifier import Topic
from shared.storage.unit_of_work import Transaction

router = APIRouter(prefix="/v1", tags=["daya tampung"], route_class=GuardedRoute)
MOST = 50


@router.post(
    "/desks/{unit}/capacity",
    status_code=201,
    response_model=CapacityWord,
    summary="Umumkan daya tampung / Announce capacity",
    responses=responses("unknown-unit", "unknown-service", "not-your-unit", *COMMANDED),
)
def announce_capacity(
    unit: Annotated[str, Path(pattern=UNIT, max_length=48, description="Satuan / a desk of this agency.")],
    command: AnnounceCapacity,
    caller: CallerAtDeskDep,
    posting: PostingDep,
) -> Response:
    """Semua instansi diberi tahu. Pengumuman berlaku selama `hours` jam. Pada `no-capacity`, rujukan yang tidak darurat
    ditolak di instansi pengirim, dengan menyebut satuan lain yang masih menerima.

    All agencies are told. The announcement holds for `hours` hours. At `no-capacity`, referrals that are not urgent are
    refused at the sender. The refusal names other desks with room.
    """

    def work(tx: Transaction) -> StoredResponse:
        row = capacity.announce(caller.acting(tx), unit, command)
        return StoredResponse(201, CapacityWord.model_validate(row, from_attributes=True))

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
    poll: LongPollDep,
    agency: Annotated[str, Query(pattern=CODE, max_length=48)],
    service: Annotated[str, Query(pattern=CODE, max_length=48)],
    region: Annotated[str, Query(pattern=REGION, description="Wilayah korban / where the victim is.")],
) -> Response:
    """Satuan yang melayani wilayah itu, lalu satuan lain yang sudah mengumumkan daya tampungnya. `described` berisi
    kemampuan satuan. `Prefer: wait=20` menunggu perubahan.

    The desk that serves the region, then other desks that have announced their capacity. `described` says what a desk
    can do. `Prefer: wait=20` waits for a change.
    """
    office.directory.service(agency, service)

    def look(session: Session) -> tuple[str, CapacityList]:
        now = database.now()
        announcements = store.valid_announcements(session, agency, service, now)
        desks = store.nearest(office, announcements, agency, region, now)[:MOST]
        said = store.descriptions(session, agency, [desk.id for desk in desks])
        page = CapacityList(items=[_view(desk, announcements.get(desk.id), said.get(desk.id, {})) for desk in desks])
        return tag_of(page.model_dump_json()), page

    return await poll.list_until_changed(Topic.CAPACITY, lambda: database.read(look))


def _view(desk: Unit, announced: CapacityRow | None, described: dict[str, Facts]) -> DeskCapacity:
    return DeskCapacity(
        agency=desk.agency,
        unit=desk.id,
        level=desk.level,
        region=desk.region,
        name=desk.name.id,
        name_en=desk.name.en,
        capacity=Capacity(announced.capacity) if announced else None,
        valid_until=announced.valid_until if announced else None,
        described=described,
    )
