"""Signing in to the pages: a coordinator's access token, kept in a cookie that no script reads and no other site sends.

A token is what the agency's issuer gives (an operator prints one with a command); nothing is kept on this side, and
the visit ends when the token does.
"""

import re
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from fastapi.templating import Jinja2Templates

from shared.domain.access import admit
from shared.domain.refusal import Refused
from shared.service.admission import Door, GuardedRoute

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " \
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"  # fmt: skip
HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
PAGE_PATH = re.compile(r"/|/journeys/[0-9a-f-]{36}")

templates = Jinja2Templates(Path(__file__).with_name("templates"))


def cookie(request: Request) -> str:
    """The name of the cookie; over TLS one that a browser takes from this host alone."""
    return "__Host-estafet" if request.url.scheme == "https" else "estafet"


class PageRoute(GuardedRoute):
    """A page: the door is asked with the token of the cookie, and who has none is shown where to sign in."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework's handler, behind the door."""
        handle = APIRoute.get_route_handler(self)

        async def page(request: Request) -> Response:
            try:
                request.app.state.door.admit(request, self.name, request.cookies.get(cookie(request)))
            except Refused as refused:
                return _ask_to_sign_in(request, refused.problem)
            return await handle(request)

        return page


router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=PageRoute)


def _ask_to_sign_in(request: Request, problem: str) -> Response:
    told = {"token-required": ""}.get(problem, "&lagi=1")
    path = request.url.path if PAGE_PATH.fullmatch(request.url.path) else "/"
    address = f"/masuk?ke={path}{told}"
    if request.headers.get("hx-request"):  # htmx follows a redirect inside the page; this loads a whole one
        return Response(status_code=401, headers={**HEADERS, "HX-Redirect": address})
    return RedirectResponse(address, 303, headers=HEADERS)


@router.get("/masuk")
def sign_in_page(request: Request, ke: str = "/", lagi: str = "") -> HTMLResponse:
    """Where a token is asked for."""
    return _page(request, ke, 200, "sudah berakhir atau tidak berlaku" if lagi else "")


@router.post("/masuk")
def sign_in(request: Request, token: Annotated[str, Form(max_length=8192)] = "", ke: str = "/") -> Response:
    """Take the token, if it is one for the pages."""
    door: Door = request.app.state.door
    if not _from_our_own_page(request):
        return _page(request, ke, 403, "dikirim dari halaman lain")
    try:
        caller = door.caller(token.strip() or None, request)
        admit(door.rules, "list_page", caller, door.sight(caller))
    except Refused as refused:
        fault = {"role-not-allowed": "bukan untuk koordinator"}.get(refused.problem, "tidak berlaku untuk layanan ini")
        return _page(request, ke, 401, fault)
    answer = RedirectResponse(ke if PAGE_PATH.fullmatch(ke) else "/", 303, headers=HEADERS)
    secure = request.url.scheme == "https"
    answer.set_cookie(cookie(request), token.strip(), path="/", httponly=True, samesite="strict", secure=secure)
    return answer


@router.post("/keluar")
def sign_out(request: Request) -> Response:
    """Forget the token."""
    answer = RedirectResponse("/masuk", 303, headers={**HEADERS, "Clear-Site-Data": '"cache", "cookies", "storage"'})
    answer.delete_cookie(cookie(request), path="/", httponly=True, samesite="strict")
    return answer


def _page(request: Request, ke: str, status: int, fault: str) -> HTMLResponse:
    context = {"ke": ke if PAGE_PATH.fullmatch(ke) else "/", "fault": fault}
    return templates.TemplateResponse(request, "sign_in.html", context, status_code=status, headers=HEADERS)


def _from_our_own_page(request: Request) -> bool:
    """Whether a form was sent from this very site: every browser of today says so (Fetch Metadata)."""
    return request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
