"""Shared code of the commands that use the issuer's secrets."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from joserfc.errors import JoseError

from deploy.issuer.profile import OnlyForDevelopment

SECRETS = Path(".run/secrets")
"""The folder where ``make run`` keeps its secrets."""


@contextmanager
def telling(folder: Path) -> Iterator[None]:
    """Turn an expected error into a message in both languages on stderr, and exit code 1."""
    try:
        yield
    except OnlyForDevelopment as error:
        typer.echo(f"✗ {error}", err=True)
        raise typer.Exit(1) from None
    except (OSError, ValueError, JoseError) as error:
        typer.echo(f"✗ Rahasia penerbit di {folder} tak terbaca: jalankan make secrets atau make run.", err=True)
        typer.echo(f"  The issuer's secrets in {folder} cannot be read: run make secrets or make run.", err=True)
        typer.echo(f"  {error}", err=True)
        raise typer.Exit(1) from None
