"""Facts of a route that the middleware needs before the request arrives; declared beside the route."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import BaseRoute
from starlette.types import Scope

MAX_BODY = 64 * 1024
"""Most bytes of a body, unless the route declares another limit."""
Target = TypeVar("Target")
_ATTRIBUTE = "estafet_route_traits"


@dataclass(frozen=True, slots=True)
class RouteTraits:
    """The special traits of a route. A route without a declaration has the defaults."""

    max_body: int = MAX_BODY
    """Most bytes of a request body."""
    json_body: bool = True
    """Whether the body is checked as JSON before the route reads it."""
    cacheable: bool = False
    """The response is reference data, the same for every caller.

    A cache may store it, but must revalidate before each use: a key may have been revoked meanwhile.
    """
    always_answered: bool = False
    """No limit of rate or of concurrent requests applies: a supervisor must always get an answer."""


DEFAULT = RouteTraits()


def route_traits(
    *, max_body: int = MAX_BODY, json_body: bool = True, cacheable: bool = False, always_answered: bool = False
) -> Callable[[Target], Target]:
    """Declare the traits of a route: a decorator of its function, below ``@router.get``. Also for a mounted app."""
    traits = RouteTraits(max_body, json_body, cacheable, always_answered)

    def declare(target: Target) -> Target:
        setattr(target, _ATTRIBUTE, traits)
        return target

    return declare


def traits_of(route: RouteContext) -> RouteTraits:
    """The traits that a route's function, or a mounted app, declares."""
    traits: RouteTraits = getattr(route.endpoint or getattr(route, "app", None), _ATTRIBUTE, DEFAULT)
    return traits


class TraitsTable:
    """The traits of every route of an app, found by method and path before the request is routed."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        """``routes``: the app's routes, in the order in which the app tries them."""
        self._literal: dict[tuple[str, str], RouteTraits] = {}
        """Method and path → traits, of routes without a parameter in their path."""
        self._patterns: list[tuple[re.Pattern[str], set[str] | None, RouteTraits]] = []
        """Path, methods (None: every method) and traits of the other routes."""
        for route in iter_route_contexts(routes):
            traits = traits_of(route)
            # routes with the defaults stay out: the table is searched at every request
            if traits == DEFAULT or route.path is None:
                continue
            if route.methods is None or "{" in route.path:
                self._patterns.append((route.path_regex, route.methods, traits))
            else:
                self._literal.update(dict.fromkeys(((method, route.path) for method in route.methods), traits))

    def of(self, scope: Scope) -> RouteTraits:
        """The traits of the route that serves a request; the defaults where no route does."""
        method, path = scope["method"], scope["path"]
        if (traits := self._literal.get((method, path))) is not None:
            return traits
        for pattern, methods, traits in self._patterns:
            if (methods is None or method in methods) and pattern.match(path):
                return traits
        return DEFAULT
