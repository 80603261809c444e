"""The security design names everything it must: every table, secret, library, log and use of cryptography there is."""

import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

from sqlalchemy import MetaData

from deploy.credentials.secret_ages import PERIODS, period_of
from deploy.credentials.secrets import make_secrets
from services.coordination.tables import CoordinationStored
from shared.storage.tables import Stored
from shared.victims.sealed.tables import DataKeyRow
from tests.support.sources import ROOT, broken, imports, shipped

DESIGN = (ROOT / "shared" / "security" / "SECURITY-DESIGN.md").read_text()
TABLES: list[MetaData] = [Stored.metadata, DataKeyRow.metadata, CoordinationStored.metadata]
CRYPTOGRAPHY = imports("cryptography", "joserfc", "jose", "nkeys", "nacl", "ssl", "hmac", "OpenSSL", "pkcs11")
LOGGED = re.compile(r"\b(?:log|get_logger\(\))\.(?:debug|info|warning|error|critical)\(\s*\"([a-z.-]+)\"")


def section(title: str) -> set[str]:
    """The names in backticks of a section."""
    [text] = re.findall(rf"^## \d+\. {title}\n(.*?)(?=^## |\Z)", DESIGN, re.MULTILINE | re.DOTALL)
    return {name.strip() for name in re.findall(r"`([^`\n]+)`", text)}


def test_every_table_is_in_a_class_of_data() -> None:
    stored = {name for metadata in TABLES for name in metadata.tables}
    assert len(stored) > 15
    assert stored - section("Data") == set()


def test_every_file_that_uses_cryptography_is_in_its_inventory() -> None:
    using = {place.partition(":")[0] for place in broken(CRYPTOGRAPHY)}
    assert len(using) >= 5
    known = section("Cryptography")
    assert sorted(name for name in using if not any(fnmatch(name, one) for one in known)) == []
    named = {name for name in known if name.endswith(".py") and "*" not in name}
    assert sorted(name for name in named if not (ROOT / name).is_file()) == []


def test_every_secret_that_is_made_has_a_time_to_be_replaced(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    made = [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()]
    private = [name for name in made if not name.startswith("public/")]
    assert len(private) > 10
    no_secrets = {"tls.pem", "client.pem", "clients.json"}  # certificates, and the register of public keys
    assert [name for name in private if period_of(name) is None and Path(name).name not in no_secrets] == []


def test_the_page_says_after_how_long_each_secret_is_replaced() -> None:
    """The page and ``deploy.credentials.certificates check`` name the same days."""
    [text] = re.findall(r"^## 6\. Secrets\n(.*?)(?=^## )", DESIGN, re.MULTILINE | re.DOTALL)
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| `")]
    said = {
        pattern: int(row[2].replace("days", ""))
        for row in rows
        for pattern in re.findall(r"`([^`]+)`", row[1])
        if pattern not in ("*/tls.pem", "*/client.pem")
    }
    assert said == PERIODS


def test_every_library_that_is_chosen_is_named() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert {re.split(r"[^a-z0-9-]", library)[0] for library in declared} - section("Libraries") == set()


def test_every_kind_of_event_that_is_logged_is_in_the_inventory() -> None:
    known = section("Logs")
    logged = {event for path in shipped() for event in LOGGED.findall(path.read_text())}
    assert len(logged) > 10
    assert {event for event in logged if not {event, f"{event.partition('.')[0]}.*"} & known} == set()


def test_every_path_on_the_page_exists() -> None:
    """A module without its folder counts too: nobody can tell which file it means."""
    paths = set(re.findall(r"`((?:shared|services|deploy|tests)/[\w./-]+|[\w./-]+\.py)`", DESIGN))
    assert len(paths) > 50
    assert sorted(path for path in paths if not (ROOT / path).exists()) == []
