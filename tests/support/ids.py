"""Ids that a test knows beforehand. A service makes every id by itself."""

import contextlib
from collections import deque
from collections.abc import Iterator
from datetime import date
from typing import Any
from unittest.mock import patch

from shared.casework.cases import registration
from shared.casework.consent import recording
from shared.casework.people_list import registering
from shared.casework.records import filing
from shared.casework.referrals import requesting
from shared.reference.office import new_id, new_pseudonym
from shared.victims.erasure import deciding
from tests.support.network import Client


@contextlib.contextmanager
def next_ids(*ids: str) -> Iterator[None]:
    """The next things of all services get these ids, in this order. Each id must be used.

    They are cases, victims, referrals, consents, records, lists of people and erasures.
    """
    waiting = deque(ids)

    def next_id(day: date | None = None) -> str:
        if waiting:
            return waiting.popleft()
        return new_id() if day is None else new_pseudonym(day)

    with contextlib.ExitStack() as stack:
        for module in (registration, requesting):
            stack.enter_context(patch.object(module, "new_pseudonym", next_id))
        for module in (recording, registering, filing, deciding):
            stack.enter_context(patch.object(module, "new_id", next_id))
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
