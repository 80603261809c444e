"""HTTP answers about facts that were told late."""

from pydantic import BaseModel, Field

from shared.contracts.types import Id, Moment
from shared.storage.agency_tables import BackdatedRow


class BackdatedView(BaseModel):
    """A fact that a desk told more than a day late. ``occurred_at`` is the told moment, ``recorded_at`` ours."""

    id: Id
    operation: str = Field(description="The operation of this API that told it, such as `accept`.")
    unit: str
    told_by: str = Field(description="The client that told it.")
    person: str = Field(description="The human for whom the client told it. Empty where the token names none.")
    victim_id: Id | None
    event_id: Id | None = Field(description="The event that says it. Null where none does, or not yet.")
    type: str | None
    occurred_at: Moment
    recorded_at: Moment


class BackdatedPage(BaseModel):
    """One page of facts that were told late, newest first. Send ``next`` as ``cursor`` for the following page."""

    items: list[BackdatedView]
    next: str | None


class BackdatedNote(BaseModel):
    """The note beside a fact that was told late. Null: there is none, or it can no longer be read."""

    text: str | None


def backdated_view(row: BackdatedRow) -> BackdatedView:
    """The view of a fact that was told late."""
    hidden = {"number", "client", "noted_under", "noted_beside"}
    return BackdatedView(**row.model_dump(exclude=hidden), told_by=row.client)
