"""Column types and metadata that behave the same on SQLite and on PostgreSQL."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, LargeBinary, MetaData, String
from sqlalchemy.types import TypeDecorator

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


def new_metadata() -> MetaData:
    """Metadata for one migration lineage. Constraints get fixed names, so that a migration can name them."""
    return MetaData(naming_convention=NAMING)


class UtcMoment(TypeDecorator[datetime]):
    """A moment in UTC, with microseconds. SQLite loses the time zone; this type restores UTC on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC for storing. Raises ValueError for a moment without a time zone: a fault in our code."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored moment needs a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Return the stored moment in UTC."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


# SQLite numbers rows by itself only in a column that is exactly INTEGER
Number = BigInteger().with_variant(Integer(), "sqlite")
Ident = String(36)
Word = String(64)
Bytes = LargeBinary()
Json = JSON()
