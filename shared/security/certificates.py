"""What a certificate tells of where it comes from."""

from pathlib import Path

from cryptography.x509 import load_pem_x509_certificates
from cryptography.x509.oid import NameOID

DEVELOPMENT_CA = "Estafet development CA"
"""The common name of a CA whose key lies beside what it certifies. The production profile trusts none of that name."""


def is_for_development(path: Path) -> bool:
    """Whether any certificate in a PEM file is of a development CA, or is its own certificate.

    Raises OSError or ValueError when there is none in it.
    """
    certificates = load_pem_x509_certificates(path.read_bytes())
    names = [name for one in certificates for name in one.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return any(name.value == DEVELOPMENT_CA for name in names)
