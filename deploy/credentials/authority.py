"""A certificate authority for development: it certifies the servers and clients of a network.

Its key lies in ``FOLDER/ca/``, beside the certificates, so an owner of the folder can impersonate every member. In
production the certificates come from a CA of the ministry, under the same file names. The production profile refuses
this CA.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from deploy.credentials.x509_forms import CLIENT, SERVER, Key, certify, revocation_list, revoked_entry, self_signed
from deploy.files import PRIVATE, PUBLIC, replace_file


@dataclass(frozen=True, slots=True)
class Wanted:
    """One certificate of the network. ``owner``: the folder of its member or server; ``use``: SERVER or CLIENT."""

    owner: Path
    use: x509.ObjectIdentifier

    @property
    def certificate(self) -> Path:
        """The file of the certificate (PEM)."""
        return self.owner / ("tls.pem" if self.use == SERVER else "client.pem")

    @property
    def key(self) -> Path:
        """The file of its private key (PEM)."""
        return self.owner / ("tls-key.pem" if self.use == SERVER else "client-key.pem")

    def is_due(self, now: datetime, renew: timedelta | None) -> bool:
        """Whether the certificate or its key is missing, or the certificate expires within ``renew``."""
        if not (self.key.exists() and self.certificate.exists()):
            return True
        return renew is not None and load_certificate(self.certificate).not_valid_after_utc < now + renew


@dataclass(frozen=True, slots=True)
class Authority:
    """The CA of one folder of secrets, with its private key."""

    folder: Path
    key: Key
    certificate: x509.Certificate

    @classmethod
    def of(cls, folder: Path) -> "Authority":
        """Load the CA of this folder. Raises FileNotFoundError where its key or certificate is missing."""
        return cls(folder, _load_key(ca_key(folder)), load_certificate(ca_certificate(folder)))

    def make(self, wanted: Wanted, now: datetime) -> None:
        """Make a certificate for the existing key, or for a new one."""
        key = _load_key(wanted.key) if wanted.key.exists() else _make_key(wanted.key)
        made = certify(self.certificate, self.key, wanted.owner.name, wanted.use, key.public_key(), now)
        replace_file(wanted.certificate, made.public_bytes(Encoding.PEM), PRIVATE)

    def list_revoked(self, now: datetime, more: Iterable[x509.Certificate] = ()) -> None:
        """Write the revocation list again with the next number, and add these certificates to it."""
        path, entries, number = revoked_file(self.folder), dict[int, x509.RevokedCertificate](), 1
        if path.exists():
            old = x509.load_pem_x509_crl(path.read_bytes())
            entries = {entry.serial_number: entry for entry in old}
            number += old.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        for certificate in more:
            entries.setdefault(certificate.serial_number, revoked_entry(certificate, now))
        made = revocation_list(self.certificate, self.key, entries.values(), number, now)
        replace_file(path, made.public_bytes(Encoding.PEM), PUBLIC)


def make_certificates(
    folder: Path, servers: Iterable[str], clients: Iterable[str], now: datetime, renew: timedelta | None = None
) -> list[Path]:
    """Make the CA and its certificates where missing; with ``renew`` also those that expire within that time.

    A renewal keeps the key. Returns the files made. Raises FileNotFoundError where a certificate is due and the CA's
    key is elsewhere: the owner must make it.
    """
    wanted = [Wanted(folder / name, use) for use, names in ((SERVER, servers), (CLIENT, clients)) for name in names]
    if not ca_certificate(folder).exists():
        _make_authority(folder, now)
    due = [one for one in wanted if one.is_due(now, renew)]
    stale = renew is not None and _next_list(folder) < now + renew
    if due or stale:
        authority = Authority.of(folder)
        for one in due:
            one.owner.mkdir(mode=0o700, exist_ok=True)
            authority.make(one, now)
        if stale:
            authority.list_revoked(now)
    return [one.certificate for one in due] + [revoked_file(folder)] * stale


def _make_authority(folder: Path, now: datetime) -> None:
    for made, mode in ((folder / "ca", 0o700), (folder / "public", 0o755)):
        made.mkdir(parents=True, exist_ok=True)
        made.chmod(mode)
    key = _make_key(ca_key(folder))
    replace_file(ca_certificate(folder), self_signed(key, now).public_bytes(Encoding.PEM), PUBLIC)
    Authority.of(folder).list_revoked(now)


def ca_certificate(folder: Path) -> Path:
    """The file of the CA's certificate."""
    return folder / "public" / "ca.pem"


def ca_key(folder: Path) -> Path:
    """The file of the CA's private key."""
    return folder / "ca" / "ca-key.pem"


def revoked_file(folder: Path) -> Path:
    """The file of the certificate revocation list."""
    return folder / "public" / "crl.pem"


def load_certificate(path: Path) -> x509.Certificate:
    """The first certificate in a PEM file. Raises OSError or ValueError."""
    return x509.load_pem_x509_certificate(path.read_bytes())


def _next_list(folder: Path) -> datetime:
    """When the revocation list expires (UTC); never where there is no list, as with a CA of the ministry."""
    if not revoked_file(folder).exists():
        return datetime.max.replace(tzinfo=UTC)
    until = x509.load_pem_x509_crl(revoked_file(folder).read_bytes()).next_update_utc
    return until or datetime.max.replace(tzinfo=UTC)


def _make_key(path: Path) -> Key:
    made = ec.generate_private_key(ec.SECP256R1())
    pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "wb") as file:
        file.write(pem)
    return made


def _load_key(path: Path) -> Key:
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{path} holds no elliptic-curve key")
    return key


def now_utc() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)
