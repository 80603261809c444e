"""Settings of one service, from environment variables ``ESTAFET_…`` (12-factor). Secrets are files, never values."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url

ROOT = Path(__file__).resolve().parents[2]


class Settings(BaseSettings):
    """What a service needs to know of the place it runs in."""

    model_config = SettingsConfigDict(env_prefix="ESTAFET_", extra="ignore")

    database_url: str = Field(
        description="SQLAlchemy URL: sqlite:////path/file.db or postgresql+psycopg://user@host/db"
    )
    database_password_file: Path | None = Field(default=None, description="File with the database password.")
    key_folder: Path = Field(description="Folder of the member's own secret keys, readable by its owner alone.")
    key_directory_file: Path = Field(description="The signed directory of every member's public keys.")
    key_directory_root_file: Path = Field(description="JWK of the public key that signs the directory.")
    nats_url: str | None = Field(default=None, description="nats://host:4222; without it the outbox only fills.")
    nats_seed_file: Path | None = Field(default=None, description="NKEY seed of this member's NATS user.")
    units_file: Path = Field(default=ROOT / "services" / "units.csv", description="Dated units of the network.")
    directory_file: Path = Field(
        default=ROOT / "services" / "directory.json", description="Published services of the network."
    )
    notices_file: Path = Field(
        default=ROOT / "services" / "notices.json", description="What people are told before they agree, by version."
    )
    issuer: str = Field(description="Who issues access tokens: the `iss` of every token that is trusted.")
    issuer_jwks: str = Field(description="The issuer's public keys: a file, or an https:// address of a JWK set.")
    revoked_tokens_file: Path | None = Field(
        default=None, description="JSON of tokens and clients that are refused from now on; read again every 2 s."
    )
    log_level: str = "info"
    rate_per_second: float = Field(default=50, gt=0, description="Requests a second of one client, over time.")
    rate_burst: int = Field(default=200, ge=1, description="Requests of one client at once.")
    identities_per_minute: int = Field(default=30, ge=1, description="Identities that one client may read.")
    searches_per_minute: int = Field(default=10, ge=1, description="Searches by a number (blind index) of one client.")
    concurrent_requests: int = Field(default=256, ge=1, description="Requests worked on at once.")
    concurrent_waits: int = Field(default=1024, ge=1, description="GETs held open at once (`Prefer: wait`).")
    request_seconds: float = Field(default=30, gt=0, description="How long a request may take, beside what it waits.")
    body_seconds: float = Field(default=10, gt=0, description="How long a body may take to arrive.")

    def database(self) -> str:
        """The database URL with the password from its file."""
        if self.database_password_file is None:
            return self.database_url
        password = self.database_password_file.read_text().strip()
        return make_url(self.database_url).set(password=password).render_as_string(hide_password=False)
