"""Cancellation of a task that waits for the broker."""

import asyncio


def heed_cancellation() -> None:
    """Raises CancelledError when this task was cancelled and the library swallowed the cancellation.

    nats-py uses ``wait_for``. Before Python 3.12 ``wait_for`` drops a cancellation that comes together with a result.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
