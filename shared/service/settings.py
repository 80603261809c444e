"""Settings of one service, from environment variables ``ESTAFET_…`` (12-factor). Secrets are in files, never in
values."""

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url

from shared.security.transport import ClientTls, ServerTls

ROOT = Path(__file__).resolve().parents[2]


def at_fault(error: ValidationError) -> list[str]:
    """The names of the missing or wrong settings; never their values.

    A fault that concerns several settings has their names in its text.
    """
    names: set[str] = set()
    for fault in error.errors():
        names |= {str(fault["loc"][0])} if fault["loc"] else set(re.findall("ESTAFET_([A-Z_]+)", fault["msg"]))
    return sorted(name.lower() for name in names)


class Listening(BaseSettings):
    """How callers reach a service: its TLS files."""

    model_config = SettingsConfigDict(env_prefix="ESTAFET_", extra="ignore")

    tls_certificate_file: Path | None = Field(default=None, description="PEM; with it the service speaks TLS 1.3 only.")
    tls_key_file: Path | None = Field(default=None, description="PEM of its key, mode 0600.")
    tls_client_ca_file: Path | None = Field(
        default=None, description="PEM of the CAs of client certificates; with it every caller must show one."
    )
    tls_client_crl_file: Path | None = Field(
        default=None, description="PEM of what those CAs have revoked; with it there must be a list of each of them."
    )

    def server_tls(self) -> ServerTls | None:
        """The TLS files of the server; None where it speaks plain HTTP."""
        if self.tls_certificate_file is None or self.tls_key_file is None:
            return None
        return ServerTls(
            self.tls_certificate_file, self.tls_key_file, self.tls_client_ca_file, self.tls_client_crl_file
        )

    @model_validator(mode="after")
    def _tls_is_whole(self) -> "Listening":
        if (self.tls_certificate_file is None) != (self.tls_key_file is None):
            raise ValueError("ESTAFET_TLS_CERTIFICATE_FILE and ESTAFET_TLS_KEY_FILE go together")
        if self.tls_client_ca_file is not None and self.tls_certificate_file is None:
            raise ValueError(
                "ESTAFET_TLS_CLIENT_CA_FILE asks for certificates, which needs ESTAFET_TLS_CERTIFICATE_FILE"
            )
        if self.tls_client_crl_file is not None and self.tls_client_ca_file is None:
            raise ValueError("ESTAFET_TLS_CLIENT_CRL_FILE needs ESTAFET_TLS_CLIENT_CA_FILE")
        return self


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
        default=None, description="Instead of a folder: the PKCS#11 library of the token that the keys are in."
    )
    key_token_label: str = Field(default="estafet", description="The label of that token.")
    key_token_pin_file: Path | None = Field(default=None, description="File with the PIN of its user, mode 0600.")
    key_directory_file: Path = Field(description="The signed directory of every member's public keys.")
    key_directory_root_file: Path = Field(description="JWK of the public key that signs the directory.")

    @model_validator(mode="after")
    def _keys_are_in_one_place(self) -> "Keeping":
        if (self.key_folder is None) == (self.key_token_module is None):
            raise ValueError("either ESTAFET_KEY_FOLDER or ESTAFET_KEY_TOKEN_MODULE says where the keys are")
        if (self.key_token_module is None) != (self.key_token_pin_file is None):
            raise ValueError("ESTAFET_KEY_TOKEN_MODULE and ESTAFET_KEY_TOKEN_PIN_FILE go together")
        return self


class Limiting(BaseSettings):
    """The limits of one service: requests from one client, requests at once, seconds a request may take."""

    model_config = SettingsConfigDict(env_prefix="ESTAFET_", extra="ignore")

    rate_per_second: float = Field(default=50, gt=0, description="Requests a second of one client, over time.")
    rate_burst: int = Field(default=200, ge=1, description="Requests of one client at once.")
    identities_per_minute: int = Field(default=30, ge=1, description="Identities that one client may read.")
    searches_per_minute: int = Field(default=10, ge=1, description="Searches by a number (blind index) of one client.")
    break_glasses_per_hour: int = Field(default=10, ge=1, description="Break-glasses that one client may open.")
    concurrent_requests: int = Field(default=256, ge=1, description="Requests worked on at once.")
    concurrent_waits: int = Field(default=1024, ge=1, description="GETs held open at once (`Prefer: wait`).")
    request_seconds: float = Field(default=30, gt=0, description="How long a request may take, beside what it waits.")
    body_seconds: float = Field(default=10, gt=0, description="How long a body may take to arrive.")


class Settings(Listening, Limiting, Keeping):
    """All settings of a running service."""

    profile: Literal["development", "production"] = Field(
        default="development", description="In production a service refuses to start on what is unsafe, naming it."
    )
    nats_url: str | None = Field(default=None, description="tls://host:4222; without it the outbox only fills.")
    nats_seed_file: Path | None = Field(default=None, description="NKEY seed of this member's NATS user.")
    nats_ca_file: Path | None = Field(default=None, description="PEM of the CA of the broker's certificate.")
    nats_certificate_file: Path | None = Field(default=None, description="PEM that this member shows to the broker.")
    nats_key_file: Path | None = Field(default=None, description="PEM of its key, mode 0600.")
    units_file: Path = Field(default=ROOT / "services" / "units.csv", description="Dated units of the network.")
    directory_file: Path = Field(
        default=ROOT / "services" / "directory.json", description="Published services of the network."
    )
    notices_file: Path = Field(
        default=ROOT / "services" / "notices.json", description="What people are told before they agree, by version."
    )
    clocks_file: Path = Field(default=ROOT / "services" / "clocks.json", description="The table of clocks.")
    local_clocks_file: Path | None = Field(
        default=None, description="Clocks of your own place or desks, written as those of the table."
    )
    issuer: str = Field(description="Who issues access tokens: the `iss` of every token that is trusted.")
    issuer_jwks: str = Field(description="The issuer's public keys: a file, or an https:// address of a JWK set.")
    revoked_tokens_file: Path | None = Field(
        default=None, description="JSON of tokens and clients that are refused from now on; read again every 2 s."
    )
    public_url: str | None = Field(
        default=None, pattern=r"^https?://[A-Za-z0-9._:/-]{1,200}$", description="Where everybody reaches `/surat` of"
        " this service: the address in the square code of a letter. Without it that holds the letter's code alone.",
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
