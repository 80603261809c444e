"""Capacity and descriptions of desks, so that no victim is sent to a desk without room.

Desks announce their capacity and describe themselves; every agency is told. An announcement holds for some hours.
After that nothing is known, and the desk may be asked. An urgent service is asked of a full desk too.
A description holds until the desk replaces it.
"""

from datetime import timedelta

from shared.casework.capacity.tables import CapacityRow, DescriptionRow
from shared.contracts import events as e
from shared.domain.capacity import AnnounceCapacity
from shared.domain.commands import when
from shared.domain.refusal import Refused
from shared.reference.acting import Acting
from shared.reference.office import Office, draft, new_id
from shared.storage.notifier import Topic
from shared.storage.unit_of_work import Transaction

INSTEAD = 3
"""Most other desks that a refusal names."""


def announce(acting: Acting, unit: str, command: AnnounceCapacity) -> CapacityRow:
    """Announce the capacity of one of our desks for a service to every agency. Returns the row.

    Raises Refused: ``unknown-unit``, ``not-your-unit``, ``unknown-service``, or for a bad ``occurred_at``.
    """
    tx, office = acting.tx, acting.office
    desk = office.our_unit(unit, tx.now.date())
    acting.sight.require(desk)
    if not any(service.code == command.service for service in office.agency.services):
        raise Refused("unknown-service", field="service")
    at = when(command, tx.now)
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
    tx.changed.add(Topic.CAPACITY)
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
    tx.changed.add(Topic.CAPACITY)
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
