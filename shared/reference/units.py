"""Generates every unit of the network from the regions and from one dated row for each kind of unit.

A row makes one unit for each area of the kind in its column ``area``. The kinds are ``regency``, ``province``,
``nation``, and an agency's own division ``x`` of the country. The division is in ``xs.csv`` (``x_id``, ``name``,
``province_codes``) and ``regency_x.csv``. ``x:<code>`` is one area alone. Its unit replaces the unit of the same id
from a general row. So a row closes, renames or dates a single desk. ``{code}`` and ``{name}`` in a row are those of
the area; ``{full}`` is its name with Kabupaten or Kota. Dates are ISO 8601; ``valid_to`` is the last day, empty for
open-ended.
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import chain
from pathlib import Path

from shared.contracts.codes import Level
from shared.domain.routing import NATION, Unit, Units
from shared.domain.text import Text

REGIONS = Path(__file__).parent / "regions"
GENERIC = frozenset({"regency", "province", "nation"})

Row = dict[str, str]
Place = tuple[str, str]
"""Kind of area and code within it: ``("regency", "74.01")``."""
Desks = dict[tuple[str, Place], list[Unit]]
"""(agency, place) → the units generated there."""


@dataclass(frozen=True, slots=True)
class Area:
    """An area of a unit: its names, the region where the desk stands, and the places that contain the area.

    ``ladder`` begins with the area itself and ends with the nation.
    """

    name: str
    full: str
    region: str
    ladder: tuple[Place, ...]


def load_units(units_csv: Path, regions: Path = REGIONS) -> Units:
    """Every unit of the network. Raises ValueError or KeyError for an inconsistent table, OSError for no table."""
    rows = _read(units_csv)
    areas = _areas(regions, {row["area"].partition(":")[0] for row in rows} - GENERIC)
    desks = _desks(rows, areas)
    places = {place[1]: area for place, area in areas.items() if place[0] in GENERIC}
    units = _by_id(chain.from_iterable(desks.values()))
    return Units(
        units=units,
        chains={
            (agency, region): tuple(chain.from_iterable(desks.get((agency, place), ()) for place in area.ladder))
            for agency in {row["agency"] for row in rows}
            for region, area in places.items()
        },
        regions={region: area.full for region, area in places.items()},
        below=_below(units),
    )


def _read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _areas(folder: Path, divisions: set[str]) -> dict[Place, Area]:
    nation = ("nation", NATION)
    areas = {nation: Area("Indonesia", "Indonesia", NATION, (nation,))}
    own: defaultdict[str, list[Place]] = defaultdict(list)  # region → the divisions that hold it
    for kind in sorted(divisions):
        for row in _read(folder / f"{kind}s.csv"):
            place, region = (kind, row[f"{kind}_id"]), row["province_codes"].split(";")[0]
            areas[place] = Area(row["name"], row["name"], region, (place, nation))
            own[region].append(place)
        for row in _read(folder / f"regency_{kind}.csv"):
            own[row["regency_code"]].append((kind, row[f"{kind}_id"]))
    for row in _read(folder / "provinces.csv"):
        place = ("province", row["code"])
        areas[place] = Area(row["name"], row["name"], row["code"], (place, *own[row["code"]], nation))
    for row, name in _named(_read(folder / "regencies.csv")):
        place, above = ("regency", row["code"]), ("province", row["province_code"])
        areas[place] = Area(name, row["name"], row["code"], (place, *own[row["code"]], above, nation))
    return areas


def _named(regencies: list[Row]) -> Iterator[tuple[Row, str]]:
    """Each regency with its short name. A kota keeps the word Kota if a kabupaten has the same name."""
    short = {row["code"]: row["name"].split(" ", 1)[1].removeprefix("Administrasi ") for row in regencies}
    bearers = Counter(short.values())
    for row in regencies:
        name = short[row["code"]]
        yield row, f"Kota {name}" if row["kind"] == "kota" and bearers[name] > 1 else name


def _desks(rows: list[Row], areas: Mapping[Place, Area]) -> Desks:
    made = [(place, _fill(row, place, areas[place]), ":" in row["area"]) for row in rows for place in _over(row, areas)]
    single = {(row["agency"], row["id"]) for _, row, alone in made if alone}
    kept: defaultdict[tuple[str, Place], list[Row]] = defaultdict(list)
    for place, row, alone in made:
        if alone or (row["agency"], row["id"]) not in single:
            kept[row["agency"], place].append(row)
    desks: Desks = {}
    for (agency, place), here in kept.items():
        area = areas[place]
        parents = (kept[agency, above][0]["id"] for above in area.ladder[1:] if (agency, above) in kept)
        parent = next(parents, None)
        desks[agency, place] = [_unit(row, area.region, parent) for row in here]
    return desks


def _over(row: Row, areas: Mapping[Place, Area]) -> list[Place]:
    kind, _, code = row["area"].partition(":")
    over = [place for place in areas if place[0] == kind and code in ("", place[1])]
    if not over:
        raise ValueError(f"no such area: {row['area']}")
    return over


def _fill(row: Row, place: Place, area: Area) -> Row:
    words = {"code": place[1], "name": area.name, "full": area.full}
    return {**row, **{column: row[column].format_map(words) for column in ("id", "name", "name_en")}}


def _unit(row: Row, region: str, parent: str | None) -> Unit:
    unit = Unit(
        agency=row["agency"],
        id=row["id"],
        level=Level(row["level"]),
        region=region,
        name=Text(row["name"], row["name_en"]),
        parent=parent,
        valid_from=date.fromisoformat(row["valid_from"]),
        valid_to=date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
    )
    unit.as_ref()  # fail at start on a code that the wire would refuse at the first referral
    return unit


def _by_id(units: Iterator[Unit]) -> dict[tuple[str, str], tuple[Unit, ...]]:
    found: dict[tuple[str, str], tuple[Unit, ...]] = {}
    for unit in sorted(units, key=lambda unit: (unit.agency, unit.region, unit.id, unit.valid_from)):
        earlier = found.get((unit.agency, unit.id), ())
        if any(_overlap(unit, other) for other in earlier):
            raise ValueError(f"two units {unit.id} of {unit.agency} with overlapping dates")
        found[unit.agency, unit.id] = (*earlier, unit)
    return found


def _below(units: Mapping[tuple[str, str], tuple[Unit, ...]]) -> dict[tuple[str, str], frozenset[str]]:
    """Each desk → its own id and the ids of the desks below it."""
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for agency, unit_id in units:
        waiting, seen = [unit_id], set[str]()
        while waiting:
            above = waiting.pop()
            if above in seen:
                continue
            seen.add(above)
            found[agency, above].add(unit_id)
            waiting += [unit.parent for unit in units[agency, above] if unit.parent is not None]
    return {desk: frozenset(ids) for desk, ids in found.items()}


def _overlap(one: Unit, other: Unit) -> bool:
    return one.valid_on(other.valid_from) or other.valid_on(one.valid_from)
