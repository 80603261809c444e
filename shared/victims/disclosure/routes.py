"""HTTP route: the disclosures of a victim."""

from enum import Enum

from fastapi import APIRouter
from sqlmodel import Session

from shared.http.admission import GuardedRoute, SightDep
from shared.http.dependencies import DatabaseDep, IdPath
from shared.http.openapi import responses
from shared.victims.disclosure import store, views
from shared.victims.disclosure.views import DisclosureList
from shared.victims.register.store import see_concerned

router = APIRouter(prefix="/v1", route_class=GuardedRoute)
RIGHTS: list[str | Enum] = ["hak korban"]


@router.get(
    "/victims/{victim_id}/disclosures",
    tags=RIGHTS,
    summary="Yang diberikan dan diterima / What was given and received",
    responses=responses("unknown-victim", "not-responsible"),
)
def list_disclosures(victim_id: IdPath, sight: SightDep, database: DatabaseDep) -> DisclosureList:
    """Untuk tiap pemberian data: isiannya, penerima atau pemberinya, dasarnya, dan akhirnya.

    For each disclosure: its fields, its receiver or giver, its legal basis and its end.
    """

    def look(session: Session) -> DisclosureList:
        see_concerned(session, sight, victim_id)
        rows = store.disclosures_of(session, victim_id)
        return DisclosureList(items=[views.disclosure_view(row) for row in rows])

    return database.read(look)
