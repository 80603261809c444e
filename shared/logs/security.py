"""Lines of the log that say which client did what may harm a person or hide something.

Each is written when its transaction has committed. It names the client and an id, never the victim.
"""

from typing import Any

import structlog

from shared.domain.access import Caller
from shared.logs import trace


def said_by(caller: Caller) -> Any:
    """The logger of a caller's actions: client, role, desk and trace id stand on each line."""
    return structlog.get_logger().bind(
        client=caller.client, role=str(caller.role), unit=caller.unit, trace=trace.current()
    )
