"""HTTP answers about erasures and legal holds."""

from pydantic import BaseModel, Field

from shared.contracts.codes import DisclosureEnd, HoldBasis, KeptBecause
from shared.contracts.types import Id, Moment
from shared.domain.erasure import ErasureCause, HoldEnd
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
    """A request to erase a victim's identity, here and at every holder; or what was carried out here without one.

    ``approved``: the decision of a second person; null while it is pending. ``…_by`` is a client, ``…_person`` the
    pseudonym of the human; empty where the token named none.
    """

    erasure_id: Id = Field(
        description="Id penghapusan, atau id persetujuan yang ditarik / or of the withdrawn consent."
    )
    victim_id: Id
    cause: ErasureCause = Field(
        description="Diminta di sini, masa simpan berakhir, atau disampaikan instansi lain. / Asked here, end of the "
        "retention, or told by another agency."
    )
    said_by: str = Field(description="Instansi yang mengatakannya pertama / the agency that said it first.")
    passed_on_by: str | None = Field(description="Instansi yang meneruskannya / the agency that passed it on.")
    end: DisclosureEnd | None = Field(description="Akibatnya di sini / what became of the data here.")
    kept_because: KeptBecause | None
    asked_by: str | None
    asked_person: str | None
    unit: str | None
    asked_at: Moment
    approved: bool | None
    decided_by: str | None
    decided_person: str | None
    decided_at: Moment | None


def erasure_view(row: ErasureRow, us: str) -> ErasureView:
    """The view of an erasure. ``us``: our code."""
    return ErasureView(
        erasure_id=row.id,
        victim_id=row.victim_id,
        cause=ErasureCause(row.cause),
        said_by=row.said_by or us,
        passed_on_by=row.passed_on_by,
        end=DisclosureEnd(row.end) if row.end else None,
        kept_because=KeptBecause(row.kept_because) if row.kept_because else None,
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
    """One page of erasures, newest first. Send ``next`` as ``cursor`` for the following page."""

    items: list[ErasureView]
    next: str | None
