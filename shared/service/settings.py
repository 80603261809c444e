"""Settings of one service, from environment variables ``ESTAFET_…`` (12-factor). Secrets are in files, never in
values."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url

from shared.http.limits import Limiting
from shared.http.listening import Listening
from shared.security.transport import ClientTls

ROOT = Path(__file__).resolve().parents[2]


class Storing(BaseSettings):
    """The database of a member: all settings that the migration command needs."""

    model_config = SettingsConfigDict(env_prefix="ESTAFET_", extra="ignore")

    database_url: str = Field(
        description="SQLAlchemy URL: sqlite:////path/file.db or postgresql+psycopg://user@host/db"
    )
    database_password_file: Path | None = Field(default=None, description="File with the database password.")

    def database(self) -> str:
        """The database URL with the password from its file."""
        if self.database_password_file is None:
            return self.database_url
        password = self.database_password_file.read_text().strip()
        return make_url(self.database_url).set(password=password).render_as_string(hide_password=False)


class Keeping(Storing):
    """The keys of a member, beside its database: all settings that rewrapping of data keys needs."""

    key_folder: Path | None = Field(
        default=None, description="Folder of the member's own secret keys, readable by its owner alone."
    )
    key_token_module: Path | None = Field(
        default=None, description="Instead of a key folder: the PKCS#11 library of the HSM with the keys."
    )
    key_token_label: str = Field(default="estafet", description="The label of that HSM.")
    key_token_pin_file: Path | None = Field(
        default=None, description="File with the PIN of that HSM's user, mode 0600."
    )
    key_directory_file: Path = Field(description="The signed directory of every member's public keys.")
    key_directory_root_file: Path = Field(description="JWK of the public key that signs the directory.")

    @model_validator(mode="after")
    def _keys_are_in_one_place(self) -> "Keeping":
        if (self.key_folder is None) == (self.key_token_module is None):
            raise ValueError("either ESTAFET_KEY_FOLDER or ESTAFET_KEY_TOKEN_MODULE says where the keys are")
        if (self.key_token_module is None) != (self.key_token_pin_file is None):
            raise ValueError("ESTAFET_KEY_TOKEN_MODULE and ESTAFET_KEY_TOKEN_PIN_FILE go together")
        return self


class Settings(Listening, Limiting, Keeping):
    """All settings of a running service."""

    profile: Literal["development", "production"] = Field(
        default="development",
        description="The profile `production` refuses to start with unsafe settings and names them.",
    )
    nats_url: str | None = Field(
        default=None, description="tls://host:4222; without a URL no event is sent or received."
    )
    nats_seed_file: Path | None = Field(default=None, description="NKEY seed of this member's NATS user.")
    nats_ca_file: Path | None = Field(default=None, description="PEM of the CA of the broker's certificate.")
    nats_certificate_file: Path | None = Field(
        default=None, description="PEM of this member's client certificate at the broker."
    )
    nats_key_file: Path | None = Field(default=None, description="PEM of that certificate's key, mode 0600.")
    units_file: Path = Field(
        default=ROOT / "services" / "units.csv", description="CSV with the units of the network and their dates."
    )
    directory_file: Path = Field(
        default=ROOT / "services" / "directory.json", description="JSON with the services that the agencies publish."
    )
    notices_file: Path = Field(
        default=ROOT / "services" / "notices.json",
        description="JSON with the notices that people read before they consent, by version.",
    )
    clocks_file: Path = Field(default=ROOT / "services" / "clocks.json", description="The table of clocks.")
    local_clocks_file: Path | None = Field(
        default=None, description="JSON with local clocks, in the form of the table of clocks."
    )
    issuer: str = Field(description="The issuer of access tokens: the `iss` that a token must have.")
    issuer_jwks: str = Field(description="The issuer's public keys: a file, or an https:// address of a JWK set.")
    revoked_tokens_file: Path | None = Field(
        default=None, description="JSON with the revoked tokens and clients; read again every 2 seconds."
    )
    public_url: str | None = Field(
        default=None, pattern=r"^https?://[A-Za-z0-9._:/-]{1,200}$", description="The public address of this service,"
        " printed with `/surat` in the square code of a letter. Without it the square code has the letter's code only.",
    )  # fmt: skip
    log_level: str = "info"

    def clocks_files(self) -> list[Path]:
        """The files of the clock table. A clock in a later file replaces one in an earlier file."""
        return [file for file in (self.clocks_file, self.local_clocks_file) if file is not None]

    def nats_tls(self) -> ClientTls | None:
        """The TLS files for the broker connection; None where it is not encrypted."""
        if self.nats_ca_file is None or self.nats_certificate_file is None or self.nats_key_file is None:
            return None
        return ClientTls(self.nats_ca_file, self.nats_certificate_file, self.nats_key_file)

    @model_validator(mode="after")
    def _nats_is_whole(self) -> "Settings":
        if len({file is None for file in (self.nats_ca_file, self.nats_certificate_file, self.nats_key_file)}) > 1:
            raise ValueError(
                "ESTAFET_NATS_CA_FILE, ESTAFET_NATS_CERTIFICATE_FILE and ESTAFET_NATS_KEY_FILE go together"
            )
        return self
