"""Ledger and access log only grow: on SQLite by triggers, on PostgreSQL by the rights of the service's role."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError, ProgrammingError

from deploy.local.databases import make_database, service_role
from deploy.local.embedded_nats import EmbeddedNats
from shared.agency.member import LINEAGES
from shared.reference.office import new_id
from shared.service.commands import migrate as migrate_command
from shared.storage.append_only import APPEND_ONLY, grant
from shared.storage.engine import open_engine
from shared.storage.migrate import check_migrated, migrate
from tests.support.databases import Databases, Given
from tests.support.network import Network, a_victim

LEDGER = """
    INSERT INTO ledger (event_id, sent, type, link, body, sha256, signature, recorded_at)
    VALUES ('e1', true, 'a-type', 'one>two', 'body', 'hash', 'signature', '2026-11-24 00:00:00')
"""
ACCESS = "INSERT INTO access_log (victim_id, purpose, fields, at) VALUES ('v1', 'care', '[]', '2026-11-24 00:00:00')"
WRITE = {"ledger": LEDGER, "access_log": ACCESS}
CHANGE = {"ledger": "UPDATE ledger SET body = 'forged'", "access_log": "UPDATE access_log SET purpose = 'none'"}
REFUSALS = (IntegrityError, OperationalError, ProgrammingError)


def run(engine: Engine, statement: str) -> int:
    with engine.begin() as connection:
        done = connection.execute(text(statement))
        return int(done.scalar_one()) if done.returns_rows else 0


def count(engine: Engine, table: str) -> int:
    return run(engine, f"SELECT count(*) FROM {table}")


@pytest.fixture
def engine(database_url: Databases) -> Iterator[Engine]:
    """A migrated database of either kind, as its owner sees it."""
    engine = open_engine(database_url("police"))
    migrate(engine, LINEAGES)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_not_even_the_owner_changes_or_deletes_what_was_written(engine: Engine, table: str) -> None:
    run(engine, WRITE[table])
    wiping = [] if engine.dialect.name == "sqlite" else [f"TRUNCATE {table}"]
    for statement in (CHANGE[table], f"DELETE FROM {table}", *wiping):
        with pytest.raises(DatabaseError, match="append-only"):
            run(engine, statement)
    assert count(engine, table) == 1
    run(engine, WRITE[table].replace("'e1'", "'e2'"))
    assert count(engine, table) == 2


def test_writing_over_an_entry_is_no_way_round(engine: Engine) -> None:
    run(engine, LEDGER)
    over = LEDGER.replace("'body'", "'forged'").rstrip()
    conflict = f"{over} ON CONFLICT (event_id) DO UPDATE SET body = 'forged'"
    replace = over.replace("INSERT", "INSERT OR REPLACE", 1)
    for statement in (conflict, replace) if engine.dialect.name == "sqlite" else (conflict,):
        with pytest.raises(REFUSALS, match="append-only"):
            run(engine, statement)
    assert run(engine, "SELECT count(*) FROM ledger WHERE body = 'body'") == 1


@dataclass
class Roles:
    """A member's database, seen by the role that owns it and by the one its service has."""

    member: str
    owner_url: str
    service_url: str


@pytest.fixture
def roles(postgres_url: str) -> Iterator[Roles]:
    """Made as ``deploy.local.databases`` makes them, under names of this test's own."""
    member = f"t{new_id().replace('-', '')}"
    server = make_url(postgres_url)
    with psycopg.connect(server.set(drivername="postgresql").render_as_string(False), autocommit=True) as connection:
        make_database(connection, member, "owners-own", "services-own")
        make_database(connection, member, "owners", "services")  # a second time sets the passwords

    def url(role: str, password: str) -> str:
        return server.set(username=role, password=password, database=member).render_as_string(False)

    yield Roles(member, url(member, "owners"), url(service_role(member), "services"))
    with psycopg.connect(server.set(drivername="postgresql").render_as_string(False), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {member} WITH (FORCE)")
        for role in (service_role(member), member):
            connection.execute(f"DROP ROLE {role}")


@pytest.fixture
def service(roles: Roles, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The database as the service sees it, after the operator's ``migrate``."""
    migrate_as_operator(roles, monkeypatch)
    engine = open_engine(roles.service_url)
    yield engine
    engine.dispose()


def migrate_as_operator(roles: Roles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESTAFET_DATABASE_URL", roles.owner_url)
    migrate_command("services.police.main", service_role(roles.member))


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_the_service_adds_to_them_and_has_no_right_to_more(service: Engine, table: str) -> None:
    run(service, WRITE[table])
    for statement in (CHANGE[table], f"DELETE FROM {table}", f"TRUNCATE {table}", f"SELECT * FROM {table} FOR UPDATE"):
        with pytest.raises(ProgrammingError, match=f"permission denied for table {table}"):
            run(service, statement)
    assert count(service, table) == 1


BUILDING = [
    "CREATE TABLE extra (id int)",
    "CREATE TEMPORARY TABLE extra (id int)",
    "CREATE SCHEMA extra",
    "CREATE FUNCTION extra() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "DROP TABLE ledger",
    "DROP TRIGGER ledger_append_only ON ledger",
    "ALTER TABLE ledger DISABLE TRIGGER ALL",
    "ALTER TABLE ledger OWNER TO CURRENT_USER",
    "DROP FUNCTION refuse_change() CASCADE",
    "UPDATE alembic_version SET version_num = 'from-the-future'",
    "TRUNCATE victims",
    "SET session_replication_role = replica",
    "CREATE ROLE extra",
]


@pytest.mark.parametrize("statement", BUILDING)
def test_the_service_neither_builds_nor_tears_down(service: Engine, statement: str) -> None:
    with pytest.raises(ProgrammingError) as refused:
        run(service, statement)
    assert isinstance(refused.value.orig, InsufficientPrivilege)


def test_the_service_cannot_become_the_owner(service: Engine, roles: Roles) -> None:
    with pytest.raises(ProgrammingError, match="permission denied to set role"):
        run(service, f"SET ROLE {roles.member}")


def test_the_owner_can_still_migrate_and_the_rights_stay(
    service: Engine, roles: Roles, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate_as_operator(roles, monkeypatch)
    owner = open_engine(roles.owner_url)
    run(owner, "CREATE TABLE later (id serial PRIMARY KEY, word text)")
    with pytest.raises(ProgrammingError, match="permission denied"):
        run(service, "INSERT INTO later (word) VALUES ('too early')")
    grant(owner, service_role(roles.member))
    owner.dispose()
    check_migrated(service, LINEAGES)
    for statement in ("INSERT INTO later (word) VALUES ('one')", "UPDATE later SET word = 'two'", "DELETE FROM later"):
        run(service, statement)
    with pytest.raises(ProgrammingError, match="permission denied for table ledger"):
        run(service, CHANGE["ledger"])


async def test_a_service_works_with_these_rights(
    tmp_path: Path, secrets: Path, nats: EmbeddedNats, service: Engine, roles: Roles
) -> None:
    network = Network(tmp_path, secrets, nats, Given(roles.service_url))
    police = await network.start("police", online=False)
    victim = await a_victim(police, identity={"name": "Melati Contoh Rekaan"})
    assert (await police.get(f"/v1/victims/{victim}/identity", purpose="care"))["name"]
    await network.stop_all()
    assert count(service, "access_log") == 1 and count(service, "ledger") > 0
