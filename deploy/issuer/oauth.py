"""The token endpoint's request form (RFC 6749 3.2) and errors (RFC 6749 5.2, RFC 8707 2)."""

from typing import Final
from urllib.parse import parse_qsl

from fastapi import Request
from fastapi.responses import JSONResponse

GRANT_TYPE = "client_credentials"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token"
MAX_BODY = 16 * 1024
"""Bytes of a token request, at most. An assertion has some 500."""
MAX_FIELDS = 32
NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}

ERRORS: Final = {
    "invalid_request": (400, "Permintaan kurang atau salah bentuk / The request lacks a parameter or is malformed"),
    "invalid_client": (401, "Klien tidak terbukti / The client has not proved itself"),
    "invalid_scope": (400, "Peran atau satuan tidak terdaftar untuk klien ini / Role or unit not registered"),
    "invalid_target": (400, "Layanan tidak terdaftar untuk klien ini / Resource not registered"),
    "unsupported_grant_type": (
        400,
        "Jenis izin tidak dilayani: lihat metadata / Not a grant of this issuer",
    ),
    "temporarily_unavailable": (429, "Terlalu banyak kegagalan; tunggu / Too many failures; wait"),
}
"""Error → HTTP status and description. A description never repeats what the client sent."""


class OAuthError(Exception):
    """A refused token request. ``reason`` is a code for the log only: the caller learns no more than the standard says.

    ``retry_after``: seconds to wait before the next request.
    """

    def __init__(self, error: str, reason: str, retry_after: int | None = None) -> None:
        super().__init__(error, reason)
        self.error = error
        self.reason = reason
        self.retry_after = retry_after

    def response(self, authorization: bool = False) -> JSONResponse:
        """The response of RFC 6749 5.2. ``authorization``: whether the request had a header of that name."""
        status, description = ERRORS[self.error]
        headers: dict[str, str] = dict(NO_STORE)
        if status == 401 and authorization:
            headers["WWW-Authenticate"] = 'Basic realm="estafet"'
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        return JSONResponse({"error": self.error, "error_description": description}, status, headers)


async def read_form(request: Request) -> dict[str, str]:
    """Read the form: parameter → value. A parameter without a value counts as not sent (RFC 6749 3.2).

    Raises OAuthError for another media type, a body beyond MAX_BODY, a malformed form or a repeated parameter.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise OAuthError("invalid_request", "media-type")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise OAuthError("invalid_request", "too-large")
    try:
        pairs = parse_qsl(body.decode("ascii"), errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise OAuthError("invalid_request", "malformed-form") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        several = [name for name, _ in pairs].count("resource") > 1  # RFC 8707 allows several, but a token is for one
        raise OAuthError("invalid_target" if several else "invalid_request", "repeated-parameter")
    return form
