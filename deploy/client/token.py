"""Prints an access token: ``TOKEN=$(python -m deploy.client.token police)``. For development only.

Stdout has the token only; errors go to stderr, in both languages.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from deploy.issuer.clients import UNITS, working_role
from deploy.issuer.command_line import SECRETS, telling
from deploy.issuer.tokens import LIFETIME_MINUTES, LONGEST_MINUTES, mint
from services.members import SERVICES
from shared.domain.access import Role
from shared.domain.refusal import Refused
from shared.domain.routing import NATION
from shared.reference.units import load_units


def make_token(
    secrets: Path,
    member: str,
    role: Role | None = None,
    unit: str = "",
    minutes: int = LIFETIME_MINUTES,
    certificate: Path | None = None,
) -> str:
    """Make a token for a member's service. Defaults: the role of the daily work, the national desk.

    ``secrets``: the deployment's folder; ``certificate``: the PEM file of a client certificate to bind the token to.
    Raises Refused for a desk that the member does not have, and what ``mint`` raises.
    """
    now, units = datetime.now(UTC), load_units(UNITS)
    desk = units.get(member, unit, now.date()) if unit else units.desk_for(member, NATION, now.date())
    bound = certificate.read_text() if certificate is not None else None
    return mint(secrets, member, role or working_role(member), desk.id, now, minutes, bound)


def _command(
    member: Annotated[str, typer.Argument(help=f"The member to call: {', '.join(SERVICES)}.")],
    role: Annotated[Role | None, typer.Option(help="Default: the role of the daily work.")] = None,
    unit: Annotated[str, typer.Option(help="The desk to act for; default: the national desk.")] = "",
    minutes: Annotated[int, typer.Option(min=1, max=LONGEST_MINUTES, help="Validity in minutes.")] = LIFETIME_MINUTES,
    folder: Annotated[Path, typer.Option(help="The secrets of the deployment.")] = SECRETS,
    certificate: Annotated[Path | None, typer.Option(help="The client certificate that it is bound to.")] = None,
) -> None:
    """Print an access token for a member's service."""
    try:
        with telling(folder):
            typer.echo(make_token(folder, member, role, unit, minutes, certificate))
    except Refused:
        typer.echo(f"✗ Tidak ada anggota atau satuan ini. Anggota: {', '.join(SERVICES)}; satuan: /v1/units.", err=True)
        typer.echo("  There is no such member or unit; every service lists the units at /v1/units.", err=True)
        raise typer.Exit(2) from None


def main() -> None:
    """The command line."""
    typer.run(_command)


if __name__ == "__main__":
    main()
