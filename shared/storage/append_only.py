"""Tables to which rows are only ever added, and how both databases are made to hold that.

On PostgreSQL the role that a service logs in with has no right to change them, and a trigger refuses it to their owner
too. SQLite has no roles: there the trigger stands alone, and whoever can write the file can remove it.
"""

from psycopg import sql
from sqlalchemy import Engine, inspect

APPEND_ONLY = ("ledger", "access_log")
REST = sql.SQL("SELECT, INSERT, UPDATE, DELETE")
RIGHTS = {"alembic_version": sql.SQL("SELECT"), **dict.fromkeys(APPEND_ONLY, sql.SQL("SELECT, INSERT"))}
"""What a service may do with these tables; with all others, REST. Nowhere may it truncate, create or drop."""

_SQLITE = """\
CREATE TRIGGER {table}_no_{change} BEFORE {change} ON {table}
BEGIN SELECT RAISE(ABORT, 'this table is append-only'); END"""
_FUNCTION = """\
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE 'this table is append-only' USING ERRCODE = 'insufficient_privilege'; END $$"""
_POSTGRESQL = """\
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"""


def refusing_changes(dialect: str, table: str) -> list[str]:
    """The statements of a migration that make a table append-only."""
    if dialect == "sqlite":
        return [_SQLITE.format(table=table, change=change) for change in ("UPDATE", "DELETE")]
    return [_FUNCTION, _POSTGRESQL.format(table=table)]


def grant(engine: Engine, role: str) -> None:
    """Give the role of a service its rights to every table there is, and no others. PostgreSQL only; run by the owner.

    Safe to run again, and to be run after each migration. Raises psycopg.Error, as where there is no such role.
    """
    to, tables = sql.Identifier(role), inspect(engine).get_table_names()
    with engine.begin() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        for name in tables:
            table = sql.Identifier(name)
            driver.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(table, to))
            driver.execute(sql.SQL("GRANT {} ON {} TO {}").format(RIGHTS.get(name, REST), table, to))
        driver.execute(sql.SQL("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}").format(to))
