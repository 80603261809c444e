"""The checks of ``deploy.compose.test`` on a running stack's connections: which clients are refused, and how."""

import contextlib
import json
import re
import socket
import ssl
from collections.abc import Iterator, Mapping

from shared.security.transport import ClientTls

HOST = "127.0.0.1"
SECONDS = 5.0

DATABASE = """
import json, os, pathlib, psycopg
own = pathlib.Path('/run/secrets/database.password').read_text().strip()
right = dict(host='postgres', user='police_service', dbname='police', password=own, sslmode='verify-full')
said = {}
for name, wrong, statement in json.loads(os.environ['ASKED']):
    try:
        with psycopg.connect(**(right | wrong)) as connection:
            said[name] = str(connection.execute(statement).fetchone())
    except psycopg.Error as refusal:
        said[name] = str(refusal)
print(json.dumps(said))
"""
"""A program for the container of the police, with the environment of its service."""

LOOK = "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
ASKED: Mapping[str, tuple[Mapping[str, str], str, str]] = {
    "as it should be": ({}, LOOK, r"\('TLSv1\.3',\)"),
    "without TLS": ({"sslmode": "disable"}, LOOK, "pg_hba.conf rejects connection"),
    "TLS 1.2": ({"ssl_max_protocol_version": "TLSv1.2"}, LOOK, "protocol version"),
    "without a certificate": ({"sslcert": "/nowhere", "sslkey": "/nowhere"}, LOOK, "requires a valid client certif"),
    "with a server's certificate": (
        {"sslcert": "/run/secrets/tls.pem", "sslkey": "/run/secrets/tls-key.pem"},
        LOOK,
        "alert|SSL error|certificate",
    ),
    "trusting another CA": ({"sslrootcert": "/run/secrets/tls.pem"}, LOOK, "certificate verify failed"),
    "as the owner": ({"user": "police"}, LOOK, "password authentication failed"),
    "as another member": ({"user": "kemenkes_service"}, LOOK, "password authentication failed"),
    "in another's database": ({"dbname": "kemenkes"}, LOOK, 'permission denied for database "kemenkes"'),
    "rewriting the ledger": ({}, "UPDATE ledger SET body = ''", "permission denied for table ledger"),
    "emptying the access log": ({}, "TRUNCATE access_log", "permission denied for table access_log"),
    "building": ({}, "CREATE TABLE extra (id int)", "permission denied for schema public"),
}
"""Name of an attempt → (changes to the correct login, SQL statement, pattern that the answer must match)."""


def asked_at_the_database() -> str:
    """The JSON that ``DATABASE`` reads from ``ASKED`` in its environment."""
    return json.dumps([(name, wrong, statement) for name, (wrong, statement, _) in ASKED.items()])


def faults_of_database(said: str) -> Iterator[str]:
    """One line for each attempt whose answer, in the output of ``DATABASE``, is not the expected one."""
    answers = json.loads(said)
    for name, (_, _, must) in ASKED.items():
        if not re.search(must, answers[name]):
            yield f"database, {name}: {answers[name]}"


def faults_of_listener(name: str, port: int, own: ClientTls, speaks_first: bool) -> Iterator[str]:
    """One line for each fault of a local port: the port refuses its own member, or serves a wrong client.

    Wrong are a client without a certificate, with TLS 1.2, or without TLS. ``speaks_first``: the server sends first.
    """
    if not _served(port, own.context(), speaks_first):
        yield f"{name} does not serve its own member"
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.load_verify_locations(own.ca)
    old = own.context()
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2
    for who, tls in (("without a certificate", bare), ("in TLS 1.2", old), ("in clear", None)):
        if _served(port, tls, speaks_first):
            yield f"{name} serves who comes {who}"


def _served(port: int, tls: ssl.SSLContext | None, speaks_first: bool) -> bool:
    with contextlib.ExitStack() as open_ones, contextlib.suppress(OSError):
        connection = open_ones.enter_context(socket.create_connection((HOST, port), SECONDS))
        if tls is not None:
            connection = open_ones.enter_context(tls.wrap_socket(connection, server_hostname=HOST))
        if tls is None or not speaks_first:
            connection.sendall(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return connection.recv(1024)[:4] in (b"HTTP", b"INFO")
    return False
