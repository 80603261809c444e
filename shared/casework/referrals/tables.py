"""Table: the urgent requests that a person forced on a desk. Referrals are in ``storage.tables``."""

from typing import Any

from sqlmodel import Field

from shared.storage.agency_tables import AgencyStored
from shared.storage.columns import Json, Word


class ForcedRow(AgencyStored, table=True):
    """When a person forced urgent requests on a desk, within the time that counts.

    One row for a person and a desk: two requests at once wait for each other, and neither is missed.
    """

    __tablename__ = "forced_requests"

    requested_by: str = Field(max_length=310, primary_key=True)
    """The person at any client, or the client of a token without a person (``Caller.counts_as``)."""
    agency: str = Field(sa_type=Word, primary_key=True)
    unit: str = Field(sa_type=Word, primary_key=True)
    times: Any = Field(sa_type=Json)
    """RFC 3339 in UTC, oldest first. No more than the limit: a supervisor's are not counted further."""
