"""Prints an access token: ``TOKEN=$(python -m deploy.client.token police)``. For development only.

Stdout has the token only; errors go to stderr, in both languages.
"""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from deploy.issuer.clients import UNITS, working_role
from deploy.issuer.command_line import SECRETS, telling
from deploy.issuer.tokens import LIFETIME_MINUTES, LONGEST_MINUTES, Grant, client_at, mint
from services.members import SERVICES
from shared.domain.access import Role
from shared.domain.refusal import Refused
from shared.domain.routing import NATION
from shared.reference.units import load_units
from shared.security.tokens import PERSON, thumbprint


def make_token(
    secrets: Path,
    member: str,
    role: Role | None = None,
    unit: str = "",
    minutes: int = LIFETIME_MINUTES,
    certificate: Path | None = None,
    person: str | None = None,
) -> str:
    """Make a token for a member's service. Defaults: the role of the daily work, the national desk, its invented human.

    ``secrets``: the deployment's folder; ``certificate``: the PEM file of a client certificate to bind the token to.
    ``person``: the human; empty for a system's own token. Raises Refused for a desk that the member does not have.
    Raises ValueError for a person that is no pseudonym, and what ``mint`` raises.
    """
    if person and not re.fullmatch(PERSON, person):
        raise ValueError(f"a person is a pseudonym of letters, digits and . _ : / | ~ -, not {person!r}")
    now, units = datetime.now(UTC), load_units(UNITS)
    desk = units.get(member, unit, now.date()) if unit else units.desk_for(member, NATION, now.date())
    acts = role or working_role(member)
    client = client_at(secrets, member, acts, desk.id)
    bound = thumbprint(certificate.read_text()) if certificate is not None else None
    human = f"petugas-{client}" if person is None else person
    return mint(secrets, Grant(client, member, acts, desk.id, bound, human), now, minutes)


def _command(
    member: Annotated[str, typer.Argument(help=f"The member to call: {', '.join(SERVICES)}.")],
    role: Annotated[Role | None, typer.Option(help="Default: the role of the daily work.")] = None,
    unit: Annotated[str, typer.Option(help="The desk to act for; default: the national desk.")] = "",
    minutes: Annotated[int, typer.Option(min=1, max=LONGEST_MINUTES, help="Validity in minutes.")] = LIFETIME_MINUTES,
    folder: Annotated[Path, typer.Option(help="The secrets of the deployment.")] = SECRETS,
    certificate: Annotated[Path | None, typer.Option(help="The client certificate that it is bound to.")] = None,
    person: Annotated[
        str | None, typer.Option(help="The human: a pseudonym. Default: invented. Empty: the system's own.")
    ] = None,
) -> None:
    """Print an access token for a member's service."""
    try:
        with telling(folder):
            typer.echo(make_token(folder, member, role, unit, minutes, certificate, person))
    except Refused:
        typer.echo(f"✗ Tidak ada anggota atau satuan ini. Anggota: {', '.join(SERVICES)}; satuan: /v1/units.", err=True)
        typer.echo("  There is no such member or unit; every service lists the units at /v1/units.", err=True)
        raise typer.Exit(2) from None


def main() -> None:
    """The command line."""
    typer.run(_command)


if __name__ == "__main__":
    main()
