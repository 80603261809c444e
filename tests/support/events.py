"""Events for tests of the wire."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.contracts import events as e
from shared.contracts.envelope import Draft, Unreadable, write
from shared.contracts.events import EventData

NOW = datetime(2026, 11, 23, 4, 5, 6, 789, tzinfo=UTC)
IDS = [f"01900000-0000-7000-8000-{number:012x}" for number in range(9)]


def an_event() -> e.Reminder:
    return e.Reminder(referral_id=IDS[1], victim_id=IDS[2], occurred_at=NOW)


def a_draft(data: EventData | None = None, **more: Any) -> Draft:
    data = data or an_event()
    fields: dict[str, Any] = {
        "id": IDS[0],
        "data": data,
        "victim_id": getattr(data, "victim_id", None),
        "receiver": "two",
        "unit": "desk-74.01",
        "region": "74.01",
        "sequence": 3,
    }
    return Draft(**fields | more)


def a_body(**changes: Any) -> bytes:
    """A good body with some attributes changed; None takes one away."""
    attributes = json.loads(write(a_draft(), "one", 7, NOW)) | changes
    return json.dumps({name: value for name, value in attributes.items() if value is not None}).encode()


def unreadable(read: Callable[[], object]) -> str:
    with pytest.raises(Unreadable) as refused:
        read()
    assert str(refused.value) == refused.value.reason
    return refused.value.reason


def padded(length: int) -> bytes:
    return a_body(padding="x" * (length - len(a_body(padding=""))))
