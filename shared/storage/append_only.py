"""Append-only tables, and how PostgreSQL and SQLite enforce that.

On PostgreSQL the role of a service has no right to change these tables. A trigger stops the owner of the tables too.
SQLite has no roles, so only the trigger protects. A process that can write the file can remove the trigger.
"""

from psycopg import sql
from sqlalchemy import Engine, inspect

APPEND_ONLY = ("ledger", "access_log")
REST = sql.SQL("SELECT, INSERT, UPDATE, DELETE")
RIGHTS = {"alembic_version": sql.SQL("SELECT"), **dict.fromkeys(APPEND_ONLY, sql.SQL("SELECT, INSERT"))}
"""Table → the rights of a service's role; REST on every other table. No table may be truncated, created or dropped."""

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
    """The SQL statements with which a migration makes a table append-only. ``dialect``: "sqlite" or "postgresql"."""
    if dialect == "sqlite":
        return [_SQLITE.format(table=table, change=change) for change in ("UPDATE", "DELETE")]
    return [_FUNCTION, _POSTGRESQL.format(table=table)]


def grant(engine: Engine, role: str) -> None:
    """Grant the role of a service exactly its rights on every existing table. PostgreSQL only; the owner runs this.

    Safe to run again; run it after each migration. Raises psycopg.Error, for example when the role does not exist.
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
