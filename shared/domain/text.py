"""Texts in two languages."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """A text for people: Indonesian first, English second."""

    id: str
    en: str
