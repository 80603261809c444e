"""One connection over TLS: the app learns the caller's certificate, and a failed handshake writes a log line."""

import asyncio
import ssl
from typing import Any

import structlog

from shared.http.connection import Connection

log = structlog.get_logger()

TLS_1_3 = 0x0304


class Handshake(ssl.SSLObject):
    """TLS with one caller. Set this class as ``sslobject_class`` of an SSL context."""

    def do_handshake(self) -> None:
        """Do one step of the handshake. Raises ssl.SSLError; logs the reason of a failure."""
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            why = getattr(error, "verify_message", "") or error.reason or "unknown"
            log.warning("tls.refused", reason=why.replace(" ", "-").replace("_", "-").lower())
            raise


class EncryptedConnection(Connection):
    """The asyncio protocol of one connection, plain or over TLS."""

    _extensions: dict[str, Any] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the connection, after the handshake if there is TLS, and store its TLS extension."""
        super().connection_made(transport)
        session = transport.get_extra_info("ssl_object")
        if session is not None:
            self._extensions = {"tls": tls_extension(session)}

    def on_message_begin(self) -> None:
        """Add the TLS extension to the scope of a request."""
        super().on_message_begin()
        if self._extensions is not None:
            self.scope["extensions"] = self._extensions


def tls_extension(session: ssl.SSLObject) -> dict[str, Any]:
    """The ASGI TLS extension of a connection. Of the caller's chain only the leaf is in it; the leaf was verified."""
    shown = session.getpeercert(binary_form=True)
    return {
        "server_cert": None,
        "client_cert_chain": [ssl.DER_cert_to_PEM_cert(shown)] if shown else [],
        "client_cert_name": None,
        "client_cert_error": None,
        "tls_version": TLS_1_3,
        "cipher_suite": None,
    }
