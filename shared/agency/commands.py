"""The operator's commands of an agency: ``python -m shared.agency.commands --help``."""

import importlib
from typing import Annotated

import typer

from shared.service.commands import app, open_member
from shared.service.member import Member
from shared.victims.sealed.rewrapping import reindex_all, rewrap_all


@app.command()
def rewrap(
    service: Annotated[str, typer.Argument(help="Module of the service, such as services.<agency>.main.")],
) -> None:
    """Wrap every data key again under the newest storage key, so that the previous storage key can be destroyed.

    Once that key is destroyed, older backups cannot be opened any more, so erased data stays erased in backups too.
    """
    database, vault, _ = open_member(service)
    typer.echo(f"{rewrap_all(database, vault)} data keys are wrapped anew")
    database.close()


@app.command()
def reindex(
    service: Annotated[str, typer.Argument(help="Module of the service, such as services.<agency>.main.")],
    stopped: Annotated[
        bool, typer.Option("--stopped", help="Layanan sudah berhenti · The service is stopped.")
    ] = False,
) -> None:
    """Compute again the keyed hashes by which victims are found, after ``blind-index.key`` was replaced.

    Stop the service first. A running one holds the old key, and nobody would find the victims that it still registers.
    Afterwards a request that repeats an older Idempotency-Key is refused as a different request.
    """
    if not stopped:
        typer.echo(
            "✗ Hentikan layanan itu dahulu: ia masih memakai kunci lama. Lalu ulangi dengan --stopped.", err=True
        )
        typer.echo("  Stop that service first: it still uses the old key. Then repeat with --stopped.", err=True)
        raise typer.Exit(2)
    database, vault, _ = open_member(service)
    member: Member = importlib.import_module(service).MEMBER
    typer.echo(f"{reindex_all(database, vault, member.agency.code)} identities are indexed anew")
    database.close()


if __name__ == "__main__":
    app()
