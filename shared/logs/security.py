"""The logger for actions that may harm a person or hide something: caller and record id, never the victim.

The lines are in ``security_log`` of each slice. A line is written after its transaction commits. The database says
whose data it is about, to callers who may see that.
"""

from typing import Any

import structlog

from shared.domain.access import Caller
from shared.logs import trace


def said_by(caller: Caller) -> Any:
    """The logger of a caller's actions: client, role, desk and trace id stand on each line; the human, if named."""
    log = structlog.get_logger().bind(
        client=caller.client, role=str(caller.role), unit=caller.unit, trace=trace.current()
    )
    return log.bind(person=caller.person) if caller.person else log
