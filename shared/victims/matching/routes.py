"""HTTP routes: list proposals that two victims are one person, and decide them."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlmodel import Session

from shared.contracts.codes import MatchState
from shared.domain.matching import DecideMatch
from shared.http.admission import CallerDep, GuardedRoute, SightDep
from shared.http.caller_at_desk import CallerAtDeskDep
from shared.http.dependencies import DatabaseDep, IdPath, LongPollDep, OfficeDep, PageDep, PostingDep
from shared.http.idempotency import StoredResponse
from shared.http.long_polling import tag_of
from shared.http.openapi import POSTING, responses
from shared.storage.notifier import Topic
from shared.storage.pages import newest_first
from shared.storage.unit_of_work import Transaction
from shared.victims.matching import decide as matches
from shared.victims.matching import store
from shared.victims.matching.store import in_state
from shared.victims.matching.tables import MatchRow
from shared.victims.matching.views import MatchPage, MatchSides, match_view

router = APIRouter(prefix="/v1", tags=["orang yang sama"], route_class=GuardedRoute)


@router.get(
    "/matches",
    response_model=MatchPage,
    summary="Mungkin orang yang sama / Proposals",
    responses={304: {"description": "Tidak berubah / not changed"}, **responses("unknown-cursor")},
)
async def list_matches(
    office: OfficeDep,
    caller: CallerDep,
    sight: SightDep,
    database: DatabaseDep,
    poll: LongPollDep,
    page: PageDep,
    state: Annotated[MatchState | None, Query(description="Keadaan usulan / the state of the proposal")] = None,
) -> Response:
    """Korban yang menjadi tanggung jawab satuan Anda dan mungkin sudah dikenal instansi lain. Pihak lain baru disebut
    setelah kedua pihak memutuskan `same-person`. Usulan yang ditarik hanya tampak bagi penyelia dan auditor. Demikian
    juga korban di rumah aman atau dalam pelindungan, dan nomor milik terlalu banyak orang.

    Victims in your desk's care whom another agency may know already. The other side is named once both sides have
    decided `same-person`. Only supervisors and auditors see a withdrawn proposal. The same holds for victims in a safe
    house or under protection, and for a number of too many people.
    """
    conditions = [store.visible(sight, caller.role)] + ([] if state is None else [in_state(state)])

    def look(session: Session) -> tuple[str, MatchPage]:
        rows, more = newest_first(session, office.vault, MatchRow, conditions, page)
        shown = MatchPage(items=[match_view(row) for row in rows], next=more)
        return tag_of(shown.model_dump_json()), shown

    return await poll.list_until_changed(Topic.MATCHES, lambda: database.read(look))


@router.post(
    "/matches/{match_id}/decision",
    response_model=MatchSides,
    summary="Putuskan: orang yang sama atau bukan / Decide",
    responses=responses("unknown-match", "other-side-first", *POSTING),
)
def decide_match(match_id: IdPath, command: DecideMatch, caller: CallerAtDeskDep, posting: PostingDep) -> Response:
    """Putuskan dari yang Anda ketahui tentang korban Anda; satuan lain belum disebut. `turn` menyebut pihak yang
    memutuskan lebih dahulu. Kedua korban terhubung hanya bila kedua pihak memutuskan `same-person`. Keputusan dapat
    diubah; yang terakhir dari tiap pihak berlaku.

    Decide by what you know about your victim; the other desk is not named yet. `turn` says which side decides first.
    The two victims are linked only if both sides decide `same-person`. A decision can be changed; the last one of each
    side counts.
    """

    def work(tx: Transaction) -> StoredResponse:
        rows = matches.decide(caller.acting(tx), match_id, command)
        return StoredResponse(200, MatchSides(items=[match_view(row) for row in rows]))

    return posting.once(command, work)
