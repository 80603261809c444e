"""Referrals: create, list, read, act, history and notes."""

import inspect
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Response
from sqlalchemy import select
from sqlmodel import Session, col

from shared.casework.referrals import custody_check, execution, notes, requesting
from shared.casework.referrals.actions import ACTIONS, Action
from shared.casework.referrals.views import History, Note, NoteList, ReferralPage, history_item
from shared.contracts.codes import Status
from shared.contracts.types import REGION, UNIT, UUID7
from shared.domain.commands import Noted
from shared.domain.referral_commands import CheckCustody, Request
from shared.domain.refusal import Refused
from shared.http.admission import GuardedRoute, SightDep
from shared.http.caller_at_desk import CallerAtDeskDep
from shared.http.dependencies import (
    ETAG,
    DatabaseDep,
    IdPath,
    LongPollDep,
    NowDep,
    OfficeDep,
    PageDep,
    PostingDep,
    PurposeQuery,
)
from shared.http.idempotency import StoredResponse
from shared.http.limits import limit_identities
from shared.http.openapi import COMMANDED, NOTED, next_steps, responses
from shared.service.referral_view import ReferralView, referral_view
from shared.storage import ledger, referrals, visibility
from shared.storage.pages import newest_first
from shared.storage.tables import OutboxEntry, ReferralRow
from shared.storage.unit_of_work import Transaction

router = APIRouter(prefix="/v1", tags=["rujukan"], route_class=GuardedRoute)

IfMatch = Annotated[
    str,
    Header(
        alias="If-Match",
        description="ETag dari GET rujukan ini, atau `*`. / The ETag of a GET of this referral, or `*`.",
        pattern=ETAG,
        examples=["*", '"2.0"'],
    ),
]


def _operation(action: str) -> str:
    return action.replace("-", "_")


@router.post(
    "/referrals",
    status_code=201,
    response_model=ReferralView,
    summary="Buat rujukan atau pelimpahan / Create a referral or transfer",
    responses=next_steps(201, "referral_id", "see_referral", "see_history", "see_notes", *map(_operation, ACTIONS))
    | responses(
        "unknown-victim",
        "unknown-referral",
        "duplicate",
        "transfer-already-open",
        "not-responsible",
        "not-custody-holder",
        "no-such-route",
        "kind-not-on-route",
        "unknown-unit",
        "unknown-region",
        "journey-closed",
        "desk-asks-itself",
        "desk-is-full",
        "urgent-needs-supervisor",
        "forcing-needs-supervisor",
        "no-consent",
        "not-a-child",
        "guardian-part-missing",
        "basis-not-for-service",
        "against-withdrawal",
        *NOTED,
    ),
)
def create_referral(command: Request, caller: CallerAtDeskDep, posting: PostingDep) -> Response:
    """Setelah jawaban 201, rujukan ini pasti sampai tepat satu kali, juga bila jaringan atau layanan lain sedang mati.

    After the answer 201 this referral arrives exactly once, also while the network or other services are down.
    """

    def work(tx: Transaction) -> StoredResponse:
        row = requesting.request(caller.acting(tx), command)
        view = referral_view(row, tx.now)
        return StoredResponse(201, view, f"/v1/referrals/{row.id}", execution.etag(row))

    return posting.once(command, work)


# a coroutine, as in ``shared.http.dependencies``: FastAPI would run a plain function in a thread
async def _filter(
    role: Annotated[Literal["incoming", "outgoing"] | None, Query()] = None,
    status: Annotated[Status | None, Query()] = None,
    unit: Annotated[str | None, Query(max_length=48, pattern=UNIT)] = None,
    region: Annotated[str | None, Query(pattern=REGION)] = None,
    victim_id: Annotated[str | None, Query(pattern=UUID7)] = None,
    overdue: Annotated[Literal["true"] | None, Query(description="`true`: hanya yang lewat batas waktu")] = None,
) -> referrals.ReferralFilter:
    return referrals.ReferralFilter(role, status, unit, region, victim_id, overdue is not None)


@router.get("/referrals", summary="Daftar rujukan / List referrals", responses=responses("unknown-cursor"))
def list_referrals(
    office: OfficeDep,
    database: DatabaseDep,
    sight: SightDep,
    now: NowDep,
    wanted: Annotated[referrals.ReferralFilter, Depends(_filter)],
    page: PageDep,
) -> ReferralPage:
    """Terbaru dahulu. Kode provinsi mencakup semua kabupaten/kotanya.

    Newest first. The code of a province covers all of its regencies.
    """

    def look(session: Session) -> ReferralPage:
        conditions = [visibility.referrals(sight), *referrals.conditions(wanted, office.code, now)]
        rows, more = newest_first(session, office.vault, ReferralRow, conditions, page)
        return ReferralPage(items=[referral_view(row, now) for row in rows], next=more)

    return database.read(look)


@router.get(
    "/referrals/{referral_id}",
    response_model=ReferralView,
    summary="Lihat rujukan / See a referral",
    responses={304: {"description": "Tidak berubah / not changed"}, **responses("unknown-referral")},
)
async def see_referral(
    referral_id: IdPath,
    database: DatabaseDep,
    sight: SightDep,
    poll: LongPollDep,
) -> Response:
    """Dengan `Prefer: wait=20` dan `If-None-Match`, jawaban menunggu sampai rujukan berubah, atau sampai rujukan ada.

    With `Prefer: wait=20` and `If-None-Match` the answer waits until the referral changes, or until it exists.
    """

    wanted = select(ReferralRow).where(col(ReferralRow.id) == referral_id, visibility.referrals(sight))

    def look(session: Session) -> tuple[str, ReferralView] | None:
        row = session.scalars(wanted).first()
        if row is None:
            return None
        return execution.etag(row), referral_view(row, database.now())

    response = await poll.until_changed(referral_id, lambda: database.read(look))
    if response is None:
        raise Refused("unknown-referral")
    return response


@router.post(
    "/referrals/{referral_id}/custody-check",
    status_code=202,
    response_model=ReferralView,
    summary="Tanyakan tanggung jawab pengirim / Ask about the sender's custody",
    responses=next_steps(202, "referral_id", "see_referral", "accept", "reject")
    | responses("unknown-referral", "not-your-move", "not-an-open-transfer", "no-coordinator", *COMMANDED),
)
def check_custody(referral_id: IdPath, command: CheckCustody, caller: CallerAtDeskDep, posting: PostingDep) -> Response:
    """Gugus tugas menjawab dengan peristiwa: `sender_custody` rujukan ini berubah. Tunggu dengan GET rujukan, `Prefer:
    wait=20` dan `If-None-Match: <ETag jawaban ini>`. Bertanya lagi tidak berbahaya.

    The task force answers with an event, and `sender_custody` of this referral changes. Wait with a GET of the
    referral, `Prefer: wait=20` and `If-None-Match: <ETag of this answer>`. To ask again does no harm.
    """

    def work(tx: Transaction) -> StoredResponse:
        row = custody_check.ask(caller.acting(tx), referral_id)
        return StoredResponse(202, referral_view(row, tx.now), etag=execution.etag(row))

    return posting.once(command, work)


@router.get(
    "/referrals/{referral_id}/history",
    summary="Riwayat rujukan / A referral's history",
    responses=responses("unknown-referral"),
)
def see_history(referral_id: IdPath, database: DatabaseDep, sight: SightDep) -> History:
    """Setiap peristiwa yang dikirim dan diterima, dengan tanda terimanya.

    Each event sent and received, with its receipt.
    """

    def look(session: Session) -> History:
        known = select(col(ReferralRow.id)).where(col(ReferralRow.id) == referral_id, visibility.referrals(sight))
        if session.scalars(known).first() is None:
            raise Refused("unknown-referral")
        entries = ledger.of_referral(session, referral_id)
        ids = [entry.event_id for entry in entries]
        owed = {
            row.event_id: row for row in session.scalars(select(OutboxEntry).where(col(OutboxEntry.event_id).in_(ids)))
        }
        return History(items=[history_item(entry, owed.get(entry.event_id), sight) for entry in entries])

    return database.read(look)


@router.get(
    "/referrals/{referral_id}/notes",
    summary="Catatan petugas (dicatat) / Notes of officers (logged)",
    dependencies=[Depends(limit_identities)],
    responses=responses("unknown-referral"),
)
def see_notes(
    referral_id: IdPath, purpose: PurposeQuery, caller: CallerAtDeskDep, database: DatabaseDep, response: Response
) -> NoteList:
    """Catatan bebas di samping keputusan. Hanya bagi satuan yang menulisnya, penanggung jawab korban, dan satuan yang
    sedang melayani. Setiap pembacaan dicatat dalam transaksi yang sama.

    Free text beside a decision. Only for the desk that wrote it, the responsible desk, and desks at work. Each reading
    is logged in the same transaction.
    """
    response.headers["Cache-Control"] = "no-store"
    found = database.write(lambda tx: notes.read(caller.acting(tx), referral_id, purpose))
    return NoteList(items=[Note(event_id=event_id, text=text) for event_id, text in found.items()])


def _add_action(name: str, action: Action) -> None:
    def act(
        referral_id: IdPath, command: Any, if_match: IfMatch, caller: CallerAtDeskDep, posting: PostingDep
    ) -> Response:
        expected = None if if_match == "*" else if_match

        def work(tx: Transaction) -> StoredResponse:
            row = execution.execute_for(caller.acting(tx), referral_id, command, expected)
            return StoredResponse(200, referral_view(row, tx.now), etag=execution.etag(row))

        return posting.once(command, work)

    act.__annotations__["command"] = action.command
    act.__name__ = _operation(name)
    act.__doc__ = f"{action.about}\n\n{inspect.getdoc(action.command)}"
    router.post(
        f"/referrals/{{referral_id}}/{name}",
        response_model=ReferralView,
        summary=action.summary,
        responses=responses(
            "unknown-referral",
            "not-your-move",
            "move-not-allowed",
            "referral-ended",
            "precondition-failed",
            "precondition-required",
            *action.refusals,
            *(NOTED if issubclass(action.command, Noted) else COMMANDED),
        ),
    )(act)


for _name, _action in ACTIONS.items():
    _add_action(_name, _action)
