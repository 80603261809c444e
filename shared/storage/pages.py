"""Long lists, newest first, a page at a time."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, SQLModel

from shared.domain.refusal import Refused

CURSOR = "^bj[A-Za-z0-9_-]{1,22}$"
"""How every cursor looks: nothing that a person could be known by fits in."""
Row = TypeVar("Row", bound=SQLModel)


def newest_first(
    session: Session,
    table: type[Row],
    conditions: Sequence[ColumnElement[bool]],
    cursor: str | None,
    limit: int,
) -> tuple[Sequence[Row], str | None]:
    """Up to ``limit`` rows from where the last page ended, and the cursor of the next page, None after the last.

    The table is one that numbers its rows (``number``). Raises Refused("unknown-cursor").
    """
    number: Any = table.number  # type: ignore[attr-defined]
    statement = select(table).where(*conditions)
    if cursor is not None:
        statement = statement.where(number < read_cursor(cursor))
    # one more than asked for, to know whether there is a next page
    rows = session.scalars(statement.order_by(number.desc()).limit(limit + 1)).all()
    shown = rows[:limit]
    return shown, write_cursor(shown[-1].number) if len(rows) > limit else None  # type: ignore[attr-defined]


def write_cursor(number: int) -> str:
    """An opaque word for a place in a list."""
    return base64.urlsafe_b64encode(f"n{number}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> int:
    """The place a cursor names. Raises Refused when it is not one of ours."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        if text.startswith("n") and text[1:].isascii() and text[1:].isdigit() and len(text) < 19:
            return int(text[1:])
    except (binascii.Error, ValueError):
        pass
    raise Refused("unknown-cursor", field="cursor")
