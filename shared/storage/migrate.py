"""Migrations. A command runs them, never an import or a start: ``python -m shared.service.commands migrate``.

A lineage is a folder of revisions. Every member has ``exchange`` (ledger, outbox, referrals). Agencies add
``agency``. A service may add its own lineage.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

HERE = Path(__file__).with_name("migrations")
EXCHANGE = HERE / "exchange"


class NotMigrated(RuntimeError):
    """The database does not have the revision that this code needs."""

    reason = "not-migrated"


def _config(lineages: Sequence[Path]) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(str(path) for path in lineages).replace("%", "%%"))
    return config


def migrate(engine: Engine, lineages: Sequence[Path]) -> None:
    """Upgrade the database to the newest revisions. Safe to run again."""
    config = _config(lineages)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "heads")


@cache
def _newest(lineages: tuple[Path, ...]) -> frozenset[str]:
    """The newest revisions. They are code: to load them again costs as much as the rest of a start."""
    return frozenset(ScriptDirectory.from_config(_config(lineages)).get_heads())


def check_migrated(engine: Engine, lineages: Sequence[Path]) -> None:
    """Raises NotMigrated when the database is behind or ahead of the code. The message names the command to run."""
    heads = _newest(tuple(lineages))
    with engine.connect() as connection:
        at = set(MigrationContext.configure(connection).get_current_heads())
    if at != heads:
        raise NotMigrated(
            f"database has revision {', '.join(sorted(at)) or 'none'}, this version needs {', '.join(sorted(heads))}: "
            "run `python -m shared.service.commands migrate services.<agency>.main` first"
        )
