"""The operator's commands: ``python -m shared.service.commands --help``."""

import importlib
from pathlib import Path
from typing import Annotated

import structlog
import typer

from shared import contracts
from shared.contracts.events import CATALOGUE
from shared.contracts.schemas import golden_text
from shared.service.app import Member
from shared.service.logs import configure_logs
from shared.service.settings import Storing
from shared.storage.append_only import grant
from shared.storage.database import open_engine
from shared.storage.migrate import migrate as migrate_database

GOLDEN = Path(contracts.__file__).with_name("golden")
"""Where the golden copies of the JSON Schemas lie."""

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Commands for the operator of one service.")


@app.command()
def migrate(
    service: Annotated[str, typer.Argument(help="Module of the service, such as services.<agency>.main.")],
    role: Annotated[str, typer.Option(help="PostgreSQL role of the service, to be given its rights.")] = "",
) -> None:
    """Bring the database named in the environment up to the revision this version needs."""
    configure_logs("info")
    member: Member = importlib.import_module(service).MEMBER
    settings = Storing()  # type: ignore[call-arg]
    engine = open_engine(settings.database())
    migrate_database(engine, member.lineages)
    if role:
        grant(engine, role)
    engine.dispose()
    structlog.get_logger().info("database.migrated", member=member.agency.code)


@app.command()
def schemas(folder: Annotated[Path, typer.Argument(help="Where to write the JSON Schemas.")] = GOLDEN) -> None:
    """Write the JSON Schema of every event type."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, event in CATALOGUE.items():
        (folder / f"{name}.json").write_text(golden_text(event), encoding="utf-8")
    typer.echo(f"{len(CATALOGUE)} schemas in {folder}")


if __name__ == "__main__":
    app()
