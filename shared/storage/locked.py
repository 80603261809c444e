"""Rows that a unit of work locks once and then finds again without a statement."""

from collections.abc import Mapping
from typing import Any, TypeVar

from sqlalchemy import Select
from sqlmodel import Session, SQLModel

Row = TypeVar("Row", bound=SQLModel)


def locked_once(
    session: Session, table: type[Row], ident: str, statement: Select[Any], named: Mapping[str, Any]
) -> Row | None:
    """The row that a locking statement selects; found again in this session without running it again.

    A lock taken inside a savepoint may be lost with it, so such a row is selected again.
    """
    known: dict[tuple[type[SQLModel], str], Any] = session.info.setdefault("locked", {})
    row: Row | None = known.get((table, ident))
    if row is not None and row in session:
        return row
    row = session.scalars(statement, named).first()
    if row is not None and not session.in_nested_transaction():
        known[table, ident] = row
    return row
