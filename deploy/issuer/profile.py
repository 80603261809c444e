"""The profile of this process. The issuer runs in development only: it must never speak for a ministry."""

import os

SETTING = "ESTAFET_PROFILE"
DEVELOPMENT = "development"


class OnlyForDevelopment(Exception):
    """The profile is not development. The message names the setting, in both languages."""

    def __init__(self) -> None:
        super().__init__(
            f"{SETTING} bukan {DEVELOPMENT}: penerbit token ini hanya untuk pengembangan. "
            "Pakai penerbit instansi: ESTAFET_ISSUER dan ESTAFET_ISSUER_JWKS.\n"
            f"{SETTING} is not {DEVELOPMENT}: this token issuer is for development only. "
            "Use the agency's own: ESTAFET_ISSUER and ESTAFET_ISSUER_JWKS."
        )


def is_development() -> bool:
    """Whether ESTAFET_PROFILE is unset or ``development``."""
    return os.environ.get(SETTING, DEVELOPMENT) == DEVELOPMENT


def require_development() -> None:
    """Raises OnlyForDevelopment in every other profile, also a misspelt one."""
    if not is_development():
        raise OnlyForDevelopment
