"""The databases of a test: empty ones, and migrated ones that are copied from a template.

To migrate an empty database costs a tenth of a second and more. The copy of a migrated one costs almost nothing. So
each kind of member is migrated once in a process, and every test has copies of its own.
"""

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from shared.reference.office import new_id
from shared.storage.engine import open_engine
from shared.storage.migrate import migrate

Lineages = tuple[Path, ...]


class Databases(ABC):
    """Member → its own database, made when it is first asked for."""

    def __init__(self) -> None:
        self._urls: dict[str, str] = {}
        self._up_to_date: set[str] = set()

    def __call__(self, member: str) -> str:
        """The URL of a member's database: an empty one, unless it was made before."""
        if member not in self._urls:
            self._urls[member] = self._make(member, ())
        return self._urls[member]

    def migrated(self, member: str, lineages: Sequence[Path]) -> str:
        """The URL of a member's database, which is up to date; what is in it stays."""
        if member not in self._urls:
            self._urls[member] = self._make(member, tuple(lineages))
        elif member not in self._up_to_date:
            bring_up_to_date(self._urls[member], lineages)
        self._up_to_date.add(member)
        return self._urls[member]

    @abstractmethod
    def _make(self, member: str, lineages: Lineages) -> str:
        """A new database with these migrations, of which there may be none. Answers its URL."""


class SqliteDatabases(Databases):
    """Files in a folder, named after their members."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def _make(self, member: str, lineages: Lineages) -> str:
        path = self._folder / f"{member}.db"
        if lineages and not path.exists():
            path.write_bytes(sqlite_template(lineages))
        elif lineages:
            bring_up_to_date(f"sqlite:///{path}", lineages)
        return f"sqlite:///{path}"


class PostgresDatabases(Databases):
    """Databases on a PostgreSQL server, with names of their own."""

    def __init__(self, server: str) -> None:
        super().__init__()
        self._server = server

    def _make(self, member: str, lineages: Lineages) -> str:
        return new_postgres_database(self._server, postgres_template(self._server, lineages) if lineages else None)


class Given(Databases):
    """One existing database for every member."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def _make(self, member: str, lineages: Lineages) -> str:
        if lineages:
            bring_up_to_date(self._url, lineages)
        return self._url


def bring_up_to_date(url: str, lineages: Sequence[Path]) -> None:
    """Migrate a database, as an operator does before a start."""
    engine = open_engine(url)
    migrate(engine, lineages)
    engine.dispose()


@cache
def sqlite_template(lineages: Lineages) -> bytes:
    """The file of a migrated SQLite database without a row."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.db"
        bring_up_to_date(f"sqlite:///{path}", lineages)
        assert [found.name for found in path.parent.iterdir()] == [path.name]  # nothing is left in a log beside it
        return path.read_bytes()


@cache
def postgres_template(server: str, lineages: Lineages) -> str:
    """The name of a migrated PostgreSQL database without a row."""
    url = new_postgres_database(server)
    bring_up_to_date(url, lineages)
    return str(make_url(url).database)


def wait_for_the_disk(server: str, waits: str) -> None:
    """Say whether a PostgreSQL server waits for its disk (``on``, as it was made) or not (``off``).

    No test cuts the power, and every new database of a test would wait. Returns once new connections have it so.
    """
    settings, engine = ("fsync", "full_page_writes"), create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for setting in settings:
            connection.execute(text(f"ALTER SYSTEM SET {setting} = {waits}"))
        connection.execute(text("SELECT pg_reload_conf()"))
    seen: list[str] = []
    while seen != [waits] * len(settings):
        engine.dispose()
        with engine.connect() as new:
            seen = [str(new.execute(text(f"SHOW {setting}")).scalar_one()) for setting in settings]
    engine.dispose()


def new_postgres_database(server: str, template: str | None = None) -> str:
    """Make a database on this server, empty or as a copy. Answers its URL."""
    name = f"t{new_id().replace('-', '')}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else "")))
    engine.dispose()
    return make_url(server).set(database=name).render_as_string(hide_password=False)
