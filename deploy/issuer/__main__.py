"""The issuer's commands: ``python -m deploy.issuer --help``."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.issuer.app import create_issuer
from deploy.issuer.clients import make_issuer, publish
from deploy.issuer.command_line import SECRETS, telling
from deploy.issuer.keys import add_signing_key
from deploy.issuer.profile import require_development
from services.members import SERVICES
from shared.http.listening import Listening
from shared.http.serve import Server, configured
from shared.logs.setup import configure_logs

Folder = Annotated[Path, typer.Option(help="The secrets of the deployment.")]

app = typer.Typer(no_args_is_help=True, add_completion=False, help="The issuer of tokens for development.")


@app.command()
def serve(
    folder: Folder = SECRETS,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8005,
    url: Annotated[str, typer.Option(help="Address for clients, if it differs.")] = "",
) -> None:
    """Answer token requests until stopped."""
    configure_logs("info")
    with telling(folder):
        issuer = create_issuer(folder, url.rstrip("/") or f"http://{host}:{port}")
    Server(configured(issuer, host, port, 2), Listening().server_tls()).run()


@app.command()
def create(folder: Folder = SECRETS) -> None:
    """Make the issuer's key and the default clients where they are missing."""
    with telling(folder):
        make_issuer(folder, SERVICES)


@app.command()
def rotate(folder: Folder = SECRETS) -> None:
    """Make a new key, which signs from now on. Tokens signed by older keys still verify."""
    with telling(folder):
        require_development()
        typer.echo(add_signing_key(folder / "issuer"))
        publish(folder)


if __name__ == "__main__":
    app()
