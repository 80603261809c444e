"""Read the announced capacity of desks, their descriptions, and the desks nearest to a region."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from shared.casework.capacity.tables import CapacityRow, DescriptionRow
from shared.domain.routing import Unit, farness
from shared.reference.office import Office


def descriptions(session: Session, agency: str, units: Collection[str]) -> dict[str, dict[str, Mapping[str, Any]]]:
    """Unit → form → the clear fields with which the desk described itself."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    theirs = (col(DescriptionRow.agency) == agency) & col(DescriptionRow.unit).in_(units)
    for row in session.scalars(select(DescriptionRow).where(theirs).order_by(col(DescriptionRow.form))):
        found.setdefault(row.unit, {})[row.form] = row.facts
    return found


def valid_announcements(session: Session, agency: str, service: str, now: datetime) -> dict[str, CapacityRow]:
    """Unit → its announcement for a service that is valid at ``now`` (UTC)."""
    holds = (col(CapacityRow.announced_at) <= now) & (col(CapacityRow.valid_until) > now)
    of = (col(CapacityRow.agency) == agency) & (col(CapacityRow.service) == service)
    return {row.unit: row for row in session.scalars(select(CapacityRow).where(of, holds))}


def nearest(
    office: Office, announcements: dict[str, CapacityRow], agency: str, region: str, now: datetime
) -> Sequence[Unit]:
    """The desks to consider for a region, nearest first.

    First the desks that serve the region, then other desks with an announcement, those of the same province first.
    ``announcements``: unit → its valid announcement. ``now``: UTC. Raises Refused as ``Units.chain`` does.
    """
    on = now.date()
    chain = [unit for unit in office.units.chain(agency, region) if unit.valid_on(on)]
    others = [unit for unit in office.units.find(agency, day=on) if unit.id in announcements and unit not in chain]
    return [*chain, *sorted(others, key=lambda desk: farness(desk, region))]
