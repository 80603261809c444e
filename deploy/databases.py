"""Makes a database and a user for each member on a PostgreSQL server: ``python -m deploy.databases``.

Settings: ``ESTAFET_POSTGRES_URL`` (superuser, without password), ``ESTAFET_POSTGRES_PASSWORD_FILE`` and
``ESTAFET_SECRETS`` (a folder with ``<member>.password``). Safe to run again; passwords are set to what the files say.
"""

import os
from pathlib import Path

import psycopg
from psycopg import Connection, sql

from services.members import MEMBERS


def main() -> None:
    """Make what is missing."""
    password = Path(os.environ["ESTAFET_POSTGRES_PASSWORD_FILE"]).read_text().strip()
    secrets = Path(os.environ["ESTAFET_SECRETS"])
    with psycopg.connect(os.environ["ESTAFET_POSTGRES_URL"], password=password, autocommit=True) as connection:
        for member in MEMBERS:
            make_database(connection, member, (secrets / f"{member}.password").read_text().strip())


def make_database(connection: Connection, member: str, password: str) -> None:
    """A user that owns one database, which nobody else may enter."""
    name = sql.Identifier(member)
    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [member]).fetchone():
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(name))
    connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(name, sql.Literal(password)))
    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [member]).fetchone():
        # UTF-8 and byte order whatever the server's own locale is: sorting must not change with a base image
        options = "TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {} " + options).format(name, name))
    connection.execute(sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC").format(name))


if __name__ == "__main__":
    main()
