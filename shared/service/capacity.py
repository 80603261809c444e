"""Capacity and descriptions of desks, so that no victim is sent to a desk without room.

Desks announce their capacity and describe themselves; every agency is told. An announcement holds for some hours.
After that nothing is known, and the desk may be asked. An urgent service is asked of a full desk too.
A description holds until the desk replaces it.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from shared.contracts import events as e
from shared.contracts.codes import Capacity
from shared.domain import commands as c
from shared.domain.access import Sight
from shared.domain.refusal import Refused
from shared.domain.routing import Unit, farness
from shared.service.office import Office, draft, new_id
from shared.storage.agency_tables import CapacityRow, DescriptionRow
from shared.storage.database import Transaction

WATCHED = "capacity"
"""Wake-up topic: a desk announced its capacity or described itself."""
INSTEAD = 3
"""Most other desks that a refusal names."""


def announce(tx: Transaction, office: Office, sight: Sight, unit: str, command: c.AnnounceCapacity) -> CapacityRow:
    """Announce the capacity of one of our desks for a service to every agency. Returns the row.

    Raises Refused: ``unknown-unit``, ``not-your-unit``, ``unknown-service``, or for a bad ``occurred_at``.
    """
    desk = office.our_unit(unit, tx.now.date())
    sight.require(desk)
    if not any(service.code == command.service for service in office.agency.services):
        raise Refused("unknown-service", field="service")
    at = c.when(command, tx.now)
    said = e.CapacityAnnounced(
        announcement_id=new_id(),
        unit=desk,
        service=command.service,
        capacity=command.capacity,
        valid_until=at + timedelta(hours=command.hours),
        occurred_at=at,
    )
    row = keep(tx, said)
    for agency in sorted(office.directory.agencies - {office.code}):
        tx.emit(draft(said, agency, desk))
    return row


def keep(tx: Transaction, said: e.CapacityAnnounced) -> CapacityRow:
    """Store the announcement of a desk, unless a newer one is stored. Returns the row."""
    tx.changed.add(WATCHED)
    row = tx.session.get(CapacityRow, (said.unit.agency, said.unit.unit, said.service), with_for_update=True)
    if row is None:
        row = CapacityRow(
            agency=said.unit.agency,
            unit=said.unit.unit,
            service=said.service,
            capacity=said.capacity,
            announced_at=said.occurred_at,
            valid_until=said.valid_until,
        )
        tx.session.add(row)
    elif said.occurred_at >= row.announced_at:
        row.capacity, row.announced_at, row.valid_until = said.capacity, said.occurred_at, said.valid_until
    return row


def describe(tx: Transaction, office: Office, said: e.DeskDescribed) -> None:
    """Store the description of one of our desks and publish it to every agency."""
    keep_description(tx, said)
    for agency in sorted(office.directory.agencies - {office.code}):
        tx.emit(draft(said, agency, said.unit))


def keep_description(tx: Transaction, said: e.DeskDescribed) -> None:
    """Store the description of a desk, unless a newer one is stored. A correction of the stored one always counts."""
    tx.changed.add(WATCHED)
    name = (said.unit.agency, said.unit.unit, said.form)
    row = tx.session.get(DescriptionRow, name, with_for_update=True)
    if row is None:
        row = DescriptionRow(
            agency=said.unit.agency,
            unit=said.unit.unit,
            form=said.form,
            record_id=said.record_id,
            facts=dict(said.facts),
            occurred_at=said.occurred_at,
        )
        tx.session.add(row)
    elif said.occurred_at >= row.occurred_at or said.corrects == row.record_id:
        row.record_id, row.facts, row.occurred_at = said.record_id, dict(said.facts), said.occurred_at


def descriptions(session: Session, agency: str, units: Collection[str]) -> dict[str, dict[str, Mapping[str, Any]]]:
    """Unit → form → the clear fields with which the desk described itself."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    theirs = (col(DescriptionRow.agency) == agency) & col(DescriptionRow.unit).in_(units)
    for row in session.scalars(select(DescriptionRow).where(theirs).order_by(col(DescriptionRow.form))):
        found.setdefault(row.unit, {})[row.form] = row.facts
    return found


def standing(session: Session, agency: str, service: str, now: datetime) -> dict[str, CapacityRow]:
    """Unit → its announcement for a service that is valid at ``now`` (UTC)."""
    holds = (col(CapacityRow.announced_at) <= now) & (col(CapacityRow.valid_until) > now)
    of = (col(CapacityRow.agency) == agency) & (col(CapacityRow.service) == service)
    return {row.unit: row for row in session.scalars(select(CapacityRow).where(of, holds))}


def nearest(office: Office, words: dict[str, CapacityRow], agency: str, region: str, now: datetime) -> Sequence[Unit]:
    """The desks to consider for a region, nearest first.

    First the desks that serve the region, then other desks with an announcement, those of the same province first.
    ``words``: unit → its valid announcement. ``now``: UTC. Raises Refused as ``Units.chain`` does.
    """
    on = now.date()
    chain = [unit for unit in office.units.chain(agency, region) if unit.valid_on(on)]
    others = [unit for unit in office.units.find(agency, day=on) if unit.id in words and unit not in chain]
    return [*chain, *sorted(others, key=lambda desk: farness(desk, region))]


def require_room(tx: Transaction, office: Office, desk: Unit, service: str, forced: bool, field: str) -> None:
    """Raises Refused("desk-is-full") when the desk announced that it has no room. The refusal names desks with room.

    A forced request and an urgent service pass. ``field``: the field of the request that named the desk.
    """
    if forced or office.directory.service(desk.agency, service).urgent:
        return
    words = standing(tx.session, desk.agency, service, tx.now)
    word = words.get(desk.id)
    if word is None or word.capacity != Capacity.NO_CAPACITY:
        return
    others = [
        unit.id
        for unit in nearest(office, words, desk.agency, desk.region, tx.now)
        if unit.id in words and words[unit.id].capacity != Capacity.NO_CAPACITY
    ]
    raise Refused("desk-is-full", field=field, desk=desk.id, instead=", ".join(others[:INSTEAD]) or "–")
