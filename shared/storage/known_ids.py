"""The ids in the tables of an agency for which it vouches, with their kinds."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, bindparam, literal, select, union_all
from sqlmodel import Session

from shared.domain.ids import IdKind

AT_ONCE = 4
"""The most ids of one event."""
AGENCY: BindParameter[str] = bindparam("agency")
"""Our own code, in the condition ``ours`` of a column."""
_ASKED: list[BindParameter[str]] = [bindparam(f"id_{place}") for place in range(AT_ONCE)]


@dataclass(frozen=True, slots=True)
class IdColumn:
    """A column with ids of one kind.

    ``ours``: the rows whose id this agency vouches for, because it made the id or has the custody. Such an id is
    proven, so no other agency can claim it for another kind.
    """

    kind: IdKind
    column: Any
    ours: ColumnElement[bool]


@dataclass(frozen=True)
class KnownIds:
    """The columns of an agency that hold ids, as each slice declares its own."""

    columns: Sequence[IdColumn] = ()
    _ours: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # built once, because every request from another agency runs it
        ours = [_arm(one).where(one.column.in_(_ASKED), one.ours) for one in self.columns]
        object.__setattr__(self, "_ours", union_all(*ours) if ours else None)

    def proven(self, session: Session, agency: str, ids: Collection[str]) -> set[tuple[str, str]]:
        """Kind and id, of the ids that ``agency``, which is ours, vouches for. Others are known by hearsay alone."""
        if self._ours is None or not ids:
            return set()
        found = session.execute(self._ours, {"agency": agency, **_asked(ids)})
        return {(kind, ident) for kind, ident in found}


def _arm(one: IdColumn) -> Any:
    return select(literal(one.kind.value), one.column)


def _asked(ids: Collection[str]) -> dict[str, str]:
    padded = [*ids, *[""] * AT_ONCE][:AT_ONCE]
    return {f"id_{place}": ident for place, ident in enumerate(padded)}
