"""The keys that the issuer signs with (ES256, RFC 7518 3.4)."""

from pathlib import Path

from joserfc.jwk import ECKey

from deploy.files import PRIVATE, replace_file

ALGORITHM = "ES256"


def private_folder(path: Path) -> Path:
    """Make the folder if it is missing, and let only its owner enter (mode 0700)."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


def load_private_key(path: Path) -> ECKey:
    """An EC private key in PKCS#8 PEM; its ``kid`` is its thumbprint (RFC 7638).

    Raises PermissionError when others than its owner and group have access to the file. Raises OSError when the file
    is missing, ValueError when the file holds no P-256 private key.
    """
    if path.stat().st_mode & 0o007:
        raise PermissionError(f"{path} may be read by anyone: chmod 600 {path}")
    key = ECKey.import_key(path.read_bytes())
    if key.private_key is None or key.curve_name != "P-256":
        raise ValueError(f"{path} holds no P-256 private key")
    key.ensure_kid()
    return key


def keep_private_key(path: Path) -> ECKey:
    """Load the private key at ``path``; make it first if the file is missing."""
    if not path.exists():
        replace_file(path, ECKey.generate_key("P-256").as_pem(private=True), PRIVATE)
    return load_private_key(path)


def signing_keys(folder: Path) -> list[ECKey]:
    """The issuer's keys in ``folder`` (``issuer-<n>.pem``), newest first. The newest signs, all verify.

    Raises FileNotFoundError when there is no key.
    """
    paths = sorted(folder.glob("issuer-*.pem"), key=_number, reverse=True)
    if not paths:
        raise FileNotFoundError(f"no issuer-*.pem in {folder}")
    return [load_private_key(path) for path in paths]


def add_signing_key(folder: Path) -> Path:
    """Make the next key, which signs from now on. Returns its path."""
    number = max(map(_number, folder.glob("issuer-*.pem")), default=0) + 1
    path = folder / f"issuer-{number}.pem"
    keep_private_key(path)
    return path


def _number(path: Path) -> int:
    return int(path.stem.removeprefix("issuer-"))


def public_jwk(key: ECKey) -> dict[str, str]:
    """The public half as a JWK (RFC 7517)."""
    return {name: str(value) for name, value in key.as_dict(private=False, use="sig", alg=ALGORITHM).items()}


def public_jwks(keys: list[ECKey]) -> dict[str, list[dict[str, str]]]:
    """The JWK set with the public halves of these keys (RFC 7517)."""
    return {"keys": [public_jwk(key) for key in keys]}
