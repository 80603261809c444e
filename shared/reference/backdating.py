"""List what a caller tells late: each act passes here once, so no act is left out (``GET /v1/backdated``)."""

from dataclasses import dataclass

from pydantic import BaseModel

from shared.domain.access import Caller
from shared.domain.commands import Noted, told_late
from shared.reference.office import new_id
from shared.storage.agency_tables import BackdatedRow
from shared.storage.unit_of_work import Transaction


@dataclass(frozen=True, slots=True)
class Act:
    """An operation that a caller performs, and the victim that the request names, if it names one."""

    caller: Caller
    operation: str
    victim_id: str | None


def list_if_late(tx: Transaction, act: Act, command: BaseModel) -> None:
    """Store that a fact was told more than a day late. Called after the act, in its unit of work."""
    at = told_late(command, tx.now)
    if at is None:
        return
    said = next((one for one in tx.drafts if getattr(one.data, "occurred_at", None) == at), None)
    tx.session.add(
        BackdatedRow(
            id=new_id(),
            operation=act.operation,
            unit=act.caller.unit,
            client=act.caller.client,
            person=act.caller.person,
            victim_id=act.victim_id if said is None or said.victim_id is None else said.victim_id,
            event_id=said.id if said is not None else None,
            type=said.data.type() if said is not None else None,
            noted=isinstance(command, Noted) and bool(command.note),
            occurred_at=at,
            recorded_at=tx.now,
        )
    )
