"""The stack of Docker Compose in a copy of this clone, under a project name and ports of its own."""

import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx

from deploy.client.token import make_token
from deploy.local.embedded_nats import free_port
from services.members import SERVICES
from shared.domain.access import Role
from shared.security.transport import ClientTls

ROOT = Path(__file__).parents[2]
PROJECT = os.environ.get("ESTAFET_PROJECT", "estafet-test")
CONTAINER_USER = 10001
READY_SECONDS = 90.0
README_PORTS = {"coordination": 8000, "police": 8001, "kemenpppa": 8002, "kemensos": 8003, "kemenkes": 8004}


class Compose:
    """The stack under test, in a copy of the clone."""

    def __init__(self, clone: Path) -> None:
        self.clone = clone
        self.secrets = clone / "deploy" / "secrets"
        self.ports: dict[str, int] = {}
        for name in (*SERVICES, "issuer", "nats"):
            self.ports[name] = free_port(but=self.ports.values())
        issuer_port, self.nats_port = self.ports.pop("issuer"), self.ports.pop("nats")
        self.issuer_url = f"https://127.0.0.1:{issuer_port}"
        self._environment = {
            **os.environ,
            "ESTAFET_PROJECT": PROJECT,
            "ESTAFET_PROFILE": "development",
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
