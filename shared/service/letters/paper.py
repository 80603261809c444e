"""What stands on a paper, before it is drawn: parts one below another, as data."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.text import Text


@dataclass(frozen=True, slots=True)
class Lines:
    """A heading and lines under it, each a label and what is said."""

    heading: Text
    lines: tuple[tuple[Text, str], ...]


@dataclass(frozen=True, slots=True)
class Boxes:
    """A question, and boxes to tick."""

    heading: Text
    choices: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Blanks:
    """Lines to be filled in by hand. ``tall``: how many lines of writing each takes."""

    labels: tuple[tuple[Text, int], ...]


@dataclass(frozen=True, slots=True)
class Signatures:
    """Boxes side by side to sign in: who signs, and their name where it is known."""

    signers: tuple[tuple[Text, str | None], ...]


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to be told in a sentence or two."""

    said: Text


Part = Lines | Boxes | Blanks | Signatures | Remark


@dataclass(frozen=True, slots=True)
class Paper:
    """A whole paper. ``square`` is what its square code says, ``title`` holds nothing about a person: it is in the
    metadata of the file."""

    agency: str
    unit: str
    title: Text
    code: str
    square: str
    dated: str
    issued_at: datetime
    parts: tuple[Part, ...]
