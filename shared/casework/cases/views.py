"""HTTP answers about a case and about the end of a journey."""

from pydantic import BaseModel, Field

from shared.casework.cases.tables import ClosureRow
from shared.contracts.codes import Exploitation, FactsBasis, JourneyOutcome
from shared.contracts.types import Id, Moment, VictimFacts
from shared.victims.register.facts import facts_of
from shared.victims.register.tables import CaseRow, FactsCorrectionRow, VictimRow


class CaseView(BaseModel):
    """A case (kasus): one trafficking incident, with the pseudonyms of its victims."""

    id: Id
    unit: str
    region: str
    channel: str
    exploitation: Exploitation
    destination: str | None
    opened_at: Moment
    victims: list[Id] = []


class FactsCorrection(BaseModel):
    """A correction of the facts of a victim. It applies at once, or after a second person has confirmed it."""

    correction_id: Id
    victim_id: Id
    facts: VictimFacts
    basis: FactsBasis
    asked_by: str
    asked_at: Moment
    confirmed_by: str | None
    applied_at: Moment | None = Field(
        description="Kosong: menunggu orang kedua. / Empty: a second person must confirm it."
    )


def correction_view(row: FactsCorrectionRow) -> FactsCorrection:
    """The view of a correction."""
    return FactsCorrection(
        correction_id=row.id,
        victim_id=row.victim_id,
        facts=facts_of(row),
        basis=FactsBasis(row.basis),
        asked_by=row.client,
        asked_at=row.asked_at,
        confirmed_by=row.confirmed_by,
        applied_at=row.applied_at,
    )


def case_view(row: CaseRow, victims: list[VictimRow]) -> CaseView:
    """The view of a case."""
    return CaseView(
        id=row.id,
        unit=row.unit,
        region=row.region,
        channel=row.channel,
        exploitation=Exploitation(row.exploitation),
        destination=row.destination,
        opened_at=row.opened_at,
        victims=[victim.id for victim in victims],
    )


class ClosureView(BaseModel):
    """The end of a journey (penutupan). ``approved``: null while it waits for a second person.

    ``occurred_at`` is the told moment, ``asked_at`` the recorded one. ``decided_by`` stays null where one person
    sufficed.
    """

    closure_id: Id
    victim_id: Id
    outcome: JourneyOutcome
    occurred_at: Moment
    asked_by: str
    unit: str
    asked_at: Moment
    approved: bool | None
    decided_by: str | None
    decided_at: Moment | None


def closure_view(row: ClosureRow) -> ClosureView:
    """The view of a closure."""
    return ClosureView(
        closure_id=row.id,
        victim_id=row.victim_id,
        outcome=JourneyOutcome(row.outcome),
        occurred_at=row.occurred_at,
        asked_by=row.client,
        unit=row.unit,
        asked_at=row.asked_at,
        approved=row.approved,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
    )


class ClosurePage(BaseModel):
    """One page of closures, newest first. Send ``next`` as ``cursor`` for the following page."""

    items: list[ClosureView]
    next: str | None


class ClosureNote(BaseModel):
    """The note beside an end of a journey. ``text``: null where there is none, or where the caller may not read it."""

    text: str | None
