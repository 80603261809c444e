"""The settings of a service's TLS. ``shared.http.serve`` reads these alone, before the app has its own."""

import re
from pathlib import Path

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.security.transport import ServerTls


def at_fault(error: ValidationError) -> list[str]:
    """The names of the missing or wrong settings; never their values.

    A fault that concerns several settings has their names in its text.
    """
    names: set[str] = set()
    for fault in error.errors():
        names |= {str(fault["loc"][0])} if fault["loc"] else set(re.findall("ESTAFET_([A-Z_]+)", fault["msg"]))
    return sorted(name.lower() for name in names)


class Listening(BaseSettings):
    """TLS files with which callers reach a service."""

    model_config = SettingsConfigDict(env_prefix="ESTAFET_", extra="ignore")

    tls_certificate_file: Path | None = Field(
        default=None, description="PEM of the server certificate; with it the service speaks TLS 1.3 only."
    )
    tls_key_file: Path | None = Field(default=None, description="PEM of the certificate's key, mode 0600.")
    tls_client_ca_file: Path | None = Field(
        default=None, description="PEM of the CAs of client certificates; with it every caller must show one."
    )
    tls_client_crl_file: Path | None = Field(
        default=None, description="PEM of the revocation lists of those CAs, one list for each CA."
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
