"""Loads the table of clocks (DESIGN section 7): those of the law, and the standards of regions and desks."""

import csv
from collections.abc import Iterable
from dataclasses import fields
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import from_json

from shared.contracts.events import CATALOGUE
from shared.domain.clocks import Clock, Clocks, check, event_name
from shared.reference.units import REGIONS

COLUMNS = {field.name for field in fields(Clock)}
TABLE: TypeAdapter[dict[str, Clock]] = TypeAdapter(dict[str, Clock])


def load_clocks(paths: Iterable[Path], regions: Path = REGIONS) -> Clocks:
    """The clocks of these files. A row of a later file replaces the row of the same code in an earlier file.

    Limits are ISO 8601 durations. Raises OSError, or ValueError for an inconsistent table.
    """
    rows: dict[str, dict[str, Any]] = {}
    for path in paths:
        rows |= {code: {"code": code, **row} for code, row in from_json(path.read_bytes()).items()}
    for code, row in rows.items():
        if unknown := row.keys() - COLUMNS:  # a misspelt column must not be lost in silence
            raise ValueError(f"clock {code}: no such column: {', '.join(sorted(unknown))}")
        for trigger in (*row["starts"], *row["stops"]):
            trigger.setdefault("where", {})
    by_code = TABLE.validate_python(rows)
    check(by_code.values(), map(event_name, CATALOGUE.values()))
    return Clocks(by_code, _zones(regions / "time_zones.csv"))


def _zones(path: Path) -> dict[str, timezone]:
    """Province → its time zone (Keppres 41/1987)."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["province_code"]: timezone(timedelta(hours=int(row["hours_east"]))) for row in csv.DictReader(file)}
