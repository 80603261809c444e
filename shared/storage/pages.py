"""Pagination of long lists, with cursors that reveal nothing."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, SQLModel

from shared.contracts.pattern import Pattern
from shared.domain.refusal import Refused
from shared.security.sealing import Unopenable
from shared.security.vault import Vault, conceal, reveal

LEAD = "bj"
CURSOR = Pattern(f"^{LEAD}[A-Za-z0-9_-]{{1,32}}$", "`next` dari halaman sebelumnya", "the `next` of the page before")
"""The pattern of every cursor. Nothing that identifies a person fits this pattern."""
Row = TypeVar("Row", bound=SQLModel)


@dataclass(frozen=True, slots=True)
class Page:
    """The page of a list that a caller asks for: up to ``limit`` rows after ``cursor``; None: the first page."""

    cursor: str | None
    limit: int


def newest_first(
    session: Session,
    vault: Vault,
    table: type[Row],
    conditions: Sequence[ColumnElement[bool]],
    page: Page,
) -> tuple[Sequence[Row], str | None]:
    """The rows of a page, the newest first, and the cursor of the next page. The cursor is None after the last page.

    ``table`` needs a column ``number``. Raises Refused("unknown-cursor").
    """
    number: Any = table.number  # type: ignore[attr-defined]
    statement = select(table).where(*conditions)
    if page.cursor is not None:
        statement = statement.where(number < read_cursor(vault, table, page.cursor))
    # one row more than asked for shows whether a next page exists
    rows = session.scalars(statement.order_by(number.desc()).limit(page.limit + 1)).all()
    return _with_next(vault, table, rows, page)


def soonest_first(
    session: Session,
    vault: Vault,
    table: type[Row],
    moment: Any,
    conditions: Sequence[ColumnElement[bool]],
    page: Page,
) -> tuple[Sequence[Row], str | None]:
    """As ``newest_first``, but ordered by the column ``moment``, the earliest first.

    The values of ``moment`` must never change, or pages would skip or repeat rows.
    """
    number: Any = table.number  # type: ignore[attr-defined]
    statement = select(table).where(*conditions)
    if page.cursor is not None:
        last = read_cursor(vault, table, page.cursor)
        at = select(moment).where(number == last).scalar_subquery()
        statement = statement.where((moment > at) | ((moment == at) & (number > last)))
    rows = session.scalars(statement.order_by(moment, number).limit(page.limit + 1)).all()
    return _with_next(vault, table, rows, page)


def _with_next(vault: Vault, table: type[Row], rows: Sequence[Row], page: Page) -> tuple[Sequence[Row], str | None]:
    shown: Any = rows[: page.limit]
    return shown, write_cursor(vault, table, shown[-1].number) if len(rows) > page.limit else None


def write_cursor(vault: Vault, table: type[SQLModel], number: int) -> str:
    """An encrypted cursor for a place in a list. A plain row number would also count rows that a caller may not see."""
    return LEAD + base64.urlsafe_b64encode(conceal(vault, number, _key_purpose(table))).decode()


def read_cursor(vault: Vault, table: type[SQLModel], cursor: str) -> int:
    """The row number that a cursor of this list names. Raises Refused("unknown-cursor") for any other text."""
    try:
        return reveal(vault, base64.urlsafe_b64decode(cursor.removeprefix(LEAD)), _key_purpose(table))
    except (ValueError, Unopenable):  # a caller may send any text as a cursor
        raise Refused("unknown-cursor", field="cursor") from None


def _key_purpose(table: type[SQLModel]) -> str:
    return f"cursor {table.__tablename__}"
