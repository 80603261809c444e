"""A table of people from a clerk's spreadsheet: CSV, with headings in Indonesian or in English.

Indonesian spreadsheets separate with semicolons, and some write a byte order mark. Both are accepted. Empty cells
are left out. ``people_list.BatchPerson`` validates the values afterwards, row by row, like any other request.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.people_list import MOST_PEOPLE
from shared.domain.refusal import Refused

HEADINGS: Mapping[str, str] = {
    "kelompok_usia": "age_class",
    "jenis_kelamin": "sex",
    "wilayah_asal": "home_region",
    "peran": "role",
    "nama": "identity/name",
    "nik": "identity/nik",
    "paspor": "identity/passport",
    "passport": "identity/passport",
    "tanggal_lahir": "identity/born_on",
    "telepon": "identity/phone",
    "alamat": "identity/address",
    "keterangan": "identity/statement",
    "name": "identity/name",
    "born_on": "identity/born_on",
    "phone": "identity/phone",
    "address": "identity/address",
    "statement": "identity/statement",
    **{name: name for name in ("age_class", "sex", "home_region", "role", "occurred_at")},
    "waktu": "occurred_at",
}
"""Heading → the path of the field in a person."""
WORDS: Mapping[str, Mapping[str, str]] = {
    "age_class": {"dewasa": "adult", "anak": "child", "tidak diketahui": "unknown", "": "unknown"},
    "sex": {"perempuan": "female", "laki-laki": "male", "p": "female", "l": "male", "lainnya": "unspecified",
            "": "unspecified"},
    "role": {"korban": "victim", "terduga perekrut": "suspected-recruiter", "": "victim"},
}  # fmt: skip
"""Field → Indonesian word → code; an empty cell has the word ``""``. The codes themselves are accepted too.

An empty age becomes ``unknown``, which every rule treats as a child's."""
LONGEST_CELL = 8000
"""The most characters in one cell."""
_DAY = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")


def people_of(body: bytes) -> tuple[list[dict[str, Any]], Mapping[str, str]]:
    """The people of a table, and for each field of a person the heading that it has in this table.

    Raises Refused: ``malformed-csv``, ``unknown-column``, ``column-twice`` or ``too-many-people``.
    """
    rows = _rows(body)
    try:
        headings = [heading.strip().lower().replace(" ", "_") for heading in next(rows)]
        _check(headings)
        found = [_person(headings, cells, line) for line, cells in enumerate(rows, 2) if any(map(str.strip, cells))]
    except (csv.Error, StopIteration):
        raise Refused("malformed-csv", line="1") from None
    if not found:
        raise Refused("malformed-csv", line="2")
    if len(found) > MOST_PEOPLE:
        raise Refused("too-many-people", most=str(MOST_PEOPLE))
    return found, {HEADINGS[heading]: heading for heading in headings}


def _rows(body: bytes) -> Iterator[list[str]]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused("malformed-csv", line="1") from None
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    return csv.reader((f"{line}\n" for line in text.split("\n")), delimiter=delimiter, strict=True)


def _person(headings: list[str], cells: list[str], line: int) -> dict[str, Any]:
    if len(cells) != len(headings) or any(len(cell) > LONGEST_CELL for cell in cells):
        raise Refused("malformed-csv", line=str(line))
    person: dict[str, Any] = {place: words[""] for place, words in WORDS.items()}
    for heading, cell in zip(headings, cells, strict=True):
        place, value = HEADINGS[heading], cell.strip()
        value = WORDS.get(place, {}).get(value.lower(), value)
        if place == "identity/born_on" and (day := _DAY.fullmatch(value)):  # spreadsheets in Indonesia write 28/02/2001
            value = f"{day[3]}-{day[2]:0>2}-{day[1]:0>2}"
        if value:
            _put(person, place, value)
    return person


def _check(headings: list[str]) -> None:
    """Raise Refused unless every heading is known and stands once.

    The error does not repeat an unknown heading: it may be a person's name, if the clerk forgot the headings.
    """
    for column, heading in enumerate(headings, 1):
        if heading not in HEADINGS:
            raise Refused("unknown-column", column=str(column), known=", ".join(sorted(HEADINGS)))
    places = [HEADINGS[heading] for heading in headings]
    for column, place in enumerate(places, 1):
        if place in places[: column - 1]:
            raise Refused("column-twice", column=str(column))


def _put(person: dict[str, Any], place: str, value: str) -> None:
    outer, _, inner = place.partition("/")
    if inner:
        person.setdefault(outer, {})[inner] = value
    else:
        person[outer] = value
