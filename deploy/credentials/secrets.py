"""Makes the secrets that a deployment starts with, and the public files that belong to them.

``python -m deploy.credentials.secrets FOLDER`` writes these files. Only their owner may read them, and none is ever
overwritten:

    FOLDER/<member>/nats.seed              the key that logs the member in to the broker
    FOLDER/<agency>/database.password      password of the role that owns and migrates the agency's database
    FOLDER/<agency>/service.password       password of the role that its service logs in with
    FOLDER/<agency>/tls.pem, tls-key.pem   server certificate of its service; likewise of the servers nats and postgres
    FOLDER/<member>/client.pem, client-key.pem   client certificate for the broker, the database and other services
    FOLDER/nats/store.key                  the key that encrypts the broker's stored messages
    FOLDER/postgres/superuser.password     password of the database superuser
    FOLDER/ca/ca-key.pem                   the key of the development CA: see deploy.credentials.authority
    FOLDER/issuer/, FOLDER/<agency>/clients/   keys of the development issuer and its clients: deploy.issuer.clients
    FOLDER/<agency>/keys/, FOLDER/directory/   keys of the agencies and of the task force: deploy.credentials.keyring

and, from those, the public files:

    FOLDER/public/keys.json                the agencies' public keys, signed by the task force
    FOLDER/public/ca.pem, crl.pem          the CA's certificate and its revocation list; written once
    FOLDER/public/revoked-tokens.json      the revoked access tokens; written once, empty, for an operator to edit
    FOLDER/public/nats/members.conf        the broker's accounts: public keys and the rights of nats/rights/
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from secrets import token_urlsafe
from typing import Annotated

import nkeys  # type: ignore[import-untyped]
import typer

from deploy.credentials.authority import make_certificates, now_utc
from deploy.credentials.keyring import Keyring
from deploy.files import PUBLIC, replace_file
from deploy.issuer.clients import make_issuer
from deploy.issuer.profile import is_development
from services.members import SERVICES
from shared.contracts.senders import MemberKind, sent_by_kind
from shared.security.development import mark_for_development

RIGHTS = Path(__file__).parents[1] / "nats" / "rights"


class BrokerRole(StrEnum):
    """A member's role at the broker. Its rights are in ``deploy/nats/rights/<role>.txt``."""

    AGENCY = "agency"
    """Signs and publishes events, and reads the events addressed to it."""
    FOLLOWER = "follower"
    """Reads only: an integrator, or a province that follows the events of its own region."""
    PROVISIONER = "provisioner"
    """Makes the stream and the consumers. It reads and publishes no event."""


COORDINATION = "coordination"
"""Coordination compares match tokens, so it must not have the key that makes them: it could try every NIK."""
PUBLISHING = list(SERVICES)
"""The members that publish events: every service of ours, coordination too."""
FOLLOWERS = ["province-74"]
PROVISIONER = "provisioner"
"""The only member named in the broker's configuration."""
BROKER, DATABASE = "nats", "postgres"
ISSUER = "issuer"
"""The development issuer of tokens. It, the broker and the database are servers, not members."""
SOON = timedelta(days=30)
"""A certificate that expires within this time is renewed, so that a monthly check finds none expired."""


def network(agencies: Iterable[str], followers: Iterable[str] = ()) -> dict[str, BrokerRole]:
    """The members of a network of these agencies and followers, with the provisioner: name → role."""
    roles = {**dict.fromkeys(agencies, BrokerRole.AGENCY), **dict.fromkeys(followers, BrokerRole.FOLLOWER)}
    return roles | {PROVISIONER: BrokerRole.PROVISIONER}


BROKER_ROLES: Mapping[str, BrokerRole] = network(PUBLISHING, FOLLOWERS)
"""Member → its role at the broker, in the shipped network."""

EVENT = "<entity>.<event>"
"""In a file of rights: each event type that the member's kind may send (``shared/contracts/senders.py``)."""

IMPORTED_BY_ALL = "$JS.API.INFO"
"""Every account imports this subject, without a right to use it. nats-server.conf says why."""

# a name becomes a folder, part of a NATS subject and an account: no dot, wildcard, quote or slash
NAME = re.compile(r"[a-z][a-z0-9-]*")
RESERVED = {"all", "ca", "directory", "public", BROKER, DATABASE, ISSUER}

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
"""The imports enforce the rights. The permissions repeat them, so that a refusal is reported and logged."""


def make_secrets(folder: Path, members: Mapping[str, BrokerRole] = BROKER_ROLES) -> None:
    """Make the missing secrets of these members (name → role) in ``folder``. Existing secrets stay.

    Raises ValueError for an invalid name, or for a key that differs from the one in ``keys.json``. Raises
    FileNotFoundError where a certificate is missing and the CA's key is elsewhere.
    """
    for member in members:
        if not NAME.fullmatch(member) or member in RESERVED:
            raise ValueError(f"{member!r} cannot be the name of a member")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    public = _folder(folder / "public", 0o755)
    if is_development() and not (public / "keys.json").exists():  # a folder made for production stays so
        mark_for_development(public)
    if not (struck_off := public / "revoked-tokens.json").exists():
        replace_file(struck_off, b"{}\n", PUBLIC)
    accounts: list[str] = []
    for member, role in members.items():
        own = _folder(folder / member)
        accounts.append(_account(member, role, _nats_public_key(own / "nats.seed")))
        if role is BrokerRole.AGENCY:
            _write_once(own / "database.password", token_urlsafe)
            _write_once(own / "service.password", token_urlsafe)
    _write_once(_folder(folder / DATABASE) / "superuser.password", token_urlsafe)
    _write_once(_folder(folder / BROKER) / "store.key", token_urlsafe)
    certify_network(folder, members)
    agencies = [member for member, role in members.items() if role is BrokerRole.AGENCY]
    Keyring(folder).make(agencies, datetime.now(UTC), [agency for agency in agencies if agency != COORDINATION])
    header = "# Written by deploy.credentials.secrets from deploy/nats/rights/: do not edit.\n\n"
    written = (header + "\n".join(accounts)).encode()
    replace_file(_folder(public / "nats", 0o755) / "members.conf", written, PUBLIC)
    if is_development():
        make_issuer(folder, [member for member, role in members.items() if role is BrokerRole.AGENCY])


def certify_network(
    folder: Path, members: Mapping[str, BrokerRole] = BROKER_ROLES, renew: timedelta | None = None
) -> list[Path]:
    """Make the missing certificates of these members and of the servers, as ``make_certificates`` does."""
    agencies = [member for member, role in members.items() if role is BrokerRole.AGENCY]
    issuer = [ISSUER] if is_development() else []
    servers, clients = [*agencies, BROKER, DATABASE, *issuer], [*members, DATABASE, *issuer]
    return make_certificates(folder, servers, clients, now_utc(), renew)


def _folder(path: Path, mode: int = 0o700) -> Path:
    path.mkdir(exist_ok=True)
    path.chmod(mode)  # the umask cuts mkdir's mode, and mkdir leaves an existing folder's mode as it is
    return path


def _write_once(path: Path, make: Callable[[], str]) -> None:
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(make())


def _nats_public_key(seed_file: Path) -> str:
    _write_once(seed_file, lambda: _text(nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)))
    return _text(nkeys.from_seed(bytearray(seed_file.read_bytes().strip())).public_key)


def _text(ascii_bytes: bytes) -> str:
    return ascii_bytes.decode("ascii")


def _exporter(subject: str) -> str | None:
    """The account that answers at this subject; None where the server answers in every account."""
    if subject.startswith("$SYS.REQ.SERVER."):
        return "SYS"
    return None if subject.startswith("$SYS.") else "ESTAFET"


def _subjects(member: str, role: BrokerRole) -> list[str]:
    """The subjects of a role's file, with the member's name and the events that its kind of member sends."""
    kind = MemberKind.COORDINATOR if member == COORDINATION else MemberKind.AGENCY
    words = [f"{event.entity}.{event.event}" for event in sent_by_kind(kind)]
    lines = (RIGHTS / f"{role}.txt").read_text().splitlines()
    stated = [line.replace("<member>", member) for line in lines if line and not line.startswith("#")]
    return [one for line in stated for one in ([line.replace(EVENT, w) for w in words] if EVENT in line else [line])]


def _account(member: str, role: BrokerRole, nkey: str) -> str:
    subjects = _subjects(member, role)
    imported = {subject: _exporter(subject) for subject in [IMPORTED_BY_ALL, *subjects]}
    return ACCOUNT.format(
        member=member,
        nkey=nkey,
        imports="\n".join(f'    {{ service: {{ account: {a}, subject: "{s}" }} }}' for s, a in imported.items() if a),
        publish="\n".join(f'        "{s}"' for s in subjects),
    )


def _command(
    folder: Annotated[Path, typer.Argument(help="The folder of secrets; it may be new.")],
    agency: Annotated[
        list[str], typer.Option(help="An agency; repeat for each, they replace the default.")
    ] = PUBLISHING,
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
