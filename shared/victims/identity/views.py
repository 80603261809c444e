"""HTTP answers about the access log."""

from pydantic import BaseModel, Field

from shared.contracts.types import Id, Moment
from shared.victims.identity.tables import AccessRow


class AccessView(BaseModel):
    """A row of the access log: who read which fields of a victim, with which right, and for what purpose."""

    victim_id: Id
    agency: str | None = Field(
        description="Instansi lain yang mencari lewat pembandingan; null bila kita sendiri, atau bila tidak boleh kita "
        "ketahui. / Another agency that searched by matching; null for ourselves, or where we may not know it."
    )
    client: str | None
    person: str | None
    role: str | None
    unit: str | None
    purpose: str
    right: str | None
    through: Id | None
    fields: list[str] = Field(description="Isian identitas, `note`, atau kode formulir / or the code of a form.")
    at: Moment


def access_view(row: AccessRow) -> AccessView:
    """The view of a row of the access log."""
    return AccessView.model_validate(row, from_attributes=True)


class AccessPage(BaseModel):
    """One page of the access log, newest first. Send ``next`` as ``cursor`` for the following page."""

    items: list[AccessView]
    next: str | None
