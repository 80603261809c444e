"""Events of members about their clocks."""

import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from shared.storage.tables import LedgerEntry
from shared.storage.unit_of_work import Database
from tests.support.network import Network

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ASKING, RECEIVING = "dinsos-74.01", "dinsos-92.02"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def told_by(network: Network, code: str) -> list[dict[str, Any]]:
    """A member's clock events, in the order of recording: data with ``step`` and ``time``."""
    database: Database = network.apps[code].state.database
    return database.read(_told)


def _told(session: Session) -> list[dict[str, Any]]:
    ours = select(col(LedgerEntry.body)).where(
        col(LedgerEntry.sent), col(LedgerEntry.type).startswith("id.tppo.clock.")
    )
    events = [json.loads(body) for body in session.scalars(ours.order_by(col(LedgerEntry.position)))]
    return [{**event["data"], "step": event["type"].split(".")[3], "time": event["time"]} for event in events]
