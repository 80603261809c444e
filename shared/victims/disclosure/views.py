"""HTTP answers about disclosures."""

from pydantic import BaseModel, Field

from shared.contracts.codes import DisclosureEnd, IdentityField, KeptBecause
from shared.contracts.types import Id, Moment
from shared.victims.sealed.tables import DisclosureRow


class DisclosureView(BaseModel):
    """A disclosure: data of a victim that this agency gave or received, and how the disclosure ended.

    ``given`` is true for data that this agency gave; ``agency`` is the other side.
    """

    referral_id: Id = Field(description="The id of the referral; or of the delivered record, which lists no fields.")
    given: bool
    agency: str
    fields: list[IdentityField]
    basis: str
    consent_id: Id | None
    against_withdrawal: bool = Field(
        description="Bertentangan dengan pencabutan persetujuan Anda / against your withdrawal of consent."
    )
    at: Moment
    end: DisclosureEnd | None
    kept_because: KeptBecause | None
    ended_at: Moment | None


def disclosure_view(row: DisclosureRow) -> DisclosureView:
    """The view of a disclosure."""
    return DisclosureView.model_validate({**row.model_dump(), "referral_id": row.given_with})


class DisclosureList(BaseModel):
    """The disclosures of a victim's identity, given and received, oldest first."""

    items: list[DisclosureView]
