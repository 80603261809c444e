"""Signing in to the pages with a coordinator's access token. A cookie keeps it from scripts and other sites.

The agency's issuer gives the token (in development an operator prints one with a command). The visit ends with the
token, within half an hour, so that an unattended screen does not stay open longer. Signing out revokes the token, so
that a copy of it is useless too (OWASP ASVS 7.4.1).
"""

import re
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from fastapi.templating import Jinja2Templates

from services.coordination import words
from shared.domain.access import Caller, admit
from shared.domain.refusal import Refused
from shared.domain.text import Text
from shared.http import signed_out
from shared.http.admission import GuardedRoute
from shared.http.app_state import state_of
from shared.security.tokens import LEEWAY_SECONDS

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " \
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"  # fmt: skip
HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
VISIT_SECONDS = 30 * 60
"""Longest visit, idle or not (OWASP ASVS 7.3.1)."""
ELSEWHERE = Text("Permintaan dikirim dari halaman lain", "The request comes from another page")
ENDED = Text("Token sudah kedaluwarsa atau tidak berlaku", "The token has expired or is not valid")
NOT_FOR_HERE = Text("Token tidak berlaku untuk layanan ini", "The token is not valid for this service")
NO_COORDINATOR = Text("Token tidak memiliki peran koordinator", "The token does not have the coordinator role")
TOO_LONG = Text(
    f"Token berlaku lebih dari {VISIT_SECONDS // 60} menit; mintalah yang lebih singkat",
    f"The token is valid for more than {VISIT_SECONDS // 60} minutes; request a shorter one",
)
PAGE_PATH = re.compile(r"/|/journeys/[0-9a-f-]{36}")


class CookieAttributes(TypedDict):
    """The attributes that protect a cookie from scripts, other sites and plain HTTP."""

    path: str
    httponly: bool
    samesite: Literal["strict"]
    secure: bool


templates = Jinja2Templates(Path(__file__).with_name("templates"))
templates.env.filters["both"] = words.both


def cookie(request: Request) -> str:
    """The name of the cookie. Over TLS the prefix ``__Host-`` makes a browser accept it from this host only."""
    return "__Host-estafet" if _over_tls(request) else "estafet"


class PageRoute(GuardedRoute):
    """A page: the cookie's token is admitted like a bearer token. A visitor without a token is sent to sign in.

    Unlike the API, a page ignores undeclared parameters. Programs that pass a link on add parameters of their own, and
    a person cannot avoid that. The page shows the filters in effect.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, called after admission."""
        handle = APIRoute.get_route_handler(self)

        async def page(request: Request) -> Response:
            try:
                state_of(request).admission.admit(request, self.name, request.cookies.get(cookie(request)))
            except Refused as refused:
                return _ask_to_sign_in(request, refused.problem)
            public = state_of(request).admission.rules[self.name].public
            if not public and _seconds_left(request) > VISIT_SECONDS:
                return _ask_to_sign_in(request, "token-not-valid")
            return await handle(request)

        return page


router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=PageRoute)


def _ask_to_sign_in(request: Request, problem: str) -> Response:
    again = {"token-required": ""}.get(problem, "&lagi=1")
    path = request.url.path if PAGE_PATH.fullmatch(request.url.path) else "/"
    address = f"/masuk?ke={path}{again}"
    if request.headers.get("hx-request"):  # htmx follows a redirect inside the page; this loads a whole one
        return Response(status_code=401, headers={**HEADERS, "HX-Redirect": address})
    return RedirectResponse(address, 303, headers=HEADERS)


@router.get("/masuk")
def sign_in_page(request: Request, ke: str = "/", lagi: str = "") -> HTMLResponse:
    """Show the sign-in page. ``ke``: the path to open afterwards; ``lagi``: the earlier token was refused."""
    return _page(request, ke, 200, ENDED if lagi else None)


@router.post("/masuk")
def sign_in(request: Request, token: Annotated[str, Form(max_length=8192)] = "", ke: str = "/") -> Response:
    """Set the cookie, if the token is valid for the pages and expires within VISIT_SECONDS.

    A token of an earlier visit in the same browser is revoked. A refused token shows the page again with the reason.
    """
    admission = state_of(request).admission
    if not _from_our_own_page(request):
        return _page(request, ke, 403, ELSEWHERE)
    try:
        request.state.caller = caller = admission.caller(token.strip() or None, request)
        admit(admission.rules, "list_page", caller, admission.sight(caller))
    except Refused as refused:
        return _page(request, ke, 401, NO_COORDINATOR if refused.problem == "role-not-allowed" else NOT_FOR_HERE)
    left = _seconds_left(request)
    if left > VISIT_SECONDS:
        return _page(request, ke, 401, TOO_LONG)
    if (before := _visitor(request)) is not None and before.token != caller.token:
        _end_token(request, before)
    answer = RedirectResponse(ke if PAGE_PATH.fullmatch(ke) else "/", 303, headers=HEADERS)
    answer.set_cookie(cookie(request), token.strip(), max_age=left, **_cookie_attributes(request))
    return answer


@router.post("/keluar")
def sign_out(request: Request) -> Response:
    """Revoke the token and delete the cookie."""
    if not _from_our_own_page(request):
        return _page(request, "/", 403, ELSEWHERE)
    if (leaving := _visitor(request)) is not None:  # an expired token must not prevent signing out
        request.state.caller = leaving  # for the log
        _end_token(request, leaving)
    answer = RedirectResponse("/masuk", 303, headers={**HEADERS, "Clear-Site-Data": '"cache", "cookies", "storage"'})
    answer.delete_cookie(cookie(request), **_cookie_attributes(request))
    return answer


def _visitor(request: Request) -> Caller | None:
    """The caller of the cookie's token, or None where the token is missing or no longer valid."""
    admission = state_of(request).admission
    with suppress(Refused):
        return admission.caller(request.cookies.get(cookie(request)), request)
    return None


def _end_token(request: Request, caller: Caller) -> None:
    """Revoke a token at coordination, its only audience. The database keeps the revocation over a restart."""
    database = state_of(request).database
    until = datetime.fromtimestamp(caller.until + LEEWAY_SECONDS, UTC)
    database.write(lambda tx: signed_out.keep(tx, caller.token, until))
    state_of(request).revoked.end({caller.token: until}, database.now())


def _seconds_left(request: Request) -> int:
    """Seconds until the caller's token expires."""
    caller: Caller = request.state.caller
    return caller.until - int(state_of(request).admission.now().timestamp())


def _cookie_attributes(request: Request) -> CookieAttributes:
    """The cookie's attributes. Its deletion needs the same ones, or a browser ignores it (RFC 6265bis 5.7)."""
    return {"path": "/", "httponly": True, "samesite": "strict", "secure": _over_tls(request)}


def _over_tls(request: Request) -> bool:
    return request.url.scheme == "https"


def _page(request: Request, ke: str, status: int, fault: Text | None) -> HTMLResponse:
    context = {"ke": ke if PAGE_PATH.fullmatch(ke) else "/", "fault": fault}
    return templates.TemplateResponse(request, "sign_in.html", context, status_code=status, headers=HEADERS)


def _from_our_own_page(request: Request) -> bool:
    """Whether a form was sent from this site. Browsers say so in Fetch Metadata (Sec-Fetch-Site), older ones in Origin.

    Our pages send no referrer, so their Origin is ``null`` and says nothing. Over TLS one of the two headers must
    confirm the site; without TLS a browser may omit both.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin", "null")
    if site is not None and site not in ("same-origin", "none"):
        return False
    if origin != "null":
        return origin == f"{request.url.scheme}://{request.headers.get('host', '')}"
    return site is not None or not (_over_tls(request) or "origin" in request.headers)
