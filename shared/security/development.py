"""What is for development only, and how the production profile knows it: by marks that what makes it leaves on it."""

from pathlib import Path

from cryptography.x509 import load_pem_x509_certificates
from cryptography.x509.oid import NameOID

DEVELOPMENT_CA = "Estafet development CA"
"""The common name of a CA whose key lies beside what it certifies."""
DEVELOPMENT_ISSUER = "urn:estafet:issuer:development"
"""The ``iss`` of the tokens that anybody on a developer's machine can print."""
DEVELOPMENT_MARK = "DEVELOPMENT-ONLY"
"""The name of a file: no secret in its folder, or below, is for production, nor any beside it where that folder is
``public``, which containers are shown."""


def is_of_development_ca(path: Path) -> bool:
    """Whether any certificate in a PEM file is of a development CA, or is that CA's own.

    Raises OSError or ValueError when there is none in it.
    """
    certificates = load_pem_x509_certificates(path.read_bytes())
    names = [name for one in certificates for name in one.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return any(name.value == DEVELOPMENT_CA for name in names)


def lies_in_development(path: Path) -> bool:
    """Whether a file lies in a folder that is marked, or below one."""
    marks = (DEVELOPMENT_MARK, f"public/{DEVELOPMENT_MARK}")
    return any((folder / mark).exists() for folder in path.resolve().parents for mark in marks)


def mark_for_development(folder: Path) -> None:
    """Mark a folder of secrets."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / DEVELOPMENT_MARK).write_text(
        "Rahasia ini untuk pengembangan: profil production menolaknya.\n"
        "These secrets are for development: the production profile refuses them.\n"
    )
