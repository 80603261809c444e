"""Table: the urgent requests of a person to a desk. Referrals are in ``storage.tables``."""

from typing import Any

from sqlmodel import Field

from shared.storage.agency_tables import AgencyStored
from shared.storage.columns import Json, Word


class UrgentRow(AgencyStored, table=True):
    """When a person sent urgent requests to a desk, alone or in a list, within the time that counts.

    One row for a person and a desk: two requests at once wait for each other, and neither is missed. A supervisor has
    none, since a supervisor is never refused.
    """

    __tablename__ = "urgent_requests"

    requested_by: str = Field(max_length=310, primary_key=True)
    """The person at any client, or the client of a token without a person (``Caller.counts_as``)."""
    agency: str = Field(sa_type=Word, primary_key=True)
    unit: str = Field(sa_type=Word, primary_key=True)
    times: Any = Field(sa_type=Json)
    """RFC 3339 in UTC, oldest first: one moment for each request, no more than an officer may send."""
    forced: Any = Field(sa_type=Json)
    """The moments of those that overruled the word of the desk."""
