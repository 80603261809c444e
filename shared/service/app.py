"""A member's service, built from its declaration: ``app = create_app(MEMBER)``."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException

from shared.domain.refusal import Refused
from shared.http import docs_page, openapi, problems
from shared.http.admission import check_guarded
from shared.http.middleware import Middleware
from shared.logs.setup import about, configure_logs, silence_others
from shared.service.app_state import ServiceState
from shared.service.member import Member
from shared.service.running import now_utc, serving, settings_from_environment
from shared.service.settings import Settings
from shared.service.slice import all_refusals
from shared.storage.unit_of_work import Now

log = structlog.get_logger()


def create_app(member: Member, settings: Settings | None = None, now: Now = now_utc) -> FastAPI:
    """The service of a member as a FastAPI app.

    Without ``settings`` the app reads the environment at its start, not at import. ``now``: the time, in UTC.
    Raises ValueError when routes and access rules do not match, or a problem code has no text or two. The start
    raises WrongSettings, Unsafe, NotMigrated and what an unusable file or database raises.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        configure_logs("info")
        silence_others()  # only a server runs this code, so the whole process is ours
        try:
            async with serving(app, member, settings or settings_from_environment(), now):
                yield
        except Exception as error:
            log.critical("service.failed", **about(error))
            raise

    app = FastAPIOffline(
        title=f"Estafet · {member.agency.label.id}",
        version="0.1.0",
        description=f"{member.agency.label.id} / {member.agency.label.en}. Subsatgas: {member.agency.subsatgas}.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would repeat the query in its Location
        responses=openapi.responses(),
        generate_unique_id_function=lambda route: route.name,
    )
    app.state = ServiceState({"refusals": all_refusals(member.slices)})
    _add_slices(app, member)
    _describe(app, member, now)
    return app


def _add_slices(app: FastAPI, member: Member) -> None:
    """Add the routes of every slice, behind admission and middleware."""
    for router in member.routers:
        app.include_router(router)
    check_guarded(member.rules, member.routers)
    openapi.check_texts(member.routers, app.state.refusals)
    docs_page.add_to(app)
    app.add_exception_handler(Refused, problems.on_refused)
    app.add_exception_handler(RequestValidationError, problems.on_invalid)
    app.add_exception_handler(HTTPException, member.no_such_address)
    app.add_middleware(Middleware, routes=app.routes)


def _describe(app: FastAPI, member: Member, now: Now) -> None:
    """Complete the OpenAPI document. Its examples name our desks, which are known only after the start."""

    def examples() -> Mapping[str, Any]:
        office = getattr(app.state, "office", None)
        return member.examples(office, now().date()) if office else {}

    openapi.describe(app, app.state.refusals, examples, member.rules)
