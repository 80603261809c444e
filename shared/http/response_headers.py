"""Sends the response to one request: adds the headers of every response, and lets only one response through."""

from starlette.types import Message, Scope, Send

API_POLICY = b"default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
"""Content-Security-Policy of every response that is not a page. A page sets its own."""
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", API_POLICY),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
"""Set on every response that does not set them itself.

No response has Access-Control-Allow-Origin, so that no other site can read a response in a browser.
"""
YEAR_OF_HTTPS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


class ResponseSender:
    """The ASGI ``send`` of one request, with the usual headers added. ``status`` is 0 until the response begins.

    ``cacheable``: a cache may store a successful response, and must revalidate it before each use.
    """

    def __init__(self, scope: Scope, send: Send, traceparent: str, cacheable: bool) -> None:
        self.status = 0
        self.parts = 0
        """Number of ASGI messages of the response that the connection accepted."""
        self.replaced = False
        self._scope = scope
        self._send = send
        self._traceparent = traceparent
        self._cacheable = cacheable

    async def __call__(self, message: Message) -> None:
        """Send one ASGI message; drop it when this response was replaced."""
        if self.replaced:
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message["headers"], *self._usual(message["headers"])]
        await self._send(message)
        self.parts += 1

    def replace(self, status: int) -> "ResponseSender":
        """Replace this response with another of this status. This one sends nothing from now on."""
        self.replaced, self.status = True, status
        return ResponseSender(self._scope, self._send, self._traceparent, self._cacheable)

    def _usual(self, said: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        names = {name.lower() for name, _ in said}
        usual = [header for header in HEADERS if header[0] not in names]
        if b"cache-control" not in names:
            usual.append((b"cache-control", b"no-cache" if self._may_be_stored() else b"no-store"))
        if self._scope["scheme"] == "https":
            usual.append(YEAR_OF_HTTPS)
        usual.append((b"traceparent", self._traceparent.encode()))
        return usual

    def _may_be_stored(self) -> bool:
        return self._cacheable and self.status < 400
