"""Tables: erasures asked for here, and our answer to each withdrawal or erasure. All moments are in UTC."""

from datetime import datetime
from typing import Any

from sqlmodel import Field

from shared.domain.erasure import ErasureCause
from shared.storage.agency_tables import AgencyStored
from shared.storage.columns import Ident, Json, UtcMoment, Word
from shared.storage.tables import ascending_key


class AnswerRow(AgencyStored, table=True):
    """A notice of a withdrawal or an erasure from ``sender`` (ourselves, if made here), and our answer.

    Each sender decides over what that sender gave us, so the notice of each sender is applied once. A repeated notice
    is only answered again.
    """

    __tablename__ = "obeyed"

    cause_id: str = Field(sa_type=Ident, primary_key=True)
    sender: str = Field(sa_type=Word, primary_key=True)
    cause: str = Field(max_length=100)
    """The type of the event that brought the notice."""
    victim_id: str = Field(sa_type=Ident, index=True)
    end: str = Field(sa_type=Word)
    kept_because: str | None = Field(default=None, sa_type=Word)
    fields: Any = Field(sa_type=Json)
    first_said_by: str | None = Field(default=None, sa_type=Word)
    """The agency that said it first, where ``sender`` passed it on."""
    at: datetime = Field(sa_type=UtcMoment)


class ErasureRow(AgencyStored, table=True):
    """An erasure asked for here, with the decision of a second person (``approved``: None until then).

    Also each erasure or withdrawal that was carried out on the word of another agency (``said_by``). Also each erasure
    at the end of the retention. These have no client.
    """

    __tablename__ = "erasures"

    number: int | None = ascending_key()
    id: str = Field(sa_type=Ident, index=True)
    victim_id: str = Field(sa_type=Ident, index=True)
    cause: str = Field(default=ErasureCause.ASKED, sa_type=Word)
    said_by: str | None = Field(default=None, sa_type=Word)
    """The agency that said it first. None: we did."""
    passed_on_by: str | None = Field(default=None, sa_type=Word)
    end: str | None = Field(default=None, sa_type=Word)
    kept_because: str | None = Field(default=None, sa_type=Word)
    client: str | None = Field(default=None, max_length=100)
    person: str | None = Field(default=None, max_length=200)
    unit: str | None = Field(default=None, sa_type=Word)
    asked_at: datetime = Field(sa_type=UtcMoment)
    approved: bool | None = None
    decided_by: str | None = Field(default=None, max_length=100)
    decided_person: str | None = Field(default=None, max_length=200)
    decided_at: datetime | None = Field(default=None, sa_type=UtcMoment)
