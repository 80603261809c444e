"""Effect of filing an interview: the officer's training is looked up among the filed records.

Kept apart from the forms, so that a form imports no table (wall 9 in ``pyproject.toml``).
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from services.police.interviews import TRAINING, require_training, valid_modules
from shared.casework.records.subjects import is_child
from shared.casework.records.tables import RecordRow
from shared.reference.office import Office
from shared.storage.unit_of_work import Transaction
from shared.victims.register.store import load_victim


def held_by_a_trained_officer(tx: Transaction, office: Office, row: RecordRow, values: Mapping[str, Any]) -> None:
    """The officer of an interview was trained for it on that day, in the region's time zone.

    Raises Refused("officer-not-trained").
    """
    trainings = select(col(RecordRow.facts)).where(
        col(RecordRow.form) == TRAINING.code, col(RecordRow.corrected_by).is_(None)
    )
    victim = load_victim(tx.session, row.victim_id or "")
    assert victim is not None  # a form about a victim: ``records.filing.file`` has locked the victim's row
    on = _day_at(office, row.occurred_at, row.region)
    modules = valid_modules(tx.session.scalars(trainings), values["officer"], on)
    require_training(modules, is_child(victim))


def _day_at(office: Office, moment: datetime, region: str) -> date:
    return moment.astimezone(office.clocks.zone(region)).date()
