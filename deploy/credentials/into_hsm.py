"""Copy a member's keys from its folder into an HSM behind PKCS#11.

``python -m deploy.credentials.into_hsm FOLDER MEMBER …``

The HSM signs, opens and wraps with the keys and never reveals them. Keys already in the HSM stay. A service uses
the HSM when ``ESTAFET_KEY_TOKEN_MODULE`` and ``ESTAFET_KEY_TOKEN_PIN_FILE`` replace ``ESTAFET_KEY_FOLDER``. The HSM
protects nothing while the files exist: move them away once the service runs.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pkcs11
import typer
from asn1crypto.core import PrintableString
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pkcs11 import Attribute, KeyType, ObjectClass

from deploy.credentials.keyring import KEYS
from deploy.local.console_output import say
from shared.security.secret_files import read_secret
from shared.security.vault import BLIND_INDEX

_KEPT = {Attribute.TOKEN: True, Attribute.PRIVATE: True, Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}


def copy_keys(own: Path, member: str, session: Any) -> list[str]:
    """Copy the keys of a member's folder ``own`` into an HSM.

    ``session``: a writable session of python-pkcs11. Returns the labels of the new keys. Raises OSError or ValueError
    for a file that cannot be read or holds another kind of key.
    """
    copied = []
    for label, attributes in _objects(own, member):
        wanted = {Attribute.CLASS: attributes[Attribute.CLASS], Attribute.LABEL: label}
        if not list(session.get_objects(wanted)):
            session.create_object({**_KEPT, **wanted, **attributes})
            copied.append(label)
    return copied


def _objects(own: Path, member: str) -> Iterator[tuple[str, dict[Attribute, Any]]]:
    for path in sorted(own.glob(f"{member}-*.pem")):
        yield path.stem, _private(read_secret(path))
    for path in sorted(own.glob("storage-*.key")):
        yield path.stem, _secret(KeyType.AES, path) | {Attribute.ENCRYPT: True, Attribute.DECRYPT: True}
    for path in sorted(own.glob("matching-*.key")):
        yield path.stem, _secret(KeyType.GENERIC_SECRET, path) | {Attribute.SIGN: True}
    yield BLIND_INDEX, _secret(KeyType.GENERIC_SECRET, own / f"{BLIND_INDEX}.key") | {Attribute.SIGN: True}


def _secret(kind: KeyType, path: Path) -> dict[Attribute, Any]:
    return {
        Attribute.CLASS: ObjectClass.SECRET_KEY,
        Attribute.KEY_TYPE: kind,
        Attribute.VALUE: read_secret(path),
    }


def _private(pem: bytes) -> dict[Attribute, Any]:
    key = load_pem_private_key(pem, password=None)
    if isinstance(key, Ed25519PrivateKey):
        curve, operation = "edwards25519", Attribute.SIGN
    elif isinstance(key, X25519PrivateKey):
        curve, operation = "curve25519", Attribute.DERIVE
    else:
        raise ValueError("neither an Ed25519 nor an X25519 key")
    return {
        Attribute.CLASS: ObjectClass.PRIVATE_KEY,
        # SoftHSM stores both curves as Edwards keys; PKCS#11 3.0 calls X25519 a Montgomery key
        Attribute.KEY_TYPE: KeyType.EC_EDWARDS,
        Attribute.EC_PARAMS: PrintableString(curve).dump(),
        Attribute.VALUE: key.private_bytes_raw(),
        operation: True,
    }


def _command(
    folder: Annotated[Path, typer.Argument(help="Folder rahasia · The folder of secrets.")],
    member: Annotated[str, typer.Argument(help="Instansi · The agency.")],
    module: Annotated[Path, typer.Option(help="Pustaka PKCS#11 · The PKCS#11 library.")],
    label: Annotated[str, typer.Option(help="Label HSM · The label of the HSM.")],
    pin_file: Annotated[Path, typer.Option(help="Berkas PIN · The file with the PIN of its user.")],
) -> None:
    """Salin kunci instansi ke dalam HSM · Copy a member's keys into an HSM."""
    pin = read_secret(pin_file).decode().strip()
    with pkcs11.lib(str(module)).get_token(token_label=label).open(rw=True, user_pin=pin) as session:
        copied = copy_keys(folder / member / KEYS, member, session)
    say(f"✓ {', '.join(copied) or '-'}", f"now in the HSM {label}", "green")


if __name__ == "__main__":
    typer.run(_command)
