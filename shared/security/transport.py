"""TLS 1.3 in both directions: how a server checks its clients, and a client its server.

Only the named CA is trusted, not the machine's own list. A certificate must follow RFC 5280 strictly.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path


def _context(protocol: int) -> ssl.SSLContext:
    # create_default_context would write the session keys to the file in the environment's SSLKEYLOGFILE
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


@dataclass(frozen=True, slots=True)
class ClientTls:
    """The CA that a client trusts, and the certificate and key that the client shows. PEM files."""

    ca: Path
    certificate: Path
    key: Path

    @classmethod
    def of_member(cls, secrets: Path, member: str) -> "ClientTls":
        """The files of a member, in the folder that ``deploy.credentials.secrets`` made."""
        return cls(secrets / "public" / "ca.pem", secrets / member / "client.pem", secrets / member / "client-key.pem")

    def context(self) -> ssl.SSLContext:
        """The context for ``httpx`` or ``nats``. Raises OSError (and ssl.SSLError, which is one) for unusable files."""
        context = _context(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.ca)
        self.show_in(context)
        return context

    def show_in(self, context: ssl.SSLContext) -> None:
        """Read the certificate again, for the connections made from now on. Raises OSError."""
        context.load_cert_chain(self.certificate, self.key)


@dataclass(frozen=True, slots=True)
class ServerTls:
    """The certificate and key that a server shows, and the CAs whose client certificates it accepts. PEM files."""

    certificate: Path
    key: Path
    client_ca: Path | None = None
    """If given, the server refuses clients without a certificate of one of these CAs."""
    client_crl: Path | None = None
    """The revocation lists of these CAs (RFC 5280 section 5). If given, the file must hold a list of each CA."""

    def context(self) -> ssl.SSLContext:
        """The context for ``asyncio``. Raises OSError (and ssl.SSLError, which is one) for unusable files."""
        context = _context(ssl.PROTOCOL_TLS_SERVER)
        context.num_tickets = 0  # a resumed session would not check whether the certificate was revoked since
        if self.client_ca is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.client_ca)
            if self.client_crl is not None:
                context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
        self.renew(context)
        return context

    def renew(self, context: ssl.SSLContext) -> None:
        """Read certificate, key and revocation list again, for the connections made from now on. Raises OSError."""
        context.load_cert_chain(self.certificate, self.key)
        if self.client_ca is not None and self.client_crl is not None:
            context.load_verify_locations(self.client_crl)
