"""The greatest age of each secret of a deployment, and when each is due for replacement.

A period counts in days from the file's last change (NIST SP 800-57 part 1, 5.3: cryptoperiods). Of numbered keys only
the newest counts, because older ones only verify and open old data. Certificates carry their own end.
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
"""Pattern of a path inside the folder → days until replacement. The first matching pattern counts."""

_NUMBERED = re.compile(r"(.+)-([0-9]+)\.(pem|key)")


def period_of(name: str) -> timedelta | None:
    """The period of a file, named relative to the folder. None for a certificate or a file that is no secret."""
    days = next((days for pattern, days in PERIODS.items() if fnmatch(name, pattern)), None)
    return None if days is None else timedelta(days=days)


def due_dates(folder: Path) -> Iterator[tuple[Path, datetime]]:
    """Each secret in use, and when it must be replaced (UTC)."""
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
