"""Inspect the files and the database of a service. ``shared.service.production.rules`` judges the facts."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from cryptography.x509 import load_pem_x509_certificates
from sqlalchemy import Connection, make_url, text

from shared.security.development import is_of_development_ca, lies_in_development
from shared.service.production.rules import CERTIFICATE_FILES, SECRET_FILES, TRUST_FILES, Facts
from shared.service.settings import Settings
from shared.storage.append_only import APPEND_ONLY
from shared.storage.engine import open_engine

DURABILITY = ("fsync", "full_page_writes", "synchronous_commit")
"""Server settings of PostgreSQL. With one of them off, a crash may lose a committed transaction."""


PASSWORDS = ("database_password_file",)
SHORTEST = 20
"""Minimum length of a random password, in characters; a password of ``make secrets`` has 43."""


def look_around(settings: Settings) -> Facts:
    """The facts about files and database. Raises sqlalchemy.exc.OperationalError when the database does not answer."""
    facts = _of_files(settings)
    known = make_url(settings.database_url).get_backend_name() == "postgresql"
    if not known or "database_password_file" in facts.unreadable:
        return facts
    engine = open_engine(settings.database())
    try:
        with engine.connect() as connection:
            return replace(facts, not_durable=_not_durable(connection), may_rewrite=_may_rewrite(connection))
    finally:
        engine.dispose()


def _of_files(settings: Settings) -> Facts:
    secrets = _files(settings, SECRET_FILES)
    files = secrets | _files(settings, CERTIFICATE_FILES) | _files(settings, TRUST_FILES)
    readable = {name: path for name, path in files.items() if _is_readable(name, path)}
    return Facts(
        unreadable=frozenset(files) - frozenset(readable),
        guessable=frozenset(name for name in PASSWORDS if name in readable and _is_guessable(readable[name])),
        exposed=frozenset(name for name in secrets if name in readable and _is_exposed(readable[name])),
        for_development=frozenset(name for name, path in readable.items() if _is_for_development(name, path)),
    )


def _files(settings: Settings, names: Iterable[str]) -> dict[str, Path]:
    given = {name: getattr(settings, name) for name in names}
    return {name: path for name, path in given.items() if path is not None}


def _keys_in(folder: Path) -> list[Path]:
    return [*folder.glob("*.key"), *folder.glob("*.pem")]


def _is_guessable(password: Path) -> bool:
    text = password.read_text(encoding="utf-8", errors="replace").strip()
    return len(text) < SHORTEST or len(set(text)) < SHORTEST // 2


def _is_exposed(path: Path) -> bool:
    secrets = [file for file in _keys_in(path) if _is_secret(file)] if path.is_dir() else [path]
    return any(file.stat().st_mode & 0o077 for file in secrets)


def _is_secret(file: Path) -> bool:
    """Whether the file is a private key, and not the certificate beside it."""
    return file.suffix == ".key" or b"PRIVATE KEY" in file.read_bytes()


def _is_readable(name: str, path: Path) -> bool:
    try:
        if path.is_dir():
            return bool(keys := _keys_in(path)) and all(key.stat().st_size for key in keys)
        content = path.read_bytes()
        return bool(load_pem_x509_certificates(content) if name in CERTIFICATE_FILES else content)
    except (OSError, ValueError):
        return False


def _is_for_development(name: str, path: Path) -> bool:
    return lies_in_development(path) or (name in CERTIFICATE_FILES and is_of_development_ca(path))


def _not_durable(connection: Connection) -> tuple[str, ...]:
    told = text("SELECT name, setting FROM pg_settings WHERE name = ANY(:names)")
    found = connection.execute(told, {"names": list(DURABILITY)})
    return tuple(sorted(f"{name}=off" for name, is_set in found if is_set == "off"))


def _may_rewrite(connection: Connection) -> tuple[str, ...]:
    may = text("SELECT has_table_privilege(to_regclass(:table), 'UPDATE, DELETE, TRUNCATE')")
    return tuple(table for table in APPEND_ONLY if connection.execute(may, {"table": table}).scalar())
