"""The operator's commands: ``python -m shared.service.commands --help``.

A command exits with 2 and prints the names of the settings that are missing or wrong in the environment.
"""

import importlib
from pathlib import Path
from typing import Annotated, TypeVar

import structlog
import typer
from pydantic import ValidationError
from rich.progress import track

from shared import contracts
from shared.contracts.events import CATALOGUE
from shared.contracts.schemas import golden_text
from shared.http.listening import at_fault
from shared.logs.setup import configure_logs
from shared.messaging.key_directory_sync import recall
from shared.messaging.ledger_check import check_ledger, how_many
from shared.messaging.quarantine import open_excerpt
from shared.security.key_directory import DirectoryFile, load_root
from shared.security.sealing import Unopenable
from shared.security.vault import Vault
from shared.service.member import Member
from shared.service.running import now_utc
from shared.service.settings import Keeping, Storing
from shared.service.vaults import open_vault
from shared.storage.append_only import grant
from shared.storage.engine import open_engine
from shared.storage.migrate import migrate as migrate_database
from shared.storage.tables import ParkedEvent
from shared.storage.unit_of_work import Author, Database

GOLDEN = Path(contracts.__file__).with_name("golden")
"""The folder of the golden JSON Schemas."""

S = TypeVar("S", bound=Storing)
app = typer.Typer(no_args_is_help=True, add_completion=False, help="Commands for the operator of one service.")


@app.command()
def migrate(
    service: Annotated[str, typer.Argument(help="Module of the service, such as services.<agency>.main.")],
    role: Annotated[str, typer.Option(help="PostgreSQL role of the service, to be given its rights.")] = "",
) -> None:
    """Upgrade the database named in the environment to the revision that this version needs."""
    configure_logs("info")
    member: Member = importlib.import_module(service).MEMBER
    settings = _read(Storing)
    engine = open_engine(settings.database())
    migrate_database(engine, member.lineages)
    if role:
        grant(engine, role)
    engine.dispose()
    structlog.get_logger().info("database.migrated", member=member.agency.code)


@app.command()
def verify(
    service: Annotated[str, typer.Argument(help="Module of the service, such as services.<agency>.main.")],
) -> None:
    """Verify every entry of the ledger: bytes, signature, link numbers. Changes nothing; exits with 1 on a fault.

    For each faulty entry or link the command prints a position and a reason, and no content.
    """
    database, _, keys = open_member(service)
    checked = failed = 0
    for fault in track(check_ledger(database, keys.current()), total=how_many(database), description="ledger"):
        checked += 1
        if fault is not None:
            failed += 1
            typer.echo(f"{fault.where}: {fault.reason}", err=True)
    database.close()
    typer.echo(f"{checked} links and entries, {failed} of them unproven")
    if failed:
        raise typer.Exit(1)


@app.command()
def open_parked(
    service: Annotated[str, typer.Argument(help="Module of the service, such as services.<agency>.main.")],
    number: Annotated[int, typer.Argument(help="The number of the untrusted message in the list of parked events.")],
) -> None:
    """Show the first bytes of an untrusted message, to find out what a sender sends. They may name a person.

    Needs the member's keys, so only an operator on the host can do it. The log tells of it.
    """
    configure_logs("info")
    database, vault, _ = open_member(service)
    row = database.read(lambda session: session.get(ParkedEvent, number))
    database.close()
    try:
        excerpt = open_excerpt(vault, row) if row is not None else None
    except Unopenable as error:
        typer.echo(f"cannot be opened: {error.reason}", err=True)
        raise typer.Exit(1) from None
    if row is None or excerpt is None:
        typer.echo("there is no parked event with this number", err=True)
        raise typer.Exit(1)
    structlog.get_logger().warning("reception.excerpt-opened", parked=number, sender=row.sender)
    typer.echo(excerpt.decode("utf-8", "backslashreplace").encode("unicode_escape").decode())


def open_member(service: str) -> tuple[Database, Vault, DirectoryFile]:
    """The database, the vault and the key directory of a member, for a command of its operator.

    ``service``: the module with its ``MEMBER``. A key directory in the database counts where the file is older.
    """
    member: Member = importlib.import_module(service).MEMBER
    settings = _read(Keeping)
    keys = DirectoryFile(settings.key_directory_file, load_root(settings.key_directory_root_file))
    vault = open_vault(settings, member.agency.code, keys.current, now_utc)
    database = Database(settings.database(), Author(member.agency.code, vault), now_utc)
    database.read(lambda session: recall(session, keys))
    return database, vault, keys


@app.command()
def schemas(folder: Annotated[Path, typer.Argument(help="Where to write the JSON Schemas.")] = GOLDEN) -> None:
    """Write the JSON Schema of every event type."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, event in CATALOGUE.items():
        (folder / f"{name}.json").write_text(golden_text(event), encoding="utf-8")
    typer.echo(f"{len(CATALOGUE)} schemas in {folder}")


def _read(kind: type[S]) -> S:
    """Read the settings from the environment. On a fault print the names of the variables and exit with 2."""
    try:
        return kind()  # type: ignore[call-arg]
    except ValidationError as error:
        names = [f"ESTAFET_{name}".upper() for name in at_fault(error)]
        typer.echo(f"missing or wrong in the environment: {', '.join(names)}", err=True)
        raise typer.Exit(2) from None


if __name__ == "__main__":
    app()
