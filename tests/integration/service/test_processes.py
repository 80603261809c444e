"""A service as a process of its own: what it says when it cannot start, or when everything goes wrong."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from services.members import SERVICES
from shared.logs.fields import MARK
from tests.support.faulty import CANARY
from tests.support.served import PATIENCE, Served, served
from tests.support.sources import ROOT

WATCH = """
import importlib, sqlite3, sys
import sqlalchemy, alembic.command
def never(*a, **k): raise SystemExit("an import touched a database: " + repr(a))
alembic.command.upgrade = sqlalchemy.Engine.connect = sqlite3.connect = sqlite3.dbapi2.connect = never
for module in sys.argv[1:]:
    importlib.import_module(module)
"""


def lines_of(log: str) -> list[dict[str, Any]]:
    """Its lines, every one of which is JSON."""
    return [json.loads(line) for line in log.splitlines()]


def asked(police: Served, fault: str) -> int:
    return police.send(b"GET /faults/%s HTTP/1.1\r\nHost: police\r\nConnection: close\r\n\r\n" % fault.encode()).status


FAULTS = {"route": 500, "answer": 500, "warning": 200, "library": 200, "task": 200, "log": 200}


def test_no_fault_says_what_it_was_about(tmp_path: Path, secrets: Path) -> None:
    with served(tmp_path, secrets, "tests.support.faulty:app", log_level="debug") as police:
        assert {fault: asked(police, fault) for fault in FAULTS} == FAULTS
        log = police.stop()
    for word in ("kanari", "siti", "7401016502990001", "name_of_victim", "traceback"):
        assert word not in log.lower(), word
    lines = lines_of(log)
    assert {line["error"] for line in lines if line["event"] == "http.fault"} == {
        "RuntimeError",
        "ResponseValidationError",
    }
    [fault] = [line for line in lines if line.get("error") == "RuntimeError"]
    assert fault["places"][-1].startswith("tests/support/faulty.py:")
    libraries = {"nats.aio.client", "sqlalchemy.engine.Engine", "uvicorn.error", "alembic", "asyncio", "py.warnings"}
    assert {line["logger"] for line in lines if line["event"] == "library.spoke"} == {*libraries, MARK}
    assert {line["error"] for line in lines if line["event"] == "process.fault"} == {"TypeError", "ValueError"}
    assert [line["dropped"] for line in lines if "dropped" in line] == [2, 1, 2]
    assert {line["event"] for line in lines if line.get("dropped")} == {"person.found", MARK}


@pytest.mark.parametrize(
    ("app", "settings", "said"),
    [
        ("tests.support.faulty:never_starts", {}, {"error": "RuntimeError"}),
        ("services.police.main:app", {"key_directory_root_file": f"/nowhere/{CANARY}"}, {"reason": "enoent"}),
        ("services.police.main:app", {"rate_burst": CANARY}, {"reason": "wrong-settings", "settings": ["rate_burst"]}),
        (
            "services.police.main:app",
            {"nats_ca_file": f"/nowhere/{CANARY}"},
            {"reason": "wrong-settings", "settings": ["nats_ca_file", "nats_certificate_file", "nats_key_file"]},
        ),
        ("services.coordination.main:app", {}, {"reason": "not-migrated"}),
    ],
)
def test_a_service_that_cannot_start_says_why_and_no_more(
    tmp_path: Path, secrets: Path, app: str, settings: dict[str, Any], said: dict[str, Any]
) -> None:
    with served(tmp_path, secrets, app, listens=False, **settings) as service:
        assert service.process.wait(PATIENCE) != 0
        log = service.log.read_text(encoding="utf-8")
    assert "kanari" not in log.lower() and "Traceback" not in log
    [failed] = [line for line in lines_of(log) if line["event"] == "service.failed"]
    assert failed["level"] == "critical" and failed["places"]
    assert failed.items() >= said.items()


def test_a_service_told_of_such_a_place_does_not_start(tmp_path: Path, secrets: Path) -> None:
    wrong = "http://secret.elsewhere.example/keys"
    with served(tmp_path, secrets, listens=False, issuer_jwks=wrong) as police:
        assert police.process.wait(PATIENCE) != 0
        log = police.log.read_text(encoding="utf-8")
    [failed] = [json.loads(line) for line in log.splitlines() if "service.failed" in line]
    assert (failed["reason"], failed["settings"]) == ("wrong-settings", ["issuer_jwks"])
    assert "secret" not in log


def test_no_import_runs_a_migration(tmp_path: Path) -> None:
    database = tmp_path / "untouched.db"
    environment = {"PYTHONPATH": str(ROOT), "ESTAFET_DATABASE_URL": f"sqlite:///{database}"}
    modules = [*SERVICES.values(), "shared.service.commands"]
    done = subprocess.run([sys.executable, "-c", WATCH, *modules], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert not database.exists()
