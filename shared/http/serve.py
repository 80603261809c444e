"""Run a service over HTTP, or over TLS 1.3 alone where the settings name a certificate.

``python -m shared.http.serve services.<agency>.main``. With ``ESTAFET_TLS_CLIENT_CA_FILE`` every caller needs a
certificate of that CA. SIGHUP reloads certificate, key and revocation list; open connections stay.
"""

import asyncio
import gc
import signal
import socket
import ssl
from typing import Annotated, Any

import structlog
import typer
import uvicorn
from pydantic import ValidationError

from shared.http.listening import Listening, at_fault
from shared.http.tls_connection import EncryptedConnection, Handshake
from shared.security.transport import ServerTls

log = structlog.get_logger()


class Server(uvicorn.Server):
    """uvicorn with a certificate that can be renewed while the server runs."""

    def __init__(self, config: uvicorn.Config, tls: ServerTls | None) -> None:
        self._tls = tls
        self._context = ssl_context(tls) if tls is not None else None
        if self._context is not None:
            config.ssl_context_factory = lambda *_: self._context  # type: ignore[assignment]
        super().__init__(config)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen."""
        await super().startup(sockets)
        if self._context is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.renew)
        if not gc.isenabled():
            gc.freeze()  # objects of the start live as long as the process: no collection needs to scan them
            gc.enable()

    def renew(self) -> None:
        """Reload the certificate. An unusable certificate is ignored, and the old one stays in use."""
        assert self._tls is not None and self._context is not None
        try:
            self._tls.context()  # checked first in a new context: a wrong key would break the context in use
            self._tls.renew(self._context)
        except OSError as error:
            log.error("tls.not-renewed", error=type(error).__name__)
        else:
            log.info("tls.renewed")


def ssl_context(tls: ServerTls) -> ssl.SSLContext:
    """The TLS context of a server, which logs each failed handshake. Raises OSError for unusable files."""
    context = tls.context()
    context.sslobject_class = Handshake
    return context


def configured(app: Any, host: str, port: int, grace: int, factory: bool = False) -> uvicorn.Config:
    """The uvicorn configuration for an app, or for ``<module>:<name>``. ``grace``: seconds for requests under way at
    the end.

    Forwarding headers are ignored, so that no caller can choose its own address. Logging is our own.
    """
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=EncryptedConnection,
        ws="none",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="error",
        timeout_graceful_shutdown=grace,
        factory=factory,
    )


def _command(
    service: Annotated[str, typer.Argument(help="Module of the service, such as services.<agency>.main.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    grace: Annotated[int, typer.Option(help="Seconds that requests under way are given at the end.")] = 5,
    factory: Annotated[bool, typer.Option("--factory", help="What is named makes the app.")] = False,
) -> None:
    """Serve until stopped."""
    gc.disable()  # until the server has started: imports drop nothing, and a fifth of their time was garbage collection
    app = service if ":" in service else f"{service}:app"
    try:
        server = Server(configured(app, host, port, grace, factory), Listening().server_tls())
    except ValidationError as error:
        names = ", ".join(f"ESTAFET_{name}".upper() for name in at_fault(error))
        typer.echo(f"✗ {names}: belum lengkap atau salah · missing or wrong", err=True)
        raise typer.Exit(3) from None
    except OSError as error:  # the error does not name the file
        typer.echo(f"✗ ESTAFET_TLS_…_FILE: tidak dapat dipakai · cannot be used: {error}", err=True)
        raise typer.Exit(3) from None
    server.run()
    if not server.started:
        raise typer.Exit(3)


def main() -> None:
    """The command line."""
    typer.run(_command)


if __name__ == "__main__":
    main()
