"""HTTP answers about match proposals."""

from pydantic import BaseModel, Field

from shared.contracts.codes import MatchKind, MatchState, MatchStrength, MatchTurn, SamePerson
from shared.contracts.types import DeskRef, Id, Moment
from shared.domain import matching
from shared.victims.matching.tables import MatchRow


class MatchView(BaseModel):
    """A proposal that our victim (``victim_id``) and another agency's victim may be one person."""

    match_id: Id
    victim_id: Id
    other_id: Id | None = Field(
        description="Korban lain, bila kedua pihak memutuskan `same-person`. / The other victim, once both sides said "
        "`same-person`."
    )
    other_desk: DeskRef | None = Field(
        description="Satuan lain, bila kedua pihak memutuskan `same-person`. / The other desk, once both said so."
    )
    kinds: list[MatchKind] = Field(
        description="Jenis data yang sama, tanpa isinya. / The kinds of data that are equal, without the data."
    )
    strength: MatchStrength
    proposed_at: Moment
    state: MatchState
    said: SamePerson | None = Field(description="Keputusan terakhir pihak kita. / The last decision of our side.")
    said_at: Moment | None
    said_by: str | None = Field(description="The client that decided, where the decision was made here.")
    other_said: SamePerson | None = Field(
        description="Hanya bila menutup atau menghubungkan. / Only where it closes or links the proposal."
    )
    turn: MatchTurn | None = Field(
        description="Pihak yang diminta memutuskan sekarang. / The side that is asked to decide now."
    )
    people: int | None = Field(
        description="Jumlah orang dengan satu nomor, bila terlalu banyak. / The people under one number, where "
        "they are too many."
    )
    withdrawn_at: Moment | None


class MatchPage(BaseModel):
    """One page of proposals, newest first. Send ``next`` as ``cursor`` for the following page."""

    items: list[MatchView]
    next: str | None


class MatchSides(BaseModel):
    """A proposal after a decision, from each side that is ours; two items where both victims are ours."""

    items: list[MatchView]


def match_view(row: MatchRow) -> MatchView:
    """The view of a proposal."""
    said, other_said = (SamePerson(one) if one else None for one in (row.said, row.other_said))
    desk = DeskRef(agency=row.other_agency, unit=row.other_unit or "") if row.other_agency else None
    return MatchView(
        match_id=row.match_id,
        victim_id=row.victim_id,
        other_id=row.other_id,
        other_desk=desk,
        kinds=[MatchKind(kind) for kind in row.kinds],
        strength=MatchStrength(row.strength or ""),
        proposed_at=row.proposed_at,
        state=matching.state(said, other_said) if row.withdrawn_at is None else MatchState.WITHDRAWN,
        said=said,
        said_at=row.said_at,
        said_by=row.client,
        other_said=other_said,
        turn=MatchTurn(row.turn) if row.turn else None,
        people=row.people,
        withdrawn_at=row.withdrawn_at,
    )
