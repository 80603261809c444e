"""Makes the secrets a deployment starts with, and the public files that go with them.

``python -m deploy.secrets FOLDER`` writes, and never overwrites, what only its owner may read:

    FOLDER/<member>/nats.seed              how the member logs in to the broker
    FOLDER/<agency>/<agency>-1.pem         the key an agency signs its events with
    FOLDER/<agency>/database.password      of the role that owns the agency's database and migrates it
    FOLDER/<agency>/service.password       of the role that its service logs in with
    FOLDER/<agency>/tls.pem, tls-key.pem   what its service shows to callers; likewise of the servers nats and postgres
    FOLDER/<member>/client.pem, client-key.pem   what the member shows to the broker, the database and other services
    FOLDER/nats/store.key                  with which the broker encrypts what it stores
    FOLDER/postgres/superuser.password
    FOLDER/ca/ca-key.pem                   the key of the development CA: see deploy.authority

and writes anew each time, from those, what everyone may read:

    FOLDER/public/ca.pem, crl.pem          the CA's certificate, and the list of what it has revoked; once
    FOLDER/public/keys.json                the agencies' public keys (a JWK set)
    FOLDER/public/nats/members.conf        the broker's accounts: public keys and the rights of nats/rights/
"""

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from secrets import token_urlsafe
from typing import Annotated

import nkeys  # type: ignore[import-untyped]
import typer

from deploy.authority import make_certificates, now_utc
from shared.security.keys import SigningKey

RIGHTS = Path(__file__).parent / "nats" / "rights"


class Role(StrEnum):
    """What a member is to the broker; its rights are in ``nats/rights/<role>.txt``."""

    AGENCY = "agency"
    """Signs and publishes events, reads its own mail."""
    FOLLOWER = "follower"
    """Reads only: an integrator, a province that follows itself."""
    PROVISIONER = "provisioner"
    """Makes the stream and the consumers, reads and publishes nothing."""


AGENCIES = ["police", "kemenpppa", "kemensos", "kemenkes", "coordination"]
FOLLOWERS = ["province-74"]
PROVISIONER = "provisioner"
"""The one name the broker's configuration knows."""
BROKER, DATABASE = "nats", "postgres"
"""The servers that are no members."""
SOON = timedelta(days=30)
"""A certificate that expires within it is to be renewed: who looks each month never meets an expired one."""


def network(agencies: Iterable[str], followers: Iterable[str] = ()) -> dict[str, Role]:
    """The members of a network of these agencies and followers: name → role, with the provisioner."""
    roles = {**dict.fromkeys(agencies, Role.AGENCY), **dict.fromkeys(followers, Role.FOLLOWER)}
    return roles | {PROVISIONER: Role.PROVISIONER}


MEMBERS: Mapping[str, Role] = network(AGENCIES, FOLLOWERS)

IMPORTED_BY_ALL = "$JS.API.INFO"
"""No right: nats-server.conf says what it is for."""

# a name becomes a folder, a token of a subject and an account: no dot, no wildcard, no quote, no path
NAME = re.compile(r"[a-z][a-z0-9-]*")
RESERVED = {"all", "ca", "public", BROKER, DATABASE}

ACCOUNT = """\
"{member}" {{
  imports: [
{imports}
  ]
  users: [ {{
    nkey: "{nkey}"
    permissions {{
      publish {{ allow: [
{publish}
      ] }}
      subscribe {{ allow: [ "_INBOX.{member}.>" ] }}
    }}
  }} ]
}}
"""
"""The imports are the wall. The permissions say the same once more, so that a refusal is said aloud and logged."""


def make_secrets(folder: Path, members: Mapping[str, Role] = MEMBERS) -> None:
    """Make what is missing in ``folder`` for these members (name → role); what is there stays.

    Raises ValueError for a name that cannot be one, or when ``keys.json`` knows another key under a key's id;
    FileNotFoundError where a certificate is missing and the CA's key is elsewhere.
    """
    for member in members:
        if not NAME.fullmatch(member) or member in RESERVED:
            raise ValueError(f"{member!r} cannot be the name of a member")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    public = _folder(folder / "public", 0o755)
    jwks: list[dict[str, str]] = []
    accounts: list[str] = []
    for member, role in members.items():
        own = _folder(folder / member)
        accounts.append(_account(member, role, _nats_public_key(own / "nats.seed")))
        if role is Role.AGENCY:
            _write_once(own / "database.password", token_urlsafe)
            _write_once(own / "service.password", token_urlsafe)
            jwks += [key.public_jwk(member) for key in _signing_keys(own, member)]
    _write_once(_folder(folder / DATABASE) / "superuser.password", token_urlsafe)
    _write_once(_folder(folder / BROKER) / "store.key", token_urlsafe)
    certify_network(folder, members)
    _write_public(public / "keys.json", _key_directory(public / "keys.json", jwks))
    header = "# Written by deploy.secrets from deploy/nats/rights/: do not edit.\n\n"
    _write_public(_folder(public / "nats", 0o755) / "members.conf", header + "\n".join(accounts))


def certify_network(folder: Path, members: Mapping[str, Role] = MEMBERS, renew: timedelta | None = None) -> list[Path]:
    """Make the certificates of these members and of the servers where missing; see ``make_certificates``."""
    agencies = [member for member, role in members.items() if role is Role.AGENCY]
    return make_certificates(folder, [*agencies, BROKER, DATABASE], [*members, DATABASE], now_utc(), renew)


def _folder(path: Path, mode: int = 0o700) -> Path:
    path.mkdir(exist_ok=True)
    path.chmod(mode)  # mkdir's own mode is cut by the umask, and does nothing to a folder that is there
    return path


def _write_once(path: Path, make: Callable[[], str]) -> None:
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(make())


def _write_public(path: Path, text: str) -> None:
    # replaced in one step: a server that reads it at this moment sees the old file or the new one
    new = path.with_name(f"{path.name}.new")
    new.write_text(text)
    new.chmod(0o644)
    new.replace(path)


def _nats_public_key(seed_file: Path) -> str:
    _write_once(seed_file, lambda: _text(nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)))
    return _text(nkeys.from_seed(bytearray(seed_file.read_bytes().strip())).public_key)


def _text(ascii_bytes: bytes) -> str:
    return ascii_bytes.decode("ascii")


def _signing_keys(own: Path, member: str) -> list[SigningKey]:
    """Every signing key of an agency: after a rotation there are several, and the first may be gone."""
    numbered = f"{member}-[0-9]*.pem"
    if not list(own.glob(numbered)):
        SigningKey.generate(f"{member}-1").save(own)
    return [SigningKey.load(path) for path in sorted(own.glob(numbered))]


def _key_directory(path: Path, jwks: Iterable[dict[str, str]]) -> str:
    """The JWK set with these keys and all it held before: old ledgers are verified with retired keys."""
    known = {jwk["kid"]: jwk for jwk in json.loads(path.read_bytes())["keys"]} if path.exists() else {}
    for jwk in jwks:
        if known.setdefault(jwk["kid"], jwk) != jwk:
            raise ValueError(f"{path} knows another key {jwk['kid']}: give the new key a new id")
    return json.dumps({"keys": [known[kid] for kid in sorted(known)]}, indent=2) + "\n"


def _account(member: str, role: Role, nkey: str) -> str:
    lines = (RIGHTS / f"{role}.txt").read_text().splitlines()
    subjects = [line.replace("<member>", member) for line in lines if line and not line.startswith("#")]
    imported = dict.fromkeys([IMPORTED_BY_ALL, *(s for s in subjects if not s.startswith("$SYS."))])
    return ACCOUNT.format(
        member=member,
        nkey=nkey,
        imports="\n".join(f'    {{ service: {{ account: ESTAFET, subject: "{s}" }} }}' for s in imported),
        publish="\n".join(f'        "{s}"' for s in subjects),
    )


def _command(
    folder: Annotated[Path, typer.Argument(help="Where the secrets are or shall be.")],
    agency: Annotated[list[str], typer.Option(help="An agency; repeat for each, they replace the default.")] = AGENCIES,
    follower: Annotated[list[str], typer.Option(help="A member that only reads; repeat for each.")] = FOLLOWERS,
    renew: Annotated[bool, typer.Option("--renew", help="Also renew the certificates that expire soon.")] = False,
) -> None:
    """Make the secrets of a deployment where they are missing. Nothing secret is ever overwritten."""
    members = network(agency, follower)
    make_secrets(folder, members)
    if renew:
        certify_network(folder, members, SOON)


def main() -> None:
    """The command line."""
    typer.run(_command)


if __name__ == "__main__":
    main()
