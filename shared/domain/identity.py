"""The fields of a victim's identity with their patterns, and the command that searches by an identifier."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.codes import IdentityField
from shared.contracts.pattern import Pattern
from shared.contracts.types import SEVERAL_LINES, AskedMoment, Code
from shared.domain.commands import Asked, Text, example

NIK = Pattern(r"^[0-9]{16}$", "16 angka tanpa spasi", "16 digits without spaces")
BORN_ON = Pattern(
    r"^(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
    "tanggal, seperti 2001-02-28",
    "a date, such as 2001-02-28",
)
PASSPORT = Pattern(
    r"^[A-Za-z0-9][A-Za-z0-9 -]{3,18}[A-Za-z0-9]$",
    "5 sampai 20 huruf dan angka, seperti X1234567",
    "5 to 20 letters and digits, such as X1234567",
)
PHONE = Pattern(
    r"^\+?[0-9]{6,15}$", "nomor telepon, seperti +6281200000000", "a telephone number, such as +6281200000000"
)
IDENTIFIER = Pattern(
    r"^\+?[A-Za-z0-9][A-Za-z0-9 -]{3,18}[A-Za-z0-9]$",
    "5 sampai 20 huruf dan angka, boleh diawali +",
    "5 to 20 letters and digits, after a + or not",
)
"""The form of an identifier to search for: a NIK, a passport number or a telephone number."""


class Identity(BaseModel):
    """The identity of a victim. The holder alone keeps it. No field is required: half of a group of 723 had no NIK."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"examples": [{"name": "Contoh Rekaan", "phone": "+620000000000"}]},
    )

    name: Text | None = None
    nik: Annotated[str, Field(pattern=NIK)] | None = None
    passport: Annotated[str, Field(pattern=PASSPORT)] | None = Field(
        default=None, description="The number of a passport, or of a travel document in its place (SPLP)."
    )
    born_on: Annotated[str, Field(pattern=BORN_ON)] | None = None
    phone: Annotated[str, Field(pattern=PHONE)] | None = None
    address: Text | None = None
    statement: Annotated[str, Field(min_length=1, max_length=4000, pattern=SEVERAL_LINES)] | None = Field(
        default=None, description="The victim's statement, recorded so that the victim need not repeat it."
    )
    safe_house: Text | None = Field(default=None, description="Where the victim is sheltered.")


class TakeOver(Asked):
    """Take over what another agency says of a field, after somebody here has checked it. It becomes our own word.

    ``said_at`` is the moment shown with the value: a value that came since then was not checked.
    """

    model_config = example(field="phone", agency="other-agency", said_at="2026-11-24T01:30:00.000000Z")

    field: IdentityField
    agency: Code
    said_at: AskedMoment


class Search(Asked):
    """Find a victim by a number. The search reads no stored number, because it compares keyed hashes."""

    model_config = example(field="nik", value="7401010101010001")

    field: Literal[IdentityField.NIK, IdentityField.PASSPORT, IdentityField.PHONE]
    value: Annotated[str, Field(pattern=IDENTIFIER)]
