"""``make compose-test`` starts Docker Compose from nothing, plays a journey, restarts, kills, and removes everything.

It runs the README's operator commands in a copy of this clone, under its own project name and ports. An operator's
deployment on the same machine stays untouched. The test always takes down what it started.
"""

import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from deploy.client.agency_system import new_id
from deploy.client.token_source import token_sources
from deploy.compose.stack import Compose, copy_clone
from deploy.compose.transport import DATABASE, asked_at_the_database, faults_of_database, faults_of_listener
from deploy.journey.play import play, show_trouble
from deploy.local.console_output import Progress, say
from services.members import SERVICES

FOR_DEVELOPMENT = {
    *("TLS_CERTIFICATE_FILE", "TLS_CLIENT_CA_FILE", "NATS_CA_FILE", "NATS_CERTIFICATE_FILE"),
    *("ISSUER", "ISSUER_JWKS"),
    *("KEY_FOLDER", "KEY_DIRECTORY_FILE", "KEY_DIRECTORY_ROOT_FILE", "TLS_CLIENT_CRL_FILE", "REVOKED_TOKENS_FILE"),
}
"""The settings of this deployment that production refuses: CA, issuer of tokens, keys, shared public files."""


@contextmanager
def stack() -> Iterator[Compose]:
    """Start the stack from nothing; in the end remove it and its volumes. After a failure print the services' logs."""
    with tempfile.TemporaryDirectory() as folder:
        compose = Compose(copy_clone(Path(folder) / "estafet"))
        try:
            bring_up = "Membangun citra dan menyalakan", "building the images and bringing it up"
            step(*bring_up, lambda: compose.as_operator("make secrets"))
            compose.until_ready()
            yield compose
        except BaseException:
            print(compose.run("logs", "--tail", "30", check=False), file=sys.stderr)
            raise
        finally:
            step("Menurunkan", "taking it down", lambda: compose.run("down", "--volumes", "--remove-orphans"))


def step(indonesian: str, english: str, work: Any) -> Any:
    """Do one step and print how long it took. Returns its result."""
    began = time.monotonic()
    result = work()
    say(f"✓ {indonesian} ({time.monotonic() - began:.1f} s)", english, "green")
    return result


def visible_state(compose: Compose) -> dict[str, Any]:
    """The state as callers see it: every referral at every agency, and coordination's counts."""
    seen: dict[str, Any] = {}
    for name in compose.urls:
        with compose.call(name) as http:
            if name == "coordination":
                seen[name] = http.get("/v1/counts").raise_for_status().json()
                continue
            items = http.get("/v1/referrals", params={"limit": 200}).raise_for_status().json()["items"]
            seen[name] = {item["id"]: (item["status"], item["version"], item["closed"]) for item in items}
    return seen


def must(holds: bool, what: str) -> None:
    """Raises AssertionError with ``what`` unless ``holds``."""
    if not holds:
        raise AssertionError(what)


def check_hardening(compose: Compose) -> None:
    """Check each container: no root, read-only file system, no capability, no open port, no secret in plain sight."""
    for name, container in compose.containers().items():
        host = container["HostConfig"]
        must(host["ReadonlyRootfs"], f"{name}: the root file system is writable")
        must(host["CapDrop"] == ["ALL"], f"{name}: keeps capabilities")
        for bindings in (host["PortBindings"] or {}).values():
            must({b["HostIp"] for b in bindings} == {"127.0.0.1"}, f"{name}: a port is open to the network")
        told, key = json.dumps(container), (compose.clone / "deploy/secrets/nats/store.key").read_text()
        must(key not in told and "password=" not in told.lower(), f"{name}: a secret in plain sight")
    for name in SERVICES:
        must(compose.run("exec", "-T", name, "id", "-u").strip() != "0", f"{name} runs as root")
        write = compose.run("exec", "-T", name, "sh", "-c", "touch /srv/estafet/x 2>&1 || echo refused")
        must("refused" in write, f"{name}: could write its own code")


def check_transport(compose: Compose) -> None:
    """Check that services, broker and database speak TLS 1.3 only, and only with clients that show a certificate.

    Also checked: each database role has only its own rights, and production refuses exactly FOR_DEVELOPMENT.
    """
    wrong: list[str] = []
    for name, port in compose.ports.items():
        wrong += faults_of_listener(name, port, compose.tls(name), speaks_first=False)
    wrong += faults_of_listener("nats", compose.nats_port, compose.tls("police"), speaks_first=True)
    asked = "-e", f"ASKED={asked_at_the_database()}"
    wrong += faults_of_database(compose.run("exec", "-T", *asked, "police", "python", "-c", DATABASE))
    must(not wrong, "\n".join(wrong))
    serve = "python -m shared.http.serve services.police.main --port 8001 2>&1"
    said = compose.run("exec", "-T", "-e", "ESTAFET_PROFILE=production", "police", "sh", "-c", f"{serve} || true")
    found = set(re.findall(r"^✗ ESTAFET_(\w+)", said, re.MULTILINE))
    must(found == FOR_DEVELOPMENT, f"in production it would refuse {sorted(found)}:\n{said}")


def check_journey(compose: Compose) -> None:
    """Play the whole journey, which checks its own result."""
    own = {name: compose.tls(name) for name in compose.urls}
    auths = token_sources(compose.issuer_url, compose.secrets)
    asyncio.run(play(compose.urls, auths, Progress(), show_trouble, own))


def check_keys(compose: Compose) -> None:
    """Check that new keys are used, and a revoked key is known within 10 s, without restarting a container."""
    before = {name: container["State"]["StartedAt"] for name, container in compose.containers().items()}
    for words in ("rotate police --after 0", "rotate police --use storage", "revoke police-1 --reason key-compromise"):
        command = [sys.executable, "-m", "deploy.credentials.keys", *words.split(), "--folder", str(compose.secrets)]
        subprocess.run(command, cwd=compose.clone, check=True, capture_output=True)
    deadline = time.monotonic() + 10
    for name in SERVICES:
        with compose.call(name) as http:
            while "police-1" not in _revoked(http):
                must(time.monotonic() < deadline, f"{name} does not know within 10 s that a key is revoked")
                time.sleep(0.2)
    check_journey(compose)
    told = compose.run("exec", "-T", "postgres", "sh", "-c", WRAPPED_UNDER)
    must("storage-2" in told.split(), f"the new storage key wraps nothing: {told}")
    after = {name: container["State"]["StartedAt"] for name, container in compose.containers().items()}
    must(before == after, "a container was started again")


WRAPPED_UNDER = (
    'PGPASSWORD="$(cat /run/secrets/postgres)" psql --username postgres --dbname police --no-align --tuples-only '
    """--command "SELECT DISTINCT split_part(wrapped, '.', 1) FROM data_keys" """
)
"""A command that lists the storage keys which wrap data keys in the police's database."""


def _revoked(http: httpx.Client) -> set[str]:
    return {key["kid"] for key in http.get("/v1/keys").raise_for_status().json()["keys"] if "revoked_at" in key}


def check_survival(compose: Compose) -> None:
    """Check that no state is lost by a full restart, or by kill -9 of broker, service and database."""
    before = visible_state(compose)
    step("Memulai ulang, lalu menurunkan", "restart, then down", lambda: compose.as_operator("docker compose logs"))
    step("Menyalakan lagi", "bringing it up again", lambda: compose.as_operator("make secrets"))
    compose.until_ready()
    must(visible_state(compose) == before, "the restart has changed what can be seen")
    for name in ("nats", "kemenpppa", "postgres"):
        compose.run("kill", "--signal", "SIGKILL", name)
        compose.run("up", "--detach", "--wait", "--wait-timeout", "120")
        compose.until_ready()
        must(visible_state(compose) == before, f"kill -9 of {name} has changed what can be seen")
        say(f"✓ {name} dibunuh dan kembali", f"{name} was killed and is back", "green")
    _open_a_case(compose)
    check_journey(compose)


def _open_a_case(compose: Compose) -> None:
    """Send one idempotent call twice, and check that both answers are the same."""
    key, body = new_id(), {"unit": "polres-74.01", "channel": "spkt", "exploitation": "unknown"}
    with compose.call("police") as http:
        calls = [http.post("/v1/cases", json=body, headers={"Idempotency-Key": key}) for _ in range(2)]
    must([call.status_code for call in calls] == [201, 201], "a case was not opened")
    must(calls[0].json() == calls[1].json(), "the same key had two answers")


def main() -> None:
    """The whole test."""
    began = time.monotonic()
    with stack() as compose:
        check_journey(compose)
        step("Pengerasan diperiksa", "hardening holds", lambda: check_hardening(compose))
        step("Jalur terenkripsi diperiksa", "transport holds", lambda: check_transport(compose))
        step("Kunci diganti tanpa mulai ulang", "keys replaced with no restart", lambda: check_keys(compose))
        check_survival(compose)
    say(f"✓ Docker Compose lulus dalam {time.monotonic() - began:.0f} s", "compose test passed", "bold green")


if __name__ == "__main__":
    main()
