"""The issuer's registry of clients: ``FOLDER/issuer/clients.json``, one entry for each client."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from deploy.files import PRIVATE, replace_file
from shared.domain.access import Role


class Registration(BaseModel):
    """One client: the member, role and desk of its tokens, and the key or certificate that authenticates it."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    member: str
    role: Role
    unit: str
    jwk: dict[str, str] = Field(description="Its public key; it signs its assertions with the other half.")
    certificate: str | None = Field(
        default=None,
        alias="x5t#S256",
        description="SHA-256 of its client certificate (RFC 8705 3.1). Where given, no other certificate will do.",
    )


Clients = Mapping[str, Registration]
"""Client id → registration."""
_CLIENTS = TypeAdapter(dict[str, Registration])


def load_clients(folder: Path) -> dict[str, Registration]:
    """Load the registry: client id → registration. Raises OSError or ValueError (pydantic's) when it cannot be read."""
    return _CLIENTS.validate_json((folder / "clients.json").read_bytes())


def save_clients(folder: Path, clients: Clients) -> None:
    """Write the registry. The issuer reads it again for its next answer."""
    text = _CLIENTS.dump_json(dict(sorted(clients.items())), by_alias=True, exclude_none=True, indent=2)
    replace_file(folder / "clients.json", text + b"\n", PRIVATE)
