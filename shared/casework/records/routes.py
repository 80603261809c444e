"""The forms of an agency's own work: one operation to file each form, and the records that were filed."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response
from sqlalchemy import select
from sqlmodel import Session, col

from shared.casework.records import delivery, reading, store
from shared.casework.records import filing as records
from shared.casework.records.filing import Effect
from shared.casework.records.tables import RecordRow
from shared.casework.records.views import (
    FormList,
    RecordList,
    RecordView,
    WholeRecord,
    form_view,
    record_view,
    whole_record,
)
from shared.contracts.types import UNIT
from shared.domain.access import DOERS, AccessRule, Target
from shared.domain.agency import Agency
from shared.domain.forms import Form, FormSubject, body_of, check_forms
from shared.domain.refusal import Refused
from shared.http.admission import GuardedRoute, SightDep
from shared.http.caller_at_desk import CallerAtDeskDep
from shared.http.dependencies import DatabaseDep, IdPath, LongPollDep, OfficeDep, PostingDep, PurposeQuery
from shared.http.idempotency import StoredResponse
from shared.http.limits import limit_identities
from shared.http.long_polling import tag_of
from shared.http.openapi import NOTED, responses
from shared.storage.unit_of_work import Transaction
from shared.victims.register import store as register
from shared.victims.register import visibility

UnitPath = Annotated[str, Path(pattern=UNIT, max_length=48, description="Satuan / a desk of this agency.")]
PLACES: Mapping[FormSubject, tuple[str, Any, Target, tuple[str, ...]]] = {
    FormSubject.CASE: ("/cases/{about}", IdPath, Target.CASE, ("unknown-case",)),
    FormSubject.VICTIM: ("/victims/{about}", IdPath, Target.VICTIM, ("unknown-victim", "not-responsible")),
    FormSubject.REFERRAL: ("/referrals/{about}", IdPath, Target.REFERRAL, ("unknown-referral", "not-responsible")),
    FormSubject.DESK: ("/desks/{about}", UnitPath, Target.UNIT, ("unknown-unit", "not-your-unit")),
}
"""Subject of a form → the path to file it, the type of its id, its access rule, its problems."""
FILING = ("unknown-record", "form-not-yet", "already-filed", "no-such-day", "unknown-region")


def rules_of(agency: Agency) -> dict[str, AccessRule]:
    """The access rule of each operation that files a form of the agency."""
    return {form.operation: AccessRule(DOERS, PLACES[form.about][2]) for form in agency.forms}


def router_of(agency: Agency, effects: Mapping[str, Effect]) -> APIRouter:
    """The operations that file the forms of an agency.

    Raises ValueError where the forms contradict each other, or an effect names no form.
    """
    check_forms(agency.forms)
    if unknown := effects.keys() - {form.code for form in agency.forms}:
        raise ValueError(f"no such form: {', '.join(sorted(unknown))}")
    router = APIRouter(prefix="/v1", tags=["formulir"], route_class=GuardedRoute)
    for form in agency.forms:
        _add(router, form, effects.get(form.code))
    return router


def _add(router: APIRouter, form: Form, effect: Effect | None) -> None:
    place, ident, _, refusals = PLACES[form.about]

    def file(about: str, filled: Any, caller: CallerAtDeskDep, posting: PostingDep) -> Response:
        def work(tx: Transaction) -> StoredResponse:
            row = records.file(caller.acting(tx), form, about, filled)
            if effect is not None:
                effect(tx, caller.office, row, records.values_of(form, filled))
            return StoredResponse(201, record_view(row), f"/v1/records/{row.id}")

        return posting.once(filled, work)

    file.__annotations__ |= {"about": ident, "filled": body_of(form)}
    file.__name__ = form.operation
    file.__doc__ = f"{form.basis}."
    router.post(
        f"{place}/forms/{form.code}",
        status_code=201,
        response_model=RecordView,
        summary=f"{form.label.id} / {form.label.en}",
        responses=responses(*refusals, *FILING, *_of_a_service(form), *form.refusals, *NOTED),
    )(file)


def _of_a_service(form: Form) -> tuple[str, ...]:
    """The further problems of a form for one service, and of a form that is delivered."""
    return ("not-of-this-service",) * bool(form.of_service) + delivery.REFUSED_CODES * bool(form.delivered)


router = APIRouter(prefix="/v1", tags=["formulir"], route_class=GuardedRoute)


@router.get("/forms", summary="Formulir instansi / The agency's forms")
def list_forms(office: OfficeDep) -> FormList:
    """Setiap formulir dengan isiannya, seperti tampil di kertas atau layar.

    Each form with its fields, as on paper or on a screen.
    """
    return FormList(items=[form_view(form) for form in office.agency.forms])


@router.get(
    "/cases/{case_id}/records", summary="Catatan kasus / Records of a case", responses=responses("unknown-case")
)
def list_case_records(case_id: IdPath, database: DatabaseDep, sight: SightDep) -> RecordList:
    """Hanya isian terbuka. Isian tersegel dibaca per catatan, dan pembacaannya dicatat.

    Clear fields only. Sealed fields are read for one record at a time, and the reading is logged.
    """

    def look(session: Session) -> RecordList:
        if register.load_case(session, case_id, visibility.cases(sight)) is None:
            raise Refused("unknown-case")
        return _list(session, sight, case_id)

    return database.read(look)


@router.get(
    "/victims/{victim_id}/records",
    response_model=RecordList,
    summary="Catatan korban / Records of a victim",
    responses={
        304: {"description": "Tidak berubah / not changed"},
        **responses("unknown-victim", "not-responsible"),
    },
)
async def list_victim_records(
    victim_id: IdPath,
    database: DatabaseDep,
    sight: SightDep,
    poll: LongPollDep,
) -> Response:
    """Hanya isian terbuka: dari semua satuan instansi ini, tentang rujukan korban, dan yang diserahkan instansi lain.
    `Prefer: wait=20` menunggu perubahan.

    Clear fields only: of all desks of this agency, about the victim's referrals, and delivered by other agencies.
    `Prefer: wait=20` waits for a change.
    """

    def look(session: Session) -> tuple[str, RecordList]:
        register.see_concerned(session, sight, victim_id)
        page = _rows(session, col(RecordRow.victim_id) == victim_id)
        return tag_of(page.model_dump_json()), page

    return await poll.list_until_changed(victim_id, lambda: database.read(look))


@router.get(
    "/desks/{unit}/records",
    summary="Catatan satuan / Records of a desk",
    responses=responses("unknown-unit", "not-your-unit"),
)
def list_desk_records(unit: UnitPath, office: OfficeDep, database: DatabaseDep, sight: SightDep) -> RecordList:
    """Hanya isian terbuka.

    Clear fields only.
    """
    sight.require(office.our_unit(unit, database.now().date()))
    return database.read(lambda session: _list(session, sight, unit))


@router.get(
    "/records/{record_id}",
    summary="Lihat catatan (dicatat) / See a record (logged)",
    dependencies=[Depends(limit_identities)],
    responses=responses("unknown-record"),
)
def see_record(
    record_id: IdPath, purpose: PurposeQuery, caller: CallerAtDeskDep, database: DatabaseDep, response: Response
) -> WholeRecord:
    """Isian tersegel hanya bagi satuan yang mengisi dan penanggung jawab korban. Setiap pembacaan dicatat dalam
    transaksi yang sama.

    Sealed fields only for the desk that filed it and the responsible desk. Each reading is logged in the same
    transaction.
    """
    response.headers["Cache-Control"] = "no-store"
    return database.write(lambda tx: whole_record(*reading.read(caller.acting(tx), record_id, purpose)))


def _list(session: Session, sight: Any, about: str) -> RecordList:
    return _rows(session, (col(RecordRow.about) == about) & store.visible(sight))


def _rows(session: Session, condition: Any) -> RecordList:
    rows = session.scalars(select(RecordRow).where(condition).order_by(col(RecordRow.number)))
    return RecordList(items=[record_view(row) for row in rows])
