"""How old the secrets of a deployment may become, and which are older.

A period is in days from when a file was written (NIST SP 800-57 part 1, 5.3: cryptoperiods). Of numbered keys the
newest counts: the ones before only verify and open what is old. Certificates say themselves when they end.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatch
from pathlib import Path

PERIODS: Mapping[str, int] = {
    "ca/*": 1825,
    "directory/*": 1825,
    "issuer/issuer-[0-9]*.pem": 90,
    "*/clients/*.pem": 90,
    "*/keys/storage-[0-9]*.key": 365,
    "*/keys/blind-index.key": 1825,
    "*/keys/matching-[0-9]*.key": 1825,
    "*/nats.seed": 365,
    "*/database.password": 90,
    "*/service.password": 90,
    "postgres/superuser.password": 90,
    "nats/store.key": 365,
    "*/tls-key.pem": 365,
    "*/client-key.pem": 365,
    "*/keys/*-[0-9]*.pem": 365,
}
"""Which file → after how many days it is to be replaced. The first that fits a file counts."""

_NUMBERED = re.compile(r"(.+)-([0-9]+)\.(pem|key)")


def period_of(name: str) -> timedelta | None:
    """For how long a file of the folder serves; None for what is no secret, or a certificate."""
    days = next((days for pattern, days in PERIODS.items() if fnmatch(name, pattern)), None)
    return None if days is None else timedelta(days=days)


def due_dates(folder: Path) -> Iterator[tuple[Path, datetime]]:
    """Each secret that is in use, and when it is to be replaced (UTC)."""
    newest: dict[str, tuple[int, Path]] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name, number = str(path.relative_to(folder)), 0
        if period_of(name) is None:
            continue
        if numbered := _NUMBERED.fullmatch(name):
            name, number = numbered[1], int(numbered[2])
        newest[name] = max(newest.get(name, (number, path)), (number, path))
    for _, path in newest.values():
        period = period_of(str(path.relative_to(folder)))
        assert period is not None
        yield path, datetime.fromtimestamp(path.stat().st_mtime, UTC) + period
