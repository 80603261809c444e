"""An agency's own computer system, as Estafet sees it: an HTTP client that retries.

It does what every such system must do. It repeats a POST with the same Idempotency-Key until an answer comes. It acts
only on the version it has read (If-Match). It waits with a long poll instead of repeated requests. Its ``auth``
(``deploy.client.token_source``) authenticates it.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import httpx
from uuid_utils.compat import uuid7

from shared.security.transport import ClientTls

PATIENCE_SECONDS = 90.0
LONG_POLL_SECONDS = 20
SHORTEST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0

Json = dict[str, Any]


class CallRefused(Exception):
    """The service or the issuer of tokens refused a request.

    ``status`` is the HTTP status; ``code`` the problem's code, or the OAuth error.
    """

    def __init__(self, response: httpx.Response) -> None:
        problem = response.json() if "json" in response.headers.get("content-type", "") else {}
        self.status = response.status_code
        self.code = str(problem.get("type") or problem.get("error", "")).removeprefix("urn:estafet:problem:")
        why = problem.get("detail") or problem.get("error_description", "")
        said = f"{why} {problem.get('errors') or ''}".strip()
        super().__init__(f"{response.request.method} {response.request.url}: {self.status} {self.code}: {said}")


def new_id() -> str:
    """A new UUIDv7. The caller makes it, so that a repeated creation is the same creation."""
    return str(uuid7())


class AgencySystem:
    """The system of one member, which calls that member's service.

    ``trouble`` is called once for each request that had to be repeated, with the cause. ``tls``: the trusted CA and the
    certificate to show, where the service speaks TLS. Every call raises TimeoutError after PATIENCE_SECONDS.
    """

    def __init__(
        self,
        code: str,
        url: str,
        trouble: Callable[[str], None] = lambda _: None,
        auth: httpx.Auth | None = None,
        tls: ClientTls | None = None,
    ) -> None:
        self.code = code
        patience = httpx.Timeout(LONG_POLL_SECONDS + 20.0, connect=5.0)
        trust = tls.context() if tls else True
        self._http = httpx.AsyncClient(base_url=url, timeout=patience, auth=auth, verify=trust)
        self._trouble = trouble

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def get(self, path: str, **params: str) -> Json:
        """GET a resource. Raises CallRefused."""
        return dict(_good(await self._send("GET", path, params=params)).json())

    async def post(self, path: str, body: Mapping[str, Any]) -> Json:
        """POST with one Idempotency-Key, repeated until answered: the effect happens once. Raises CallRefused."""
        return dict(_good(await self._send("POST", path, json=body, headers={"Idempotency-Key": new_id()})).json())

    async def act(self, referral_id: str, action: str, body: Mapping[str, Any] | None = None) -> Json:
        """Act on the current version of a referral; read it again where it has changed since. Raises CallRefused."""
        path, key = f"/v1/referrals/{referral_id}", new_id()
        while True:
            seen = _good(await self._send("GET", path))
            headers = {"Idempotency-Key": key, "If-Match": seen.headers["etag"]}
            response = await self._send("POST", f"{path}/{action}", json=body or {}, headers=headers)
            if response.status_code != 412:
                return dict(_good(response).json())

    async def until(self, path: str, fits: Callable[[Json], bool]) -> Json:
        """Long-poll a GET until ``fits`` accepts the answer. Raises TimeoutError with the last answer; CallRefused."""
        tag, seen = "", "nothing / tidak ada"
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while True:
                    long_poll = {"Prefer": f"wait={LONG_POLL_SECONDS}", "If-None-Match": tag}
                    response = await self._send("GET", path, headers=long_poll)
                    if response.status_code in (304, 404):  # unchanged, or not arrived yet
                        continue
                    tag, seen = _good(response).headers.get("etag", ""), response.text
                    if fits(response.json()):
                        return dict(response.json())
        except TimeoutError:
            raise TimeoutError(f"{self.code} {path}: {seen[:2000]}") from None

    async def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send a request until it is answered. No connection, 429 and 5xx are retried with the same headers."""
        pause, told = SHORTEST_PAUSE_SECONDS, False
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                try:
                    response = await self._http.request(method, path, **request)
                    if response.status_code < 500 and response.status_code != 429:
                        return response
                    fault = str(response.status_code)
                    pause = max(pause, float(response.headers.get("retry-after", 0)))
                except httpx.TransportError as error:
                    fault = type(error).__name__
                if not told:
                    self._trouble(fault)
                    told = True
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def _good(response: httpx.Response) -> httpx.Response:
    if response.status_code >= 400:
        raise CallRefused(response)
    return response
