"""The issuer's clients, its commands, tokens that are minted without asking, and the profile that forbids it all."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from deploy.credentials.secrets import make_secrets
from deploy.issuer.app import create_issuer
from deploy.issuer.clients import make_issuer
from deploy.issuer.keys import load_private_key
from deploy.issuer.profile import OnlyForDevelopment
from deploy.issuer.registry import load_clients, save_clients
from deploy.issuer.tokens import Grant, client_at, mint
from services.members import SERVICES
from shared.security.tokens import thumbprint
from tests.support.certificates import self_signed
from tests.support.issuer import CLIENT, command, unb64
from tests.support.network import TestClock


def test_every_member_has_a_client_for_each_of_its_roles(secrets: Path) -> None:
    clients = load_clients(secrets / "issuer")
    for member in SERVICES:
        roles = {client.role for client in clients.values() if client.member == member}
        working = {"coordinator"} if member == "coordination" else {"officer", "supervisor"}
        assert roles == {*working, "auditor", "integrator", "administrator"}
    desks = {client.unit for client in clients.values() if client.role in ("officer", "coordinator")}
    assert {
        "bareskrim",
        "polres-74.01",
        "polres-73.71",
        "uptd-ppa-74.01",
        "rs-73.71",
        "pusat",
        "gugus-tugas-74",
    } <= desks
    for name, client in clients.items():
        key = secrets / client.member / "clients" / f"{name}.pem"
        assert key.stat().st_mode & 0o777 == 0o600 and "d" not in client.jwk


def test_what_is_registered_by_hand_outlives_the_making_of_what_is_missing(tmp_path: Path) -> None:
    make_issuer(tmp_path, ["police"])
    clients = load_clients(tmp_path / "issuer")
    clients["police-hotline"] = clients[CLIENT].model_copy(update={"certificate": "thumbprint"})
    save_clients(tmp_path / "issuer", clients)
    lost = tmp_path / "police" / "clients" / "police-auditor.pem"
    lost.unlink()
    make_issuer(tmp_path, ["police", "kemensos"])
    after = load_clients(tmp_path / "issuer")
    assert after["police-hotline"] == clients["police-hotline"] and after[CLIENT] == clients[CLIENT]
    assert after["police-auditor"].jwk["kid"] == load_private_key(lost).kid != clients["police-auditor"].jwk["kid"]
    assert "kemensos-officer" in after


# --- a token without asking -------------------------------------------------------------------------------------------


def read(token: str, secrets: Path) -> dict[str, Any]:
    keys = KeySet.import_key_set(json.loads((secrets / "public" / "issuer.json").read_text()))
    return jwt.decode(token, keys, ["ES256"]).claims


def test_the_command_prints_one_line_and_nothing_else(secrets: Path) -> None:
    done = command("deploy.client.token", "police", "--folder", str(secrets))
    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", 1)
    claims = read(done.stdout.strip(), secrets)
    assert (claims["roles"], claims["unit"], claims["client_id"]) == (["officer"], "bareskrim", "police-officer")
    assert claims["exp"] - claims["iat"] == 600


def test_the_command_takes_a_role_a_desk_and_a_time(secrets: Path) -> None:
    options = ["--role", "supervisor", "--unit", "gugus-tugas-74", "--minutes", "720"]
    claims = read(
        command("deploy.client.token", "coordination", *options, "--folder", str(secrets)).stdout.strip(), secrets
    )
    assert (claims["aud"], claims["roles"]) == ("urn:estafet:coordination", ["supervisor"])
    assert (claims["unit"], claims["exp"] - claims["iat"]) == ("gugus-tugas-74", 12 * 3600)


@pytest.mark.parametrize(
    ("options", "sub", "act"),
    [
        ([], "petugas-police-officer", {"sub": "police-officer"}),
        (["--person", "petugas-17"], "petugas-17", {"sub": "police-officer"}),
        (["--person", ""], "police-officer", None),
    ],
    ids=["invented", "named", "the system itself"],
)
def test_the_command_names_a_human_or_the_system(secrets: Path, options: list[str], sub: str, act: Any) -> None:
    done = command("deploy.client.token", "police", "--folder", str(secrets), *options)
    claims = read(done.stdout.strip(), secrets)
    assert (claims["sub"], claims.get("act"), claims["client_id"]) == (sub, act, "police-officer")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["police", "--unit", "rs-74.01"], "no such member or unit"),
        (["interpol"], "no such member or unit"),
        (["police", "--minutes", "721"], "720"),
        (["police", "--role", "chief"], "chief"),
        (["police", "--person", "ani@rekaan.example"], "a person is a pseudonym"),
        (["police", "--folder", "nowhere"], "run make secrets"),
    ],
    ids=str,
)
def test_what_the_command_cannot_do_it_says_on_stderr(secrets: Path, options: list[str], says: str) -> None:
    done = command("deploy.client.token", "--folder", str(secrets), *options)
    assert done.returncode != 0 and done.stdout == "" and says in done.stderr


def test_a_token_can_be_minted_for_any_desk_and_bound_to_a_certificate(secrets: Path) -> None:
    now, system = TestClock()(), self_signed("kemenkes-system")
    asked = "kemenkes", "officer", "rs-31.71"
    grant = Grant(client_at(secrets, *asked), *asked, thumbprint(system.pem))
    claims = read(mint(secrets, grant, now, 5), secrets)
    assert (claims["client_id"], claims["unit"]) == ("kemenkes-officer-rs-31.71", "rs-31.71")
    assert claims["exp"] - claims["iat"] == 300
    assert claims["cnf"] == {"x5t#S256": unb64(hashlib.sha256(system.der).digest())}
    for minutes in (0, 721):
        with pytest.raises(ValueError, match="minutes"):
            mint(secrets, grant, now, minutes)


# --- only for development ---------------------------------------------------------------------------------------------


COMMANDS = {
    "serve": ["deploy.issuer", "serve", "--port", "1"],
    "create": ["deploy.issuer", "create"],
    "rotate": ["deploy.issuer", "rotate"],
    "token": ["deploy.client.token", "police"],
}


@pytest.mark.parametrize("profile", ["production", "prodution"])
@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_of_the_issuer_runs_in_another_profile(secrets: Path, name: str, profile: str) -> None:
    before = sorted((secrets / "issuer").iterdir())
    done = command(*COMMANDS[name], "--folder", str(secrets), profile=profile)
    assert done.returncode != 0 and done.stdout == ""
    assert "ESTAFET_PROFILE bukan development" in done.stderr and "ESTAFET_PROFILE is not development" in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted((secrets / "issuer").iterdir()) == before


def test_in_production_nothing_is_minted_or_made(
    tmp_path: Path, secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ESTAFET_PROFILE", "production")
    make_secrets(tmp_path)
    assert not (tmp_path / "issuer").exists() and not (tmp_path / "police" / "clients").exists()
    with pytest.raises(OnlyForDevelopment):
        mint(secrets, Grant("police-officer", "police", "officer", "bareskrim"), TestClock()())
    with pytest.raises(OnlyForDevelopment):
        create_issuer(secrets, "http://127.0.0.1:1")


def test_an_issuer_whose_key_anyone_may_read_does_not_start(tmp_path: Path) -> None:
    make_issuer(tmp_path, ["police"])
    (tmp_path / "issuer" / "issuer-1.pem").chmod(0o644)
    done = command("deploy.issuer", "serve", "--folder", str(tmp_path), "--port", "1")
    assert done.returncode == 1 and "chmod 600" in done.stderr
