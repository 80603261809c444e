"""Ids that a test knows beforehand. A service makes the ids of its cases, victims and referrals by itself."""

import contextlib
from collections import deque
from collections.abc import Iterator
from datetime import date
from typing import Any
from unittest.mock import patch

from shared.casework.cases import registration
from shared.casework.referrals import requesting
from shared.reference.office import new_pseudonym
from tests.support.network import Client


@contextlib.contextmanager
def next_ids(*ids: str) -> Iterator[None]:
    """The next cases, victims and referrals of all services get these ids, in this order. Each id must be used."""
    waiting = deque(ids)

    def next_id(day: date) -> str:
        return waiting.popleft() if waiting else new_pseudonym(day)

    with patch.object(registration, "new_pseudonym", next_id), patch.object(requesting, "new_pseudonym", next_id):
        yield
    assert not waiting, f"nothing was made with {list(waiting)}"


async def registered_again(liar: Client, victim: str, unit: str, **facts: Any) -> None:
    """A member that means ill registers the pseudonym of another member's victim. No caller of it can."""
    case = {"unit": unit, "channel": "social-office", "exploitation": "other"}
    opened = await liar.post("/v1/cases", case)
    assert opened.status_code == 201, opened.text
    with next_ids(victim):
        registered = await liar.post(f"/v1/cases/{opened.json()['id']}/victims", facts)
    assert (registered.status_code, registered.json()["id"]) == (201, victim), registered.text
