"""The places where words of a person could lie, and the places in a request where one can be told."""

import contextlib
import json
import os
import re
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

from shared.contracts.types import ONE_LINE, SEVERAL_LINES
from tests.support.canary import Canaries
from tests.support.canary_story import AGENCIES
from tests.support.network import Network


def backups(network: Network) -> Iterator[tuple[str, bytes]]:
    """A backup of every database, made while it runs, by the database's own means."""
    for code in network.apps:
        url = make_url(network.database_url(code))
        if url.get_backend_name() == "sqlite":
            copy = network.folder / f"{code}.backup"
            with contextlib.closing(sqlite3.connect(str(url.database))) as source:
                with contextlib.closing(sqlite3.connect(copy)) as target:
                    source.backup(target)
                yield f"dump of {code}", "\n".join(source.iterdump()).encode()
            continue
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain) as connection:
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            connection.execute("CHECKPOINT")
            for (table,) in tables:
                with connection.cursor().copy(f'COPY "{table}" TO STDOUT') as rows:
                    yield f"dump of {code}.{table}", b"".join(bytes(block) for block in rows)


def data_folder(network: Network) -> Path | None:
    """The data folder of the tests' PostgreSQL server, with its write-ahead log."""
    url = make_url(network.database_url("police"))
    if url.get_backend_name() == "sqlite":
        return None
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as connection:
        shown = connection.execute("SHOW data_directory").fetchone()
    assert shown is not None
    return Path(shown[0])


NUMBERS = ("/nik", "/passport", "/born_on", "/phone", "/value")


def texts_taken(app: Any) -> Iterator[tuple[str, str, str]]:
    """Each place in a request where a person may be told of in words or numbers: method, route, pointer."""
    document = app.openapi()

    def below(schema: dict[str, Any], at: str) -> Iterator[str]:
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        for one in schema.get("anyOf", ()):
            yield from below(one, at)
        for name, one in schema.get("properties", {}).items():
            yield from below(one, f"{at}/{name}")
        free = (
            schema.get("pattern") in (None, ONE_LINE, SEVERAL_LINES) and not {"enum", "const", "format"} & schema.keys()
        )
        if schema.get("type") == "string" and (free or at.endswith(NUMBERS)):
            yield at

    for path, item in document["paths"].items():
        for method, operation in item.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            for at in below(content.get("schema", {}), ""):
                yield method.upper(), path, at


def planted(sent: list[tuple[str, str, bytes]], canaries: Canaries) -> set[tuple[str, str, str]]:
    """Places where callers have told a canary: method, path, pointer."""

    def texts(value: Any, at: str = "") -> Iterator[str]:
        if isinstance(value, dict):
            for name, one in value.items():
                yield from texts(one, f"{at}/{name}")
        elif isinstance(value, str) and any(word in value for word in canaries.words.values()):
            yield at

    found = set()
    for method, path, body in sent:
        with contextlib.suppress(ValueError):
            found |= {(method, path, at) for at in texts(json.loads(body))}
    return found


def never_planted(network: Network, told: Iterable[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """The places for a word of a person in which this run has said none."""
    taken = {place for code in AGENCIES for place in texts_taken(network.apps[code])}
    assert len(taken) > 25
    told = set(told)

    def is_told(place: tuple[str, str, str]) -> bool:
        method, route, at = place
        form = re.compile(re.sub(r"{[^}]*}", "[^/]+", route))
        return any((method, at) == (how, where) and form.fullmatch(path) for how, path, where in told)

    return sorted(place for place in taken if not is_told(place))


def processes() -> bytes:
    """The words and the environment that each process here was started with, where the system tells (Linux)."""
    seen = [repr(sys.argv).encode(), repr(dict(os.environ)).encode()]
    for file in (*Path("/proc").glob("[0-9]*/cmdline"), *Path("/proc").glob("[0-9]*/environ")):
        with contextlib.suppress(OSError):
            seen.append(file.read_bytes())
    return b"\n".join(seen)
