"""HTTP answers about erasures and legal holds."""

from pydantic import BaseModel

from shared.contracts.codes import HoldBasis
from shared.contracts.types import Id, Moment
from shared.domain.erasure import HoldEnd
from shared.victims.erasure.tables import ErasureRow
from shared.victims.sealed.tables import HoldRow


class HoldView(BaseModel):
    """A legal hold (penahanan penghapusan): while it stands, this agency erases nothing of the victim.

    It ends by itself at ``stands_until``: earlier than ``until`` while no second person has confirmed it.
    """

    victim_id: Id
    basis: HoldBasis
    unit: str
    person: str | None
    placed_at: Moment
    until: Moment
    stands_until: Moment
    confirmed_person: str | None
    confirmed_at: Moment | None
    lifted_at: Moment | None
    end: HoldEnd | None


def hold_view(row: HoldRow) -> HoldView:
    """The view of a legal hold."""
    return HoldView.model_validate(row, from_attributes=True)


class HoldList(BaseModel):
    """The legal holds of a victim."""

    items: list[HoldView]


class HoldPage(BaseModel):
    """One page of legal holds, newest first. Send ``next`` as ``cursor`` for the following page."""

    items: list[HoldView]
    next: str | None


class ErasureView(BaseModel):
    """A request to erase a victim's identity, here and at every holder.

    ``approved``: the decision of a second person; null while it is pending. ``…_by`` is a client, ``…_person`` the
    pseudonym of the human; empty where the token named none.
    """

    erasure_id: Id
    victim_id: Id
    asked_by: str
    asked_person: str
    unit: str
    asked_at: Moment
    approved: bool | None
    decided_by: str | None
    decided_person: str | None
    decided_at: Moment | None


def erasure_view(row: ErasureRow) -> ErasureView:
    """The view of an erasure."""
    return ErasureView(
        erasure_id=row.id,
        victim_id=row.victim_id,
        asked_by=row.client,
        asked_person=row.person,
        unit=row.unit,
        asked_at=row.asked_at,
        approved=row.approved,
        decided_by=row.decided_by,
        decided_person=row.decided_person,
        decided_at=row.decided_at,
    )


class ErasurePage(BaseModel):
    """One page of erasure requests, newest first. Send ``next`` as ``cursor`` for the following page."""

    items: list[ErasureView]
    next: str | None
