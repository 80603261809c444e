"""TLS 1.3 in both directions: what a server asks of its callers, and a caller of a server.

Nothing but the CA that is named is trusted, not the machine's own list; a certificate must be as RFC 5280 wants it.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path


def _context(protocol: int) -> ssl.SSLContext:
    # not create_default_context: it writes the session keys to where the environment's SSLKEYLOGFILE says
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


@dataclass(frozen=True, slots=True)
class ClientTls:
    """Whom a client trusts, and with what it shows who it is. PEM files."""

    ca: Path
    certificate: Path
    key: Path

    @classmethod
    def of_member(cls, secrets: Path, member: str) -> "ClientTls":
        """A member's own, in the folder that ``deploy.secrets`` made."""
        return cls(secrets / "public" / "ca.pem", secrets / member / "client.pem", secrets / member / "client-key.pem")

    def context(self) -> ssl.SSLContext:
        """For ``httpx``, ``nats`` and the like. Raises OSError (and ssl.SSLError, which is one) for unusable files."""
        context = _context(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.ca)
        self.show_in(context)
        return context

    def show_in(self, context: ssl.SSLContext) -> None:
        """Let the connections made from now on show the certificate as it is now. Raises OSError."""
        context.load_cert_chain(self.certificate, self.key)


@dataclass(frozen=True, slots=True)
class ServerTls:
    """What a server shows, and whose client certificates it wants to see. PEM files."""

    certificate: Path
    key: Path
    client_ca: Path | None = None
    """Where given, nobody gets in without a certificate of one of these CAs."""
    client_crl: Path | None = None
    """Lists of what they have revoked (RFC 5280 section 5): where given, there must be a list of each of the CAs."""

    def context(self) -> ssl.SSLContext:
        """For ``asyncio`` and the like. Raises OSError (and ssl.SSLError, which is one) for unusable files."""
        context = _context(ssl.PROTOCOL_TLS_SERVER)
        context.num_tickets = 0  # a session taken up again would not ask whether the certificate was revoked since
        if self.client_ca is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.client_ca)
            if self.client_crl is not None:
                context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
        self.renew(context)
        return context

    def renew(self, context: ssl.SSLContext) -> None:
        """Read certificate, key and list anew for the connections made from now on. Raises OSError."""
        context.load_cert_chain(self.certificate, self.key)
        if self.client_ca is not None and self.client_crl is not None:
            context.load_verify_locations(self.client_crl)
