"""``make compose-test`` starts Docker Compose from nothing, plays a journey, restarts, kills, and removes everything.

It runs the README's operator commands in a copy of this clone, under its own project name and ports. An operator's
deployment on the same machine stays untouched. The test always takes down what it started.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from deploy.agency_system import new_id
from deploy.compose_transport import DATABASE, asked_at_the_database, faults_of_database, faults_of_listener
from deploy.console_output import Progress, say
from deploy.embedded_nats import free_port
from deploy.journey import play, show_trouble
from deploy.token import make_token
from deploy.token_source import token_sources
from services.members import MEMBERS
from shared.domain.access import Role
from shared.security.transport import ClientTls

ROOT = Path(__file__).parents[1]
PROJECT = os.environ.get("ESTAFET_PROJECT", "estafet-test")
CONTAINER_USER = 10001
READY_SECONDS = 90.0
FOR_DEVELOPMENT = {
    *("TLS_CERTIFICATE_FILE", "TLS_CLIENT_CA_FILE", "NATS_CA_FILE", "NATS_CERTIFICATE_FILE"),
    *("ISSUER", "ISSUER_JWKS"),
    *("KEY_FOLDER", "KEY_DIRECTORY_FILE", "KEY_DIRECTORY_ROOT_FILE", "TLS_CLIENT_CRL_FILE", "REVOKED_TOKENS_FILE"),
}
"""The settings of this deployment that production refuses: CA, issuer of tokens, keys, shared public files."""
README_PORTS = {"coordination": 8000, "police": 8001, "kemenpppa": 8002, "kemensos": 8003, "kemenkes": 8004}


class Compose:
    """The stack under test, in a copy of the clone."""

    def __init__(self, clone: Path) -> None:
        self.clone = clone
        self.secrets = clone / "deploy" / "secrets"
        self.ports: dict[str, int] = {}
        for name in (*MEMBERS, "issuer", "nats"):
            self.ports[name] = free_port(but=self.ports.values())
        issuer_port, self.nats_port = self.ports.pop("issuer"), self.ports.pop("nats")
        self.issuer_url = f"https://127.0.0.1:{issuer_port}"
        self._environment = {
            **os.environ,
            "ESTAFET_PROJECT": PROJECT,
            "ESTAFET_NATS_PORT": str(self.nats_port),
            "ESTAFET_ISSUER_PORT": str(issuer_port),
            **{f"ESTAFET_{name.upper()}_PORT": str(port) for name, port in self.ports.items()},
        }
        self.urls = {name: f"https://127.0.0.1:{port}" for name, port in self.ports.items()}

    def tls(self, member: str) -> ClientTls:
        """The TLS client settings of a member's own system."""
        return ClientTls.of_member(self.clone / "deploy" / "secrets", member)

    def call(self, member: str, role: Role | None = None) -> httpx.Client:
        """An HTTP client of a member's service, as its own system, with a bound token (RFC 8705) for an hour."""
        certificate = self.tls(member).certificate
        token = make_token(self.secrets, member, role, minutes=60, certificate=certificate)
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=self.urls[member], headers=headers, verify=self.tls(member).context(), timeout=10)

    def run(self, *words: str, check: bool = True) -> str:
        """Run ``docker compose …`` and return its output. With ``check`` a failure raises RuntimeError."""
        done = subprocess.run(
            ["docker", "compose", *words],
            cwd=self.clone,
            env=self._environment | self._user,
            capture_output=True,
            text=True,
        )
        if check and done.returncode:
            raise RuntimeError(f"docker compose {' '.join(words)}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        return done.stdout

    @property
    def _user(self) -> dict[str, str]:
        return {"ESTAFET_UID": str(os.getuid() or CONTAINER_USER)}

    def as_operator(self, begins_with: str) -> None:
        """Run the README's block of commands that begins with these words, as this user. Raises RuntimeError."""
        readme = (self.clone / "README.md").read_text(encoding="utf-8")
        [block] = [b for b in re.findall(r"```bash\n(.*?)```", readme, re.DOTALL) if b.startswith(begins_with)]
        if os.getuid() == 0:  # the README's own command for root
            [give] = re.findall(r"as root, [^`]*`([^`]+)`", readme)
            block = block.replace("export ESTAFET_UID=$(id -u)", give)
        for name, port in README_PORTS.items():
            block = block.replace(f"127.0.0.1:{port}/", f"127.0.0.1:{self.ports[name]}/")
        told = subprocess.run(
            ["bash", "-euxc", block],
            cwd=self.clone,
            env=self._environment if os.getuid() == 0 else self._environment | self._user,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if told.returncode:
            raise RuntimeError(f"the README's commands fail:\n{told.stdout[-6000:]}")

    def until_ready(self) -> None:
        """Wait until every service is ready and connected to the broker. Raises RuntimeError after READY_SECONDS."""
        deadline = time.monotonic() + READY_SECONDS
        for name in self.urls:
            while not self._is_ready(name):
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{name} is not ready again after {READY_SECONDS:.0f} s")
                time.sleep(0.2)

    def _is_ready(self, name: str) -> bool:
        try:
            with self.call(name) as http:
                health = http.get("/health/ready")
        except httpx.TransportError:
            return False
        return health.status_code == 200 and health.json()["broker"] == "connected"

    def containers(self) -> dict[str, dict[str, Any]]:
        """Service → the output of ``docker inspect`` for its container."""
        ids = self.run("ps", "-q").split()
        told = subprocess.run(["docker", "inspect", *ids], capture_output=True, text=True, check=True)
        return {c["Config"]["Labels"]["com.docker.compose.service"]: c for c in json.loads(told.stdout)}


def copy_clone(to: Path) -> Path:
    """Copy what a fresh clone would hold, uncommitted changes included, and link this Python environment into it."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)
    (to / ".venv").symlink_to(ROOT / ".venv")
    return to


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


def standing(compose: Compose) -> dict[str, Any]:
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
    for name in MEMBERS:
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
    serve = "python -m shared.service.serve services.police.main --port 8001 2>&1"
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
        command = [sys.executable, "-m", "deploy.keys", *words.split(), "--folder", str(compose.secrets)]
        subprocess.run(command, cwd=compose.clone, check=True, capture_output=True)
    deadline = time.monotonic() + 10
    for name in MEMBERS:
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
    """Check that no state is lost by a full restart, or by kill -9 of the broker, a service and the database."""
    before = standing(compose)
    step("Memulai ulang, lalu menurunkan", "restart, then down", lambda: compose.as_operator("docker compose logs"))
    step("Menyalakan lagi", "bringing it up again", lambda: compose.as_operator("make secrets"))
    compose.until_ready()
    must(standing(compose) == before, "the restart has changed what can be seen")
    for name in ("nats", "kemenpppa", "postgres"):
        compose.run("kill", "--signal", "SIGKILL", name)
        compose.run("up", "--detach", "--wait", "--wait-timeout", "120")
        compose.until_ready()
        must(standing(compose) == before, f"kill -9 of {name} has changed what can be seen")
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
