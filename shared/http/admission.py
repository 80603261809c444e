"""Admission: only a caller with a valid access token reaches an operation that is not public.

Every route is a ``GuardedRoute``, and its name stands in the member's table of operations. The caller and the
caller's sight are known before the body is read.
"""

from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from shared.domain.access import AccessRule, Caller, Sight, admit
from shared.domain.refusal import Refused
from shared.http.app_state import state_of
from shared.http.limits import certificate_of, limit
from shared.http.validation_messages import unknown_parameters
from shared.logs import trace
from shared.reference.office import Office
from shared.security.tokens import BadToken, Verifier
from shared.storage.unit_of_work import Now

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Admission:
    """The needs of admission: the table of operations, the verifier of access tokens, the desks, the current time.

    ``rules``: operation → its row in the table. ``now``: the time, in UTC. ``people``: whether a token must name a
    human where the table says so.
    """

    rules: Mapping[str, AccessRule]
    verifier: Verifier
    office: Office
    now: Now
    people: bool = False
    _sights: dict[tuple[str, date], Sight] = field(default_factory=dict)

    def admit(self, request: Request, operation: str, token: str | None) -> None:
        """Admit the caller: set ``caller`` and ``sight`` in the request's state.

        ``operation`` is the name of the route. A public operation needs no token. Raises Refused: as ``caller`` and
        ``sight``, at a rate limit, or as ``admit`` of the access table.
        """
        if self.rules[operation].public:
            return
        request.state.caller = caller = self.caller(token, request)
        limit(request)
        request.state.sight = sight = self.sight(caller)
        admit(self.rules, operation, caller, sight, self.people)

    def caller(self, token: str | None, request: Request) -> Caller:
        """The caller that an access token names. Raises Refused: ``token-required`` or ``token-not-valid``."""
        if token is None:
            raise Refused("token-required")
        shown = certificate(request)
        try:
            if shown is not None and shown == state_of(request).limits.proxy:
                raise BadToken("through-the-proxy")  # bound to the proxy, it would be bound to nobody
            return self.verifier.verify(token, self.now(), shown)
        except BadToken as error:
            log = structlog.get_logger().bind(certificate=shown) if shown else structlog.get_logger()
            log.warning("admission.refused", reason=error.reason, trace=trace.current())
            raise Refused("token-not-valid") from None

    def proves(self, request: Request) -> bool:
        """Whether the access token of a request is valid. Nothing is logged or counted."""
        token = bearer(request)
        try:
            return token is not None and bool(self.verifier.verify(token, self.now(), certificate(request)))
        except BadToken:
            return False

    def sight(self, caller: Caller) -> Sight:
        """The desks that a caller sees. Raises Refused("token-not-valid") when the caller's unit is not ours today."""
        asked = caller.unit, self.now().date()
        if asked not in self._sights:
            try:
                self._sights[asked] = self.office.sight(*asked)
            except Refused:
                log.warning("admission.refused", reason="unknown-unit", trace=trace.current())
                raise Refused("token-not-valid") from None
        return self._sights[asked]


class GuardedRoute(APIRoute):
    """A route that first admits the caller, then refuses query parameters that the route does not have."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework's handler, called only for an admitted caller."""
        handle = super().get_route_handler()
        declared = set(_parameters(self.dependant))

        async def guarded(request: Request) -> Response:
            state_of(request).admission.admit(request, self.name, bearer(request))
            # a page ignores unknown parameters: other programs add some to a link, and a person cannot prevent that
            called = self.include_in_schema
            if called and (unknown := unknown_parameters(request.query_params.keys(), declared)):
                raise RequestValidationError(unknown)
            return await handle(request)

        return guarded


def _parameters(dependant: Dependant) -> Iterator[str]:
    """The names of the query parameters of a route, those of its dependencies too."""
    yield from (field.alias for field in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _parameters(inner)


def check_guarded(rules: Mapping[str, AccessRule], routers: Sequence[APIRouter]) -> None:
    """Raises ValueError for an operation without a row in the table, or a row without an operation.

    Also for a route that is no GuardedRoute.
    """
    routes = [route for router in routers for route in router.routes]
    unguarded = [route for route in routes if not isinstance(route, GuardedRoute)]
    if unguarded:
        raise ValueError(f"routes without a guard: {unguarded}")
    names = {route.name for route in routes if isinstance(route, GuardedRoute)}
    if names != set(rules):
        raise ValueError(f"operations and their table differ: {sorted(names ^ set(rules))}")


def bearer(request: Request) -> str | None:
    """The bearer token (RFC 6750) of the only Authorization header, or None. Two headers count as none."""
    stated = request.headers.getlist("authorization")
    if len(stated) != 1:
        return None
    scheme, _, token = stated[0].partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def certificate(request: Request) -> str | None:
    """The thumbprint of the caller's client certificate (ASGI TLS extension), or None without a certificate."""
    return certificate_of(request.scope)


# coroutines, as in ``dependencies``: FastAPI would run each plain function in a thread
async def _caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


async def _sight(request: Request) -> Sight:
    sight: Sight = request.state.sight
    return sight


CallerDep = Annotated[Caller, Depends(_caller)]
SightDep = Annotated[Sight, Depends(_sight)]
