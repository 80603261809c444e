"""The apps of members, made many times in one process; their common parts are computed once."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute

from shared.domain.routing import Units
from shared.reference.units import load_units
from shared.service import running
from shared.service.app import create_app
from shared.service.member import Member
from shared.service.settings import Settings
from shared.storage.unit_of_work import Now

_routes: dict[int, BaseRoute] = {}
"""Id of a router → how it was included in the first app that has it; that holds the router itself."""


def app_of(member: Member, settings: Settings, now: Now) -> FastAPI:
    """The app of a member, as ``create_app`` makes it.

    FastAPI analyses the operations at the first request of an app. An agency's eighty operations take a third of a
    second. A router is the same in every app, so the analysis for the first app serves all others.
    """
    app = create_app(member, settings, now)
    for place, route in enumerate(app.router.routes):
        router = getattr(route, "original_router", None)
        if isinstance(router, APIRouter):
            app.router.routes[place] = _routes.setdefault(id(router), route)
    return app


@cache
def _units(path: Path, written: int, size: int) -> Units:
    return load_units(path)


def units_of(path: Path) -> Units:
    """The units of a table. They never change: a table that was read is read again only where it was written anew."""
    about = path.stat()
    return _units(path, about.st_mtime_ns, about.st_size)


@contextmanager
def units_read_once() -> Iterator[None]:
    """Let every service of this process take its units from memory: to make all 2249 costs 0.05 s of CPU."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "load_units", units_of)
        yield
