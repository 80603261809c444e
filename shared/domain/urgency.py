"""Urgent requests, and how many of them one person may send to one desk within an hour.

A desk that is flooded with urgent requests cannot tell the true ones apart. So a person who sends very many, or who
overrules the desk's own word again and again, needs a supervisor. Lists and single requests are counted together.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.contracts.codes import Priority
from shared.domain.access import Role
from shared.domain.refusal import Refused

MOST_URGENT = 20
"""The most urgent requests that one officer may send to one desk within ``COUNTED_WITHIN``.

No law sets the number. It is a bus full of people, whom a desk can still answer one by one (TRUST 19)."""
MOST_FORCED = 10
"""The most urgent requests that one officer may force on one desk within ``COUNTED_WITHIN``.

It is half of ``MOST_URGENT``, since each of these overrules the word of the desk."""
COUNTED_WITHIN = timedelta(hours=1)
"""The time over which urgent requests are counted."""


def is_urgent(priority: Priority | str, service_urgent: bool) -> bool:
    """Whether a request is urgent: by its priority, or because its service may not wait (``Service.urgent``)."""
    return service_urgent or priority != Priority.ROUTINE


def is_limited(role: Role) -> bool:
    """Whether the urgent requests of this role are counted. A supervisor answers for any number of them."""
    return role is not Role.SUPERVISOR


def still_counted(times: Sequence[datetime], now: datetime) -> list[datetime]:
    """The moments that still count at ``now``. ``times``: when a person sent urgent requests to a desk (UTC)."""
    return [at for at in times if at > now - COUNTED_WITHIN]


def counted_anew(times: Sequence[datetime], number: int, counted_at: datetime | None) -> list[datetime]:
    """The moments without those of ``number`` requests that were counted at ``counted_at``, and count anew.

    A moment that no longer counts is not there: then nothing is taken away, and the requests count in full.
    """
    left = list(times)
    for at in [at for at in times if at == counted_at][:number]:
        left.remove(at)
    return left


def check_urgent(recent: Sequence[datetime], more: int, field: str) -> None:
    """Raise Refused("urgent-needs-supervisor") unless an officer may send the desk so many more urgent requests.

    ``recent``: the officer's urgent requests to the desk that still count. ``field``: where the request names the desk.
    """
    if len(recent) + more > MOST_URGENT:
        sent = str(len(recent))
        raise Refused("urgent-needs-supervisor", field=field, sent=sent, more=str(more), most=str(MOST_URGENT))


def check_forced(recent: Sequence[datetime]) -> None:
    """Raise Refused("forcing-needs-supervisor") unless an officer may force one more urgent request on the desk.

    ``recent``: the officer's forced urgent requests to the desk that still count.
    """
    if len(recent) >= MOST_FORCED:
        raise Refused("forcing-needs-supervisor", field="force", most=str(MOST_FORCED))
