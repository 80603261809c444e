"""Urgent requests, and how many of them one person may force on one desk.

A desk that is flooded with urgent requests cannot tell the true ones apart. So a person who overrules a desk's own word
again and again needs a supervisor.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.contracts.codes import Priority
from shared.domain.access import Role
from shared.domain.refusal import Refused

MOST_FORCED = 10
"""The most urgent requests that one officer may force on one desk within ``FORCED_WITHIN``.

No law sets the number. It is half of ``people_list.MOST_URGENT_BY_OFFICER``, the limit of a list to a whole agency.
Each of these overrules the word of one desk (TRUST 19)."""
FORCED_WITHIN = timedelta(hours=1)
"""The time over which forced urgent requests are counted."""


def is_urgent(priority: Priority | str, service_urgent: bool) -> bool:
    """Whether a request is urgent: by its priority, or because its service may not wait (``Service.urgent``)."""
    return service_urgent or priority != Priority.ROUTINE


def recently_forced(times: Sequence[datetime], now: datetime) -> list[datetime]:
    """The moments that still count at ``now``. ``times``: when a person forced urgent requests on a desk (UTC)."""
    return [at for at in times if at > now - FORCED_WITHIN]


def check_forced(role: Role, recent: Sequence[datetime]) -> None:
    """Raise Refused("forcing-needs-supervisor") unless this role may force one more urgent request on the desk.

    ``recent``: the person's forced urgent requests to the desk that still count.
    """
    if role is not Role.SUPERVISOR and len(recent) >= MOST_FORCED:
        raise Refused("forcing-needs-supervisor", field="force", most=str(MOST_FORCED))
