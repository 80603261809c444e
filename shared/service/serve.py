"""``python -m shared.service.serve services.<agency>.main``: a service over HTTP, by its settings with TLS 1.3 alone.

Where ``ESTAFET_TLS_CLIENT_CA_FILE`` is set, nobody gets in without a certificate of that CA. SIGHUP reads certificate,
key and the list of those revoked anew; connections that are open stay.
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

from shared.security.transport import ServerTls
from shared.service.encrypted import EncryptedConnection, Handshake
from shared.service.settings import Listening, at_fault

log = structlog.get_logger()


class Server(uvicorn.Server):
    """uvicorn with a certificate that can be renewed while it runs."""

    def __init__(self, config: uvicorn.Config, tls: ServerTls | None) -> None:
        self._tls = tls
        self._context = ssl_context(tls) if tls is not None else None
        if self._context is not None:
            config.ssl_context_factory = lambda *_: self._context  # type: ignore[assignment]
        super().__init__(config)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        if self._context is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.renew)
        if not gc.isenabled():
            gc.freeze()  # what stands now stays: no collection has to look at it again
            gc.enable()

    def renew(self) -> None:
        """Take in the certificate as it is now; one that is of no use is left, and the old one shown on."""
        assert self._tls is not None and self._context is not None
        try:
            self._tls.context()  # a key of another certificate would spoil the context in use
            self._tls.renew(self._context)
        except OSError as error:
            log.error("tls.not-renewed", error=type(error).__name__)
        else:
            log.info("tls.renewed")


def ssl_context(tls: ServerTls) -> ssl.SSLContext:
    """The context of a server, which logs each handshake that fails. Raises OSError for unusable files."""
    context = tls.context()
    context.sslobject_class = Handshake
    return context


def configured(app: Any, host: str, port: int, grace: int, factory: bool = False) -> uvicorn.Config:
    """How uvicorn is to serve an app, or ``<module>:<name>``.

    Whoever calls cannot say by a header where from, and the log is our own.
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
    gc.disable()  # until it has started: imports make much and drop nothing, and a fifth of their time went here
    app = service if ":" in service else f"{service}:app"
    try:
        server = Server(configured(app, host, port, grace, factory), Listening().server_tls())
    except ValidationError as error:
        names = ", ".join(f"ESTAFET_{name}".upper() for name in at_fault(error))
        typer.echo(f"✗ {names}: belum lengkap atau salah · missing or wrong", err=True)
        raise typer.Exit(3) from None
    except OSError as error:  # it does not say which file
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
