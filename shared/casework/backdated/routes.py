"""HTTP routes: facts that were told late."""

from fastapi import APIRouter, Depends, Response
from sqlmodel import Session

from shared.casework.backdated import reading
from shared.casework.backdated.views import BackdatedNote, BackdatedPage, backdated_view
from shared.http.admission import GuardedRoute, SightDep
from shared.http.caller_at_desk import CallerAtDeskDep
from shared.http.dependencies import DatabaseDep, IdPath, OfficeDep, PageDep, PurposeQuery
from shared.http.limits import limit_identities
from shared.http.openapi import responses
from shared.storage.agency_tables import BackdatedRow
from shared.storage.pages import newest_first

router = APIRouter(prefix="/v1", tags=["pengawasan"], route_class=GuardedRoute)


@router.get("/backdated", summary="Keterangan terlambat / Facts told late", responses=responses("unknown-cursor"))
def list_backdated(office: OfficeDep, sight: SightDep, database: DatabaseDep, page: PageDep) -> BackdatedPage:
    """Yang dilaporkan satuan Anda, dan satuan di bawahnya, lebih dari 24 jam setelah terjadi. Terbaru dahulu.

    What your desk, and those below, told more than 24 hours after it happened. Newest first.
    """

    def look(session: Session) -> BackdatedPage:
        rows, more = newest_first(session, office.vault, BackdatedRow, [reading.visible(sight)], page)
        return BackdatedPage(items=[backdated_view(row) for row in rows], next=more)

    return database.read(look)


@router.get(
    "/backdated/{backdated_id}/note",
    summary="Alasan keterlambatan (dicatat) / The note of a fact told late (logged)",
    dependencies=[Depends(limit_identities)],
    responses=responses("unknown-backdating", "unknown-victim"),
)
def see_backdated_note(
    backdated_id: IdPath, purpose: PurposeQuery, caller: CallerAtDeskDep, database: DatabaseDep, response: Response
) -> BackdatedNote:
    """Setiap pembacaan dicatat dalam transaksi yang sama.

    Each reading is logged in the same transaction, for the victim if there is one.
    """
    response.headers["Cache-Control"] = "no-store"
    return BackdatedNote(text=database.write(lambda tx: reading.read_note(caller.acting(tx), backdated_id, purpose)))
