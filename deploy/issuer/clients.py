"""Makes the issuer's secrets and a client for each member and role, so that every role can be tried.

FOLDER/issuer/issuer-<n>.pem           the keys that sign tokens
FOLDER/issuer/clients.json             the registry of clients
FOLDER/<member>/clients/<client>.pem   the key that authenticates a client of that member
FOLDER/public/issuer.json              the JWK set that services verify tokens with
"""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from deploy.files import PUBLIC, replace_file
from deploy.issuer.keys import (
    add_signing_key,
    keep_private_key,
    private_folder,
    public_jwk,
    public_jwks,
    signing_keys,
)
from deploy.issuer.profile import require_development
from deploy.issuer.registry import Registration, load_clients, save_clients
from shared.domain.access import Role
from shared.domain.routing import NATION, Units
from shared.reference.units import load_units

UNITS = Path(__file__).parents[2] / "services" / "units.csv"
COORDINATION = "coordination"
TOWNS = ("74.01", "73.71")
"""Kolaka and Makassar, where the example journey begins and ends. Their desks have clients of their own."""
AGENCY_ROLES = (Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR, Role.INTEGRATOR, Role.ADMINISTRATOR)
COORDINATION_ROLES = (Role.COORDINATOR, Role.AUDITOR, Role.INTEGRATOR, Role.ADMINISTRATOR)


def working_role(member: str) -> Role:
    """The role that does a member's daily work."""
    return Role.COORDINATOR if member == COORDINATION else Role.OFFICER


def working_client(member: str) -> str:
    """The client that does a member's daily work at the national desk."""
    return f"{member}-{working_role(member)}"


def default_clients(members: Iterable[str], units: Units, day: date) -> Iterator[tuple[str, str, Role, str]]:
    """Client id, member, role and desk of each default client.

    Every role has a client at the national desk; the daily work has one also at the desks of TOWNS. A member without a
    national desk has no client.
    """
    for member in members:
        if (member, NATION) not in units.chains:
            continue
        for role in COORDINATION_ROLES if member == COORDINATION else AGENCY_ROLES:
            yield f"{member}-{role}", member, role, units.desk_for(member, NATION, day).id
        for town in TOWNS:
            desk = units.desk_for(member, town, day).id
            yield f"{working_client(member)}-{desk}", member, working_role(member), desk


def make_issuer(folder: Path, members: Iterable[str], units_file: Path = UNITS) -> None:
    """Make the missing keys of the issuer and of these members' default clients. Existing keys stay.

    Raises OnlyForDevelopment.
    """
    require_development()
    own = private_folder(folder / "issuer")
    if not list(own.glob("issuer-*.pem")):
        add_signing_key(own)
    if not (own / "clients.json").exists():
        save_clients(own, {})
    known = load_clients(own)
    made = dict(known)
    for client, member, role, unit in default_clients(members, load_units(units_file), datetime.now(UTC).date()):
        key = keep_private_key(private_folder(folder / member / "clients") / f"{client}.pem")
        new = Registration(member=member, role=role, unit=unit, jwk=public_jwk(key))
        made[client] = known.get(client, new).model_copy(update={"jwk": new.jwk})
    if made != known:
        save_clients(own, made)
    publish(folder)


def publish(folder: Path) -> None:
    """Write the public halves of the issuer's keys to ``FOLDER/public/issuer.json``, which services read."""
    public = folder / "public"
    public.mkdir(exist_ok=True)
    text = json.dumps(public_jwks(signing_keys(folder / "issuer")), indent=2) + "\n"
    replace_file(public / "issuer.json", text.encode(), PUBLIC)
