"""Makes a database and two roles for each member on a PostgreSQL server: ``python -m deploy.local.databases``.

Role ``<member>`` owns the database and migrates it. The service logs in as ``<member>_service``, which has only the
rights that the migration grants (``shared.storage.append_only``).

Settings: ``ESTAFET_POSTGRES_URL`` (superuser, without password), ``ESTAFET_POSTGRES_PASSWORD_FILE`` and
``ESTAFET_SECRETS`` (a folder with ``<member>.password`` and ``<member>_service.password``). It is safe to run again;
each run sets the passwords from the files.
"""

import os
from pathlib import Path

import psycopg
from psycopg import Connection, sql

from services.members import SERVICES


def main() -> None:
    """Make the missing databases and roles of all members, and set the passwords."""
    password = Path(os.environ["ESTAFET_POSTGRES_PASSWORD_FILE"]).read_text().strip()
    secrets = Path(os.environ["ESTAFET_SECRETS"])
    with psycopg.connect(os.environ["ESTAFET_POSTGRES_URL"], password=password, autocommit=True) as connection:
        for member in SERVICES:
            roles = member, service_role(member)
            make_database(connection, member, *((secrets / f"{role}.password").read_text().strip() for role in roles))


def service_role(member: str) -> str:
    """The role that a member's service logs in with."""
    return f"{member}_service"


def make_database(connection: Connection, member: str, password: str, service_password: str) -> None:
    """Make a member's database, the role that owns it and the role of its service. No other role may connect."""
    owner, service = sql.Identifier(member), sql.Identifier(service_role(member))
    _make_role(connection, member, password)
    _make_role(connection, service_role(member), service_password)
    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [member]).fetchone():
        # UTF-8 and byte order, whatever the server's locale: sorting must not change with a base image
        options = "TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {} " + options).format(owner, owner))
    connection.execute(sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC").format(owner))
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(owner, service))


def _make_role(connection: Connection, role: str, password: str) -> None:
    name = sql.Identifier(role)
    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(name))
    connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(name, sql.Literal(password)))


if __name__ == "__main__":
    main()
