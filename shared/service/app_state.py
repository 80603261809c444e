"""The state of a running service for an operator's routes, beside the state that HTTP reads."""

from starlette.requests import HTTPConnection

from shared.http.app_state import HttpState
from shared.messaging.broker import Broker
from shared.messaging.reception import Reception


class ServiceState(HttpState):
    """The typed ``app.state`` of every member's app."""

    member: str
    """The code of the member."""
    reception: Reception
    broker: Broker | None
    """None where the service runs without a broker: the outbox fills."""


def service_state_of(connection: HTTPConnection) -> ServiceState:
    """The state of the app that serves a request."""
    state = connection.app.state
    assert isinstance(state, ServiceState)
    return state
