"""Certificates and revocation lists of the development CA (RFC 5280): pure functions of keys, names and times (UTC)."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shared.security.development import DEVELOPMENT_CA

LIFE = timedelta(days=90)
"""Validity of a certificate and of a revocation list. Public CAs may give 200 days in 2026, and less each year."""
CA_LIFE = timedelta(days=3650)
CLOCKS_DIFFER = timedelta(minutes=5)
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH

Key = ec.EllipticCurvePrivateKey
PublicKey = ec.EllipticCurvePublicKey


def self_signed(key: Key, now: datetime) -> x509.Certificate:
    """The CA's own certificate, valid for CA_LIFE."""
    builder = _builder(DEVELOPMENT_CA, _name(DEVELOPMENT_CA), key.public_key(), now, now + CA_LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return builder.add_extension(_key_usage(ca=True), critical=True).sign(key, SHA256())


def certify(
    ca: x509.Certificate, key: Key, name: str, use: x509.ObjectIdentifier, public: PublicKey, now: datetime
) -> x509.Certificate:
    """A certificate for this name and ``use`` (SERVER or CLIENT), signed by the CA with ``key``."""
    builder = _builder(name, ca.subject, public, now, min(now + LIFE, ca.not_valid_after_utc))
    builder = builder.add_extension(_issued_by(key), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(ca=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
    if use == SERVER:
        builder = builder.add_extension(x509.SubjectAlternativeName(list(_addresses(name))), critical=False)
    return builder.sign(key, SHA256())


def revocation_list(
    ca: x509.Certificate, key: Key, revoked: Iterable[x509.RevokedCertificate], number: int, now: datetime
) -> x509.CertificateRevocationList:
    """The revocation list with this number, signed by the CA with ``key``."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(ca.subject)
    builder = builder.last_update(now - CLOCKS_DIFFER).next_update(now + LIFE)
    builder = builder.add_extension(_issued_by(key), critical=False)
    builder = builder.add_extension(x509.CRLNumber(number), critical=False)
    for entry in revoked:
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(key, SHA256())


def revoked_entry(certificate: x509.Certificate, now: datetime) -> x509.RevokedCertificate:
    """The entry of a revocation list for this certificate."""
    entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number)
    return entry.revocation_date(now).build()


def _builder(
    name: str, issuer: x509.Name, public: PublicKey, now: datetime, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCKS_DIFFER)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _issued_by(key: Key) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _addresses(name: str) -> Iterator[x509.GeneralName]:
    yield from (x509.DNSName(name), x509.DNSName("localhost"))
    yield from (x509.IPAddress(ip_address(one)) for one in ("127.0.0.1", "::1"))


def _key_usage(ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
