"""List what a caller tells late: each act passes here once, so no act is left out (``GET /v1/backdated``)."""

from dataclasses import dataclass

from pydantic import BaseModel

from shared.domain.access import Caller
from shared.domain.commands import told_late
from shared.domain.ids import IdKind, keyed
from shared.reference.office import new_id
from shared.storage.agency_tables import BackdatedRow
from shared.storage.unit_of_work import Transaction


@dataclass(frozen=True, slots=True)
class Act:
    """An operation that a caller performs, and the victim of it, if it has one."""

    caller: Caller
    operation: str
    victim_id: str | None


def list_if_late(tx: Transaction, act: Act, command: BaseModel) -> None:
    """Store that a fact was told more than a day late. Called after the act, in its unit of work."""
    at = told_late(command, tx.now)
    if at is None:
        return
    told = (one for one in tx.drafts if getattr(one.data, "occurred_at", None) == at)
    said = next((one for one in told if act.victim_id in (None, one.victim_id)), None)
    notes = [one for one in tx.notes if act.victim_id is None or one.subject == keyed(IdKind.VICTIM, act.victim_id)]
    note = notes[-1] if notes else None
    tx.session.add(
        BackdatedRow(
            id=new_id(),
            operation=act.operation,
            # the desk in whose name it was told: a client of the nation tells for every desk
            unit=said.unit if said is not None else act.caller.unit,
            client=act.caller.client,
            person=act.caller.person,
            victim_id=act.victim_id if said is None or said.victim_id is None else said.victim_id,
            event_id=said.id if said is not None else None,
            noted_under=note.subject if note is not None else None,
            noted_beside=note.beside if note is not None else None,
            type=said.data.type() if said is not None else None,
            occurred_at=at,
            recorded_at=tx.now,
        )
    )
