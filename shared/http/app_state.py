"""The state of a running service for its routes and its middleware: one typed value, ``app.state``."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from starlette.datastructures import State
from starlette.requests import HTTPConnection

from shared.domain.refusal import Refusal
from shared.reference.office import Office
from shared.security.revocations import Revocations
from shared.storage.notifier import Notifier
from shared.storage.unit_of_work import Database

if TYPE_CHECKING:  # both read this state
    from shared.http.admission import Admission
    from shared.http.limits import Limits


class HttpState(State):
    """The part that HTTP reads. ``refusals`` is there when the app is made, the rest while the service runs."""

    refusals: Mapping[str, Refusal]
    office: Office
    database: Database
    notifier: Notifier
    admission: "Admission"
    limits: "Limits"
    revoked: Revocations


def state_of(connection: HTTPConnection) -> HttpState:
    """The state of the app that serves a request."""
    state = connection.app.state
    assert isinstance(state, HttpState)
    return state
