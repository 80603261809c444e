"""Proposals that two agencies know the same person: a machine proposes, people decide."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from shared.contracts.codes import MatchKind, MatchState, MatchStrength, SamePerson
from shared.contracts.types import DeskRef, Id, Moment
from shared.domain import commands as c
from shared.domain import matching
from shared.service import matches
from shared.service.admission import CallerDep, GuardedRoute, SightDep
from shared.service.changes import IfNoneMatch, Prefer, held_list, tag_of
from shared.service.dependencies import ChangesDep, Cursor, DatabaseDep, IdPath, Limit, OfficeDep, PostingDep
from shared.service.idempotency import Answer
from shared.service.problems import POSTING, responses
from shared.storage import seen
from shared.storage.agency_tables import MatchRow
from shared.storage.database import Transaction
from shared.storage.matches import in_state
from shared.storage.pages import newest_first

router = APIRouter(prefix="/v1", tags=["orang yang sama"], route_class=GuardedRoute)


class MatchView(BaseModel):
    """A proposal that our victim (``victim_id``) and another agency's victim (``other_id``) may be one person."""

    match_id: Id
    victim_id: Id
    other_id: Id
    other_desk: DeskRef = Field(description="Satuan yang dapat ditanya. / The desk to ask.")
    kinds: list[MatchKind] = Field(
        description="Yang sama pada keduanya, tanpa isinya. / What is the same, not what it is."
    )
    strength: MatchStrength
    proposed_at: Moment
    state: MatchState
    said: SamePerson | None = Field(description="Kata terakhir pihak kita. / The last word of our side.")
    said_at: Moment | None
    said_by: str | None = Field(description="The client that said it, where it was said here.")
    other_said: SamePerson | None


class MatchPage(BaseModel):
    """One page of proposals, newest first. Send ``next`` as ``cursor`` for the following page."""

    items: list[MatchView]
    next: str | None


class MatchSides(BaseModel):
    """A proposal after a decision, from each side that is ours; two items where both victims are ours."""

    items: list[MatchView]


@router.get(
    "/matches",
    response_model=MatchPage,
    summary="Mungkin orang yang sama / Proposals",
    responses={304: {"description": "Tidak berubah / not changed"}, **responses("unknown-cursor")},
)
async def list_matches(
    office: OfficeDep,
    sight: SightDep,
    database: DatabaseDep,
    changes: ChangesDep,
    state: Annotated[MatchState | None, Query(description="Keadaan usulan / how it stands")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
    prefer: Prefer = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Korban yang menjadi tanggung jawab satuan Anda dan mungkin sudah dikenal instansi lain. Mesin mengusulkan dari
    tanda pembanding; tidak ada data yang digabungkan. Terbaru dahulu. `Prefer: wait=20` menunggu perubahan."""
    conditions = [seen.matches(sight)] if state is None else [seen.matches(sight), in_state(state)]

    def look(session: Session) -> tuple[str, MatchPage]:
        rows, more = newest_first(session, office.vault, MatchRow, conditions, cursor, limit)
        page = MatchPage(items=[_view(row) for row in rows], next=more)
        return tag_of(page.model_dump_json()), page

    return await held_list(changes, matches.WATCHED, lambda: database.read(look), prefer, if_none_match)


@router.post(
    "/matches/{match_id}/decision",
    response_model=MatchSides,
    summary="Putuskan: orang yang sama atau bukan / Decide",
    responses=responses("unknown-match", *POSTING),
)
def decide_match(
    match_id: IdPath,
    command: c.DecideMatch,
    office: OfficeDep,
    caller: CallerDep,
    sight: SightDep,
    posting: PostingDep,
) -> Response:
    """Putuskan setelah bertanya kepada `other_desk`. Kedua korban terhubung hanya bila kedua pihak memutuskan
    `same-person`. Keputusan dapat diubah; yang terakhir dari tiap pihak berlaku."""

    def work(tx: Transaction) -> Answer:
        rows = matches.decide(tx, office, caller, sight, match_id, command)
        return Answer(200, MatchSides(items=[_view(row) for row in rows]))

    return posting.once(command, work)


def _view(row: MatchRow) -> MatchView:
    said, other_said = (SamePerson(one) if one else None for one in (row.said, row.other_said))
    return MatchView(
        match_id=row.match_id,
        victim_id=row.victim_id,
        other_id=row.other_id or "",
        other_desk=DeskRef(agency=row.other_agency or "", unit=row.other_unit or ""),
        kinds=[MatchKind(kind) for kind in row.kinds],
        strength=MatchStrength(row.strength or ""),
        proposed_at=row.proposed_at,
        state=matching.state(said, other_said),
        said=said,
        said_at=row.said_at,
        said_by=row.client,
        other_said=other_said,
    )
