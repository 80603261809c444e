"""A paper as data, before it is drawn: parts from top to bottom."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.text import Text


@dataclass(frozen=True, slots=True)
class Lines:
    """A heading, and lines under it: each has a label and a text."""

    heading: Text
    lines: tuple[tuple[Text, str], ...]


@dataclass(frozen=True, slots=True)
class Boxes:
    """A question, and boxes to tick."""

    heading: Text
    choices: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Blanks:
    """Lines to fill in by hand. Each label has the number of lines of writing."""

    labels: tuple[tuple[Text, int], ...]


@dataclass(frozen=True, slots=True)
class Signatures:
    """Boxes side by side for signatures: each has a caption, and the signer's name where it is known."""

    signers: tuple[tuple[Text, str | None], ...]


@dataclass(frozen=True, slots=True)
class Remark:
    """A remark of one or two sentences."""

    said: Text


Part = Lines | Boxes | Blanks | Signatures | Remark


@dataclass(frozen=True, slots=True)
class Paper:
    """A whole paper. ``square`` is the text of its square code.

    ``title`` must say nothing about a person: it stands in the metadata of the file.
    """

    agency: str
    unit: str
    title: Text
    code: str
    square: str
    dated: str
    issued_at: datetime
    parts: tuple[Part, ...]
