"""Migrations and tables say the same, on both databases; and nothing is migrated by itself."""

import importlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, MetaData, inspect, text

from services.coordination.tables import CoordinationStored
from services.kemensos.tables import KemensosStored
from services.members import SERVICES
from shared.agency.member import LINEAGES
from shared.service.app import create_app
from shared.service.member import Member
from shared.service.running import now_utc, serving
from shared.service.settings import Settings
from shared.storage.agency_tables import AgencyStored
from shared.storage.engine import open_engine
from shared.storage.migrate import EXCHANGE, NotMigrated, check_migrated, migrate
from shared.storage.tables import Stored
from tests.support.sources import ROOT
from tests.support.tokens import trusting

COORDINATION, KEMENSOS = (ROOT / "services" / name / "migrations" for name in ("coordination", "kemensos"))
DatabaseUrl = Callable[[str], str]
KINDS: dict[str, tuple[Sequence[Path], list[MetaData]]] = {
    "an agency": (LINEAGES, [Stored.metadata, AgencyStored.metadata]),
    "kemensos": ((*LINEAGES, KEMENSOS), [Stored.metadata, AgencyStored.metadata, KemensosStored.metadata]),
    "coordination": ((EXCHANGE, COORDINATION), [Stored.metadata, CoordinationStored.metadata]),
    "only the exchange": ((EXCHANGE,), [Stored.metadata]),
}


@pytest.fixture
def engine(database_url: DatabaseUrl) -> Iterator[Engine]:
    """An empty database of either kind."""
    engine = open_engine(database_url("some-member"))
    yield engine
    engine.dispose()


def differences(engine: Engine, metadata: list[MetaData]) -> list[Any]:
    """Changes that a migration still lacks: columns, types and indexes."""
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), merged(metadata)))


def merged(parts: list[MetaData]) -> MetaData:
    whole = MetaData()
    for part in parts:
        for table in part.tables.values():
            table.to_metadata(whole)
    return whole


@pytest.mark.parametrize("kind", KINDS)
def test_a_migrated_database_is_what_the_tables_say(engine: Engine, kind: str) -> None:
    lineages, metadata = KINDS[kind]
    migrate(engine, lineages)
    assert differences(engine, metadata) == []
    assert nullability(engine, metadata) == []
    assert primary_keys(engine, metadata) == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_lineage_has_one_head(engine: Engine, kind: str) -> None:
    lineages, _ = KINDS[kind]
    migrate(engine, lineages)
    with engine.connect() as connection:
        heads = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    names = [(path.parent if path.name == "migrations" else path).name for path in lineages]
    assert sorted(head.partition("_")[0] for head in heads) == sorted(names)


def nullability(engine: Engine, metadata: list[MetaData]) -> list[str]:
    """Columns that may be empty in one and not in the other: autogenerate overlooks some of these."""
    found = inspect(engine)
    return [
        f"{table.name}.{column['name']}"
        for part in metadata
        for table in part.tables.values()
        for column in found.get_columns(table.name)
        if column["nullable"] != table.columns[column["name"]].nullable
    ]


def primary_keys(engine: Engine, metadata: list[MetaData]) -> list[str]:
    """Tables whose primary key is another in the database: autogenerate does not look at them."""
    found = inspect(engine)
    return [
        table.name
        for part in metadata
        for table in part.tables.values()
        if found.get_pk_constraint(table.name)["constrained_columns"] != table.primary_key.columns.keys()
    ]


def test_a_table_that_no_migration_makes_would_be_seen(engine: Engine) -> None:
    migrate(engine, (EXCHANGE,))
    unmade = {difference[1].name for difference in differences(engine, [Stored.metadata, AgencyStored.metadata])}
    assert set(AgencyStored.metadata.tables) <= unmade
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE referrals DROP COLUMN forced"))
        connection.execute(text("DROP INDEX ix_referrals_victim_id"))
    assert {difference[0] for difference in differences(engine, [Stored.metadata])} == {"add_column", "add_index"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_migration_changes_nothing(engine: Engine, kind: str) -> None:
    lineages, metadata = KINDS[kind]
    migrate(engine, lineages)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO sent_links (peer, last, witnessed) VALUES ('two', 7, 3)"))
    migrate(engine, lineages)
    check_migrated(engine, lineages)
    assert differences(engine, metadata) == []
    with engine.connect() as connection:
        assert connection.execute(text("SELECT peer, last, witnessed FROM sent_links")).all() == [("two", 7, 3)]


def test_an_unmigrated_database_is_refused_with_the_command_that_helps(engine: Engine) -> None:
    with pytest.raises(NotMigrated, match=r"revision none, .*python -m shared\.service\.commands migrate"):
        check_migrated(engine, LINEAGES)
    assert inspect(engine).get_table_names() == []


def test_a_database_that_is_half_way_is_refused(engine: Engine) -> None:
    migrate(engine, (EXCHANGE,))
    with pytest.raises(NotMigrated, match="run `python -m shared"):
        check_migrated(engine, LINEAGES)


def test_a_database_ahead_of_the_code_is_refused(engine: Engine) -> None:
    migrate(engine, LINEAGES)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO alembic_version (version_num) VALUES ('from-the-future')"))
    with pytest.raises(NotMigrated, match="from-the-future"):
        check_migrated(engine, LINEAGES)


def member(name: str) -> Member:
    found: Member = importlib.import_module(SERVICES[name]).MEMBER
    return found


@pytest.mark.parametrize("name", SERVICES)
def test_every_member_can_be_migrated_and_needs_what_it_declares(engine: Engine, name: str) -> None:
    lineages = member(name).lineages
    expected = KINDS[name if name in KINDS else "an agency"]
    assert set(lineages) == set(expected[0])
    migrate(engine, lineages)
    check_migrated(engine, lineages)
    assert differences(engine, expected[1]) == []


@pytest.mark.parametrize("name", ["police", "coordination"])
async def test_a_service_does_not_start_on_a_database_that_is_not_migrated(
    name: str, database_url: DatabaseUrl, secrets: Path
) -> None:
    settings = Settings(
        database_url=database_url(name),
        **trusting(name, secrets),
        log_level="critical",
    )
    app = create_app(member(name), settings, now_utc)
    with pytest.raises(NotMigrated):
        async with serving(app, member(name), settings, now_utc):
            pass
    untouched = open_engine(database_url(name))
    assert inspect(untouched).get_table_names() == []
    untouched.dispose()
