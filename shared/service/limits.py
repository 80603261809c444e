"""How much one service takes: how often from whom, how much at once, for how long.

An authenticated client has buckets of its own, wherever it calls from. An address pays only for requests whose token
has not been proven yet, so neighbours behind one address cannot use up each other's; and one that guesses tokens is
soon not heard at all.
"""

import hashlib
import math
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_network

from fastapi import Request
from starlette.types import Scope

from shared.domain.refusal import Refused
from shared.service.changes import wait_of
from shared.service.rate import MOST_KEPT, Buckets, Rate
from shared.service.settings import Limiting

HEALTH = ("/health/live", "/health/ready")
"""What a supervisor asks is always answered."""
ANYTHING, WRONG_TOKEN = "anything", "wrong-token"


class Limits:
    """The limits of one service, and who has used how much of them."""

    def __init__(self, settings: Limiting) -> None:
        self.request_seconds = settings.request_seconds
        self.body_seconds = settings.body_seconds
        self.rates = {
            ANYTHING: Rate(settings.rate_per_second, settings.rate_burst),
            WRONG_TOKEN: Rate(10 / 60, 20),
            "identity": Rate(settings.identities_per_minute / 60, settings.identities_per_minute),
            "break-glass": Rate(settings.break_glasses_per_hour / 3600, settings.break_glasses_per_hour),
            "search": Rate(settings.searches_per_minute / 60, settings.searches_per_minute),
        }
        """What is counted by itself. Everything but wrong tokens counts as ANYTHING as well."""
        self.clients = Buckets()
        self.addresses = Buckets()  # apart, so that a flood of addresses cannot push a client's bucket out
        self._proven: OrderedDict[bytes, None] = OrderedDict()
        """Digests of tokens that were accepted here."""
        self._places = {False: settings.concurrent_requests, True: settings.concurrent_waits}

    def admit(self, scope: Scope) -> None:
        """Let a request in, before it is known who calls. Raises Refused."""
        token = _digest(scope)
        if scope["path"] in HEALTH or (token is not None and token in self._proven):
            return
        address = address_of(scope)
        wait = self.addresses.take(address, ANYTHING, self.rates[ANYTHING])
        if token is not None:
            wait = max(wait, self.addresses.wait(address, WRONG_TOKEN, self.rates[WRONG_TOKEN]))
        _refuse(wait)

    def settle(self, scope: Scope, status: int) -> None:
        """Remember what became of the token of a request: accepted, or not."""
        token = _digest(scope)
        if token is None:
            return
        if status == 401:
            self.addresses.take(address_of(scope), WRONG_TOKEN, self.rates[WRONG_TOKEN])
            self._proven.pop(token, None)
        elif client_of(scope) is not None:
            self._proven[token] = None
            self._proven.move_to_end(token)
            if len(self._proven) > MOST_KEPT:
                self._proven.popitem(last=False)

    @contextmanager
    def place(self, scope: Scope) -> Iterator[None]:
        """One of the places for requests under way; those who only wait for a change have their own. Raises Refused."""
        if scope["path"] in HEALTH:
            yield
            return
        waits = waiting_seconds(scope) > 0
        if self._places[waits] <= 0:
            raise Refused("busy", seconds="1")
        self._places[waits] -= 1
        try:
            yield
        finally:
            self._places[waits] += 1


def limit(request: Request, what: str = ANYTHING) -> None:
    """Count a request against its client, or against its address where it has none. Raises Refused.

    To be called once right after authentication, and again for each thing that is counted by itself.
    """
    limits: Limits = request.app.state.limits
    client = client_of(request.scope)
    store, who = (limits.addresses, address_of(request.scope)) if client is None else (limits.clients, client)
    _refuse(store.take(who, what, limits.rates[what]))


async def limit_identities(request: Request) -> None:
    """A dependency of whatever shows an identity."""
    limit(request, "identity")


async def limit_searches(request: Request) -> None:
    """A dependency of whatever searches by a blind index: who could ask often could try every number."""
    limit(request, "search")


async def limit_break_glasses(request: Request) -> None:
    """A dependency of what opens a break-glass: it is for an emergency."""
    limit(request, "break-glass")


def _refuse(wait: float) -> None:
    if wait > 0:
        raise Refused("too-many-requests", seconds=str(math.ceil(wait)))


def client_of(scope: Scope) -> str | None:
    """Who calls, as authentication has found."""
    client: str | None = getattr(scope.get("state", {}).get("caller"), "client", None)
    return client


def address_of(scope: Scope) -> str:
    """Where a request comes from: its client certificate, or its address; of IPv6 the /64 that one subscriber has."""
    chain = scope.get("extensions", {}).get("tls", {}).get("client_cert_chain") or ()
    if chain:
        return hashlib.sha256(chain[0].encode()).hexdigest()
    address = str((scope.get("client") or ("-",))[0])
    if ":" not in address:
        return address
    mapped = IPv6Address(address.partition("%")[0]).ipv4_mapped
    return str(mapped or ip_network(f"{address.partition('%')[0]}/64", strict=False))


def waiting_seconds(scope: Scope) -> float:
    """How long a GET asks to be held (``Prefer: wait``); 0 if it does not."""
    if scope["method"] != "GET":
        return 0.0
    return max((wait_of(value.decode("latin-1")) for name, value in scope["headers"] if name == b"prefer"), default=0.0)


def _digest(scope: Scope) -> bytes | None:
    for name, value in scope["headers"]:
        if name == b"authorization":
            return hashlib.sha256(value).digest()
    return None
