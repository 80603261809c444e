"""HTTP answers about the history, the receipts and the notes of referrals. A referral itself: ``referral_view``."""

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, Field

from shared.contracts.events import CATALOGUE
from shared.contracts.types import Id, Moment
from shared.domain.access import Sight
from shared.service.referral_view import ReferralView
from shared.storage.tables import LedgerEntry, OutboxEntry


class ReferralPage(BaseModel):
    """One page of referrals, newest first. Send ``next`` as ``cursor`` for the following page."""

    items: list[ReferralView]
    next: str | None


class Confirmation(BaseModel):
    """The receiver's receipt (tanda terima) for an event that this agency sent."""

    confirmed_at: Moment
    receipt_id: Id | None


class HistoryItem(BaseModel):
    """One event of a referral as this agency's ledger holds it."""

    event_id: Id
    type: str
    direction: Literal["sent", "received"]
    sender: str
    receiver: str
    version: int | None
    time: Moment
    recorded_at: Moment
    linkseq: int | None = Field(
        description="Null unless the caller sees the whole agency, because the number counts events of other desks."
    )
    causation_id: Id | None
    sha256: str
    data: Mapping[str, Any]
    receipt: Confirmation | None


class History(BaseModel):
    """Every event of a referral in this agency's ledger, oldest first."""

    items: list[HistoryItem]


def history_item(entry: LedgerEntry, owed: OutboxEntry | None, sight: Sight) -> HistoryItem:
    """The view of a ledger entry for a caller. ``owed``: its row of the outbox, with the receipt if there is one."""
    event = json.loads(entry.body)
    sender, _, receiver = entry.link.partition(">")
    receipt = None
    if owed is not None and owed.confirmed_at is not None and owed.linkseq is not None:
        receipt = Confirmation(confirmed_at=owed.confirmed_at, receipt_id=owed.receipt_id)
    return HistoryItem(
        event_id=entry.event_id,
        type=entry.type,
        direction="sent" if entry.sent else "received",
        sender=sender,
        receiver=receiver,
        version=int(event["sequence"]) if "sequence" in event else None,
        time=event["time"],
        recorded_at=entry.recorded_at,
        linkseq=entry.linkseq if sight.units is None else None,
        causation_id=event.get("causationid"),
        sha256=entry.sha256,
        data=_declared(entry.type, event["data"]),
        receipt=receipt,
    )


class Note(BaseModel):
    """An officer's free text beside the decision that the event reports."""

    event_id: Id
    text: str


class NoteList(BaseModel):
    """The notes of a referral that the caller may read."""

    items: list[Note]


def _declared(event_type: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that the event's class declares, without the sealed text. A field that a peer added is left out."""
    kind = CATALOGUE.get(event_type)
    shown = kind.model_validate(data).model_dump(mode="json", exclude_none=True) if kind is not None else {}
    shown.pop("sealed", None)
    return shown
