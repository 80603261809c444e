"""Loads the consent notices, by version: the texts that a person is told before consenting (UU 27/2022 Ps 21)."""

from pathlib import Path

from pydantic import TypeAdapter

from shared.domain.consent import Notice


def load_notices(path: Path) -> dict[str, Notice]:
    """Version → notice. Raises OSError, or ValueError if the file holds no notice."""
    entries = TypeAdapter(dict[str, Notice]).validate_json(path.read_bytes())
    if not entries:
        raise ValueError(f"no notice in {path}")
    return entries
