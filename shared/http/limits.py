"""Rate limits and limits of concurrent requests of one service.

An authenticated client has its own buckets, from any address. An address pays only for requests with an access token
that is not proven yet. So neighbours behind one address cannot use up each other's allowance. An address that guesses
access tokens is soon refused, but a valid token is admitted from there too.
"""

import hashlib
import math
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address, ip_network

from fastapi import Request
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.types import Scope

from shared.domain.access import Role
from shared.domain.refusal import Refused
from shared.http.app_state import state_of
from shared.http.long_polling import wait_of
from shared.http.rate import MOST_KEPT, Buckets, Rate
from shared.security.tokens import thumbprint


class Limiting(BaseSettings):
    """The limits of one service: requests from one client, requests at once, seconds a request may take."""

    model_config = SettingsConfigDict(env_prefix="ESTAFET_", extra="ignore")

    rate_per_second: float = Field(default=50, gt=0, description="Sustained requests per second of one client.")
    rate_burst: int = Field(default=200, ge=1, description="Requests that one client may send in a burst.")
    identities_per_minute: int = Field(
        default=30, ge=1, description="Identities that one client, or one person, may read per minute."
    )
    searches_per_minute: int = Field(
        default=10, ge=1, description="Searches by a number of one client, or one person, per minute."
    )
    identifiers_per_minute: int = Field(
        default=10,
        ge=1,
        description="People whom one client, or person, may register by an identifier per minute.",
    )
    listed_identifiers_per_hour: int = Field(
        default=1000,
        ge=1000,
        description="People with an identifier whom one client, or person, may list per hour.",
    )
    identifiers_in_officers_list: int = Field(
        default=10, ge=0, description="Most people with an identifier in a list of an officer; more needs a supervisor."
    )
    break_glasses_per_hour: int = Field(
        default=10, ge=1, description="Break-glasses that one person may open per hour."
    )
    concurrent_requests: int = Field(default=256, ge=1, description="Most requests at the same time.")
    concurrent_waits: int = Field(default=1024, ge=1, description="Most long polls at the same time (`Prefer: wait`).")
    request_seconds: float = Field(default=30, gt=0, description="Longest time of a request, without its long poll.")
    body_seconds: float = Field(default=10, gt=0, description="Longest time in which a request body must arrive.")
    proxy_certificate: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9_-]{43}$",
        description="SHA-256 (base64url) of the client certificate of the proxy that lets the public read `/surat`."
        " Only that proxy is believed in `X-Forwarded-For`, and no token counts that comes through it.",
    )  # fmt: skip


ANYTHING, WRONG_TOKEN = "anything", "wrong-token"


class Limits:
    """The limits of one service, and how much of them is used."""

    def __init__(self, settings: Limiting) -> None:
        self.request_seconds = settings.request_seconds
        self.body_seconds = settings.body_seconds
        self.proxy = settings.proxy_certificate
        """The certificate of the public's proxy."""
        self.rates = {
            ANYTHING: Rate(settings.rate_per_second, settings.rate_burst),
            WRONG_TOKEN: Rate(10 / 60, 20),
            "identity": Rate(settings.identities_per_minute / 60, settings.identities_per_minute),
            "break-glass": Rate(settings.break_glasses_per_hour / 3600, settings.break_glasses_per_hour),
            "search": Rate(settings.searches_per_minute / 60, settings.searches_per_minute),
            "identifier": Rate(settings.identifiers_per_minute / 60, settings.identifiers_per_minute),
            "listed": Rate(settings.listed_identifiers_per_hour / 3600, settings.listed_identifiers_per_hour),
        }
        """The rates that are counted separately. Everything but wrong access tokens counts as ANYTHING as well."""
        self.identifiers_in_officers_list = settings.identifiers_in_officers_list
        self.clients = Buckets()
        self.addresses = Buckets()  # a second store, so that a flood of addresses cannot evict a client's bucket
        self._proven: OrderedDict[bytes, None] = OrderedDict()
        """Digests of access tokens that this service has accepted."""
        self._places = {False: settings.concurrent_requests, True: settings.concurrent_waits}

    def admit(self, scope: Scope, proves: Callable[[], bool] = lambda: False) -> None:
        """Admit a request before authentication. Raises Refused("too-many-requests").

        ``proves``: whether the request's access token is valid. It is asked only where the address has no credit left,
        so that one who guesses keeps no neighbour out.
        """
        token = _digest(scope)
        if token is not None and token in self._proven:
            return
        address = self.address_of(scope)
        wait = self.addresses.take(address, ANYTHING, self.rates[ANYTHING])
        if token is not None:
            wait = max(wait, self.addresses.wait(address, WRONG_TOKEN, self.rates[WRONG_TOKEN]))
        if wait <= 0 or (token is not None and proves()):
            return
        _refuse(wait)

    def address_of(self, scope: Scope) -> str:
        """The origin of a request. For the public's proxy, the address that the proxy states."""
        if self.proxy is not None and certificate_of(scope) == self.proxy:
            return _forwarded(scope) or address_of(scope)
        return address_of(scope)

    def settle(self, scope: Scope, status: int) -> None:
        """Remember whether the access token of a request was accepted or refused."""
        token = _digest(scope)
        if token is None:
            return
        if status == 401:
            self.addresses.take(self.address_of(scope), WRONG_TOKEN, self.rates[WRONG_TOKEN])
            self._proven.pop(token, None)
        elif client_of(scope) is not None:
            self._proven[token] = None
            self._proven.move_to_end(token)
            if len(self._proven) > MOST_KEPT:
                self._proven.popitem(last=False)

    @contextmanager
    def place(self, scope: Scope) -> Iterator[None]:
        """Take one of the places for concurrent requests. Long polls have their own places. Raises Refused("busy")."""
        waits = waiting_seconds(scope) > 0
        if self._places[waits] <= 0:
            raise Refused("busy", seconds="1")
        self._places[waits] -= 1
        try:
            yield
        finally:
            self._places[waits] += 1


def limit(request: Request, what: str = ANYTHING, key: str | None = None) -> None:
    """Count a request against its client, or against its address where there is no client. Raises Refused.

    Call it right after authentication, and once more for each rate that is counted separately. ``key``: count against
    this instead of the client.
    """
    limits = state_of(request).limits
    client = key or client_of(request.scope)
    store, who = (limits.addresses, limits.address_of(request.scope)) if client is None else (limits.clients, client)
    _refuse(store.take(who, what, limits.rates[what]))


def limit_identifiers(request: Request, people: int = 1) -> None:
    """Count people who are registered, or written down, by an identifier: each is a search at every agency.

    Raises Refused("too-many-searches").
    """
    _limit_people(request, "identifier", people)


def limit_listed_identifiers(request: Request, people: int) -> None:
    """Count the people with an identifier in a list. A long list is a supervisor's, and has a bucket of its own.

    Raises Refused: ``too-many-searches`` or ``supervisor-for-list``.
    """
    if request.state.caller.role is Role.SUPERVISOR:
        _limit_people(request, "listed", people)
        return
    most = state_of(request).limits.identifiers_in_officers_list
    if people > most:
        raise Refused("supervisor-for-list", field="people", most=str(most))
    _limit_people(request, "identifier", people)


def _limit_people(request: Request, what: str, people: int) -> None:
    wait = _take_for_both(request, what, people) if people else 0.0
    if wait > 0:
        raise Refused("too-many-searches", seconds=str(math.ceil(wait)))


def _take_for_both(request: Request, what: str, count: int = 1) -> float:
    """Take credits of the client, and of the human beside it, who may work with two clients. Answers the wait."""
    limits, rate = state_of(request).limits, state_of(request).limits.rates[what]
    wait = limits.clients.take(request.state.caller.client, what, rate, count)
    if wait <= 0 and request.state.caller.person:
        wait = limits.clients.take(request.state.caller.counts_as, what, rate, count)
    return wait


async def limit_identities(request: Request) -> None:
    """Dependency of every route that shows an identity. A client has a limit, and a human over all clients."""
    _refuse(_take_for_both(request, "identity"))


async def limit_searches(request: Request) -> None:
    """Dependency of every search by a blind index. Without a limit a client, or a human, could try every number."""
    _refuse(_take_for_both(request, "search"))


async def limit_break_glasses(request: Request) -> int:
    """Dependency of the route that opens a break-glass, which is for emergencies. Returns the most of one hour.

    Here each try counts, by person. The opened ones count in the database, for every process and after a start.
    """
    limit(request, "break-glass", request.state.caller.counts_as)
    return state_of(request).limits.rates["break-glass"].burst


def _refuse(wait: float) -> None:
    if wait > 0:
        raise Refused("too-many-requests", seconds=str(math.ceil(wait)))


def client_of(scope: Scope) -> str | None:
    """The client that authentication has found; None before authentication."""
    client: str | None = getattr(scope.get("state", {}).get("caller"), "client", None)
    return client


def address_of(scope: Scope) -> str:
    """The origin of a request: its client certificate, else its address. For IPv6 the /64 that one subscriber has."""
    chain = scope.get("extensions", {}).get("tls", {}).get("client_cert_chain") or ()
    if chain:
        return hashlib.sha256(chain[0].encode()).hexdigest()
    return _subscriber(str((scope.get("client") or ("-",))[0]))


def certificate_of(scope: Scope) -> str | None:
    """The thumbprint of the caller's client certificate (ASGI TLS extension), or None without a certificate."""
    chain = scope.get("extensions", {}).get("tls", {}).get("client_cert_chain")
    return thumbprint(chain[0]) if chain else None


def _forwarded(scope: Scope) -> str | None:
    """The one address in the one ``X-Forwarded-For``; None for anything else."""
    stated = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    try:
        return _subscriber(str(ip_address(stated[0].decode("latin-1").strip()))) if len(stated) == 1 else None
    except ValueError:
        return None


def _subscriber(address: str) -> str:
    if ":" not in address:
        return address
    mapped = IPv6Address(address.partition("%")[0]).ipv4_mapped
    return str(mapped or ip_network(f"{address.partition('%')[0]}/64", strict=False))


def waiting_seconds(scope: Scope) -> float:
    """The seconds that a GET asks to wait for a change (``Prefer: wait``); 0 without that header."""
    if scope["method"] != "GET":
        return 0.0
    return max((wait_of(value.decode("latin-1")) for name, value in scope["headers"] if name == b"prefer"), default=0.0)


def _digest(scope: Scope) -> bytes | None:
    for name, value in scope["headers"]:
        if name == b"authorization":
            return hashlib.sha256(value).digest()
    return None
