"""Long lists, a page at a time."""

import base64
from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, SQLModel

from shared.domain.refusal import Refused
from shared.security.sealing import Unopenable
from shared.security.vault import Vault, conceal, reveal

LEAD = "bj"
CURSOR = f"^{LEAD}[A-Za-z0-9_-]{{1,32}}$"
"""How every cursor looks: nothing that a person could be known by fits in."""
Row = TypeVar("Row", bound=SQLModel)


def newest_first(
    session: Session,
    vault: Vault,
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
        statement = statement.where(number < read_cursor(vault, table, cursor))
    # one more than asked for, to know whether there is a next page
    rows = session.scalars(statement.order_by(number.desc()).limit(limit + 1)).all()
    shown = rows[:limit]
    return shown, write_cursor(vault, table, shown[-1].number) if len(rows) > limit else None  # type: ignore[attr-defined]


def soonest_first(
    session: Session,
    vault: Vault,
    table: type[Row],
    moment: Any,
    conditions: Sequence[ColumnElement[bool]],
    cursor: str | None,
    limit: int,
) -> tuple[Sequence[Row], str | None]:
    """As ``newest_first``, by a ``moment`` column of the table that never changes, the earliest first."""
    number: Any = table.number  # type: ignore[attr-defined]
    statement = select(table).where(*conditions)
    if cursor is not None:
        last = read_cursor(vault, table, cursor)
        at = select(moment).where(number == last).scalar_subquery()
        statement = statement.where((moment > at) | ((moment == at) & (number > last)))
    rows = session.scalars(statement.order_by(moment, number).limit(limit + 1)).all()
    shown = rows[:limit]
    return shown, write_cursor(vault, table, shown[-1].number) if len(rows) > limit else None  # type: ignore[attr-defined]


def write_cursor(vault: Vault, table: type[SQLModel], number: int) -> str:
    """A word for a place in a list, which nobody reads but us: row numbers count also what a caller may not see."""
    return LEAD + base64.urlsafe_b64encode(conceal(vault, number, _purpose(table))).decode()


def read_cursor(vault: Vault, table: type[SQLModel], cursor: str) -> int:
    """The place that a cursor of this list names. Raises Refused when it is not one of ours."""
    try:
        return reveal(vault, base64.urlsafe_b64decode(cursor.removeprefix(LEAD)), _purpose(table))
    except (ValueError, Unopenable):  # what a page is asked with may be any text
        raise Refused("unknown-cursor", field="cursor") from None


def _purpose(table: type[SQLModel]) -> str:
    return f"cursor {table.__tablename__}"
