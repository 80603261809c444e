"""Marks of secrets for development only. The tools that make such secrets leave the marks.

The production profile refuses marked secrets.
"""

from pathlib import Path

from cryptography.x509 import load_pem_x509_certificates
from cryptography.x509.oid import NameOID

DEVELOPMENT_CA = "Estafet development CA"
"""The common name of a development CA. Its key lies beside the certificates that it issues."""
DEVELOPMENT_ISSUER = "urn:estafet:issuer:development"
"""The ``iss`` of tokens that anybody on a developer's machine can make.

It is a URN and no https address, so that no client mistakes it for a real issuer."""
DEVELOPMENT_MARK = "DEVELOPMENT-ONLY"
"""The name of the file that marks its folder: no secret in the folder, or below, is for production.

In the folder ``public``, which containers see, the file also marks the folder that holds ``public``."""


def is_of_development_ca(path: Path) -> bool:
    """Whether a development CA issued any certificate in a PEM file; the CA's own certificate counts too.

    Raises OSError, or ValueError if the file holds no certificate.
    """
    certificates = load_pem_x509_certificates(path.read_bytes())
    names = [name for one in certificates for name in one.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return any(name.value == DEVELOPMENT_CA for name in names)


def lies_in_development(path: Path) -> bool:
    """Whether a file lies in a marked folder, or below one."""
    marks = (DEVELOPMENT_MARK, f"public/{DEVELOPMENT_MARK}")
    return any((folder / mark).exists() for folder in path.resolve().parents for mark in marks)


def mark_for_development(folder: Path) -> None:
    """Mark a folder of secrets as for development only. Creates the folder if there is none."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / DEVELOPMENT_MARK).write_text(
        "Rahasia ini untuk pengembangan: profil production menolaknya.\n"
        "These secrets are for development: the production profile refuses them.\n"
    )
