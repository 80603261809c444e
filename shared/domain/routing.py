"""Routing: which desk serves a region on a day.

Routing is by regency. If the regency has no open desk, the desk of the next larger area takes over, the national
desk last. An agency whose areas are not the provinces brings its own areas (DESIGN section 7).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from shared.contracts.codes import Level
from shared.contracts.types import UnitRef
from shared.domain.access import Sight
from shared.domain.refusal import Refused
from shared.domain.text import Text

NATION = "00.ID"
"""The region code of the nation."""
_ABROAD = re.compile(r"00\.[A-Z]{2}")


@dataclass(frozen=True, slots=True)
class Unit:
    """A desk of an agency, as it is from ``valid_from`` to ``valid_to``, both included; None is open-ended.

    ``parent`` is the id of the desk above it in the same agency, None at the top. ``region`` is where the desk
    stands; it may serve more.
    """

    agency: str
    id: str
    level: Level
    region: str
    name: Text
    parent: str | None
    valid_from: date
    valid_to: date | None

    def as_ref(self) -> UnitRef:
        """The unit as events name it."""
        return UnitRef(agency=self.agency, unit=self.id, region=self.region)

    def valid_on(self, day: date) -> bool:
        """Whether the desk is open on that day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


def farness(desk: Unit, region: str) -> tuple[bool, bool, str, str]:
    """A sort key for a desk's distance to a region: inside, same province, elsewhere; then by region and id."""
    province = region.partition(".")[0]
    return desk.region != region, desk.region.partition(".")[0] != province, desk.region, desk.id


@dataclass(frozen=True, slots=True)
class Units:
    """Every desk of the network, at every date known."""

    units: Mapping[tuple[str, str], tuple[Unit, ...]]
    """(agency, id) → the unit over time, in the order of a listing: agency, region, id."""
    chains: Mapping[tuple[str, str], tuple[Unit, ...]]
    """(agency, region) → the desks that serve it, nearest first; for every agency and region but those abroad."""
    regions: Mapping[str, str]
    """Region code → name, without those abroad."""
    below: Mapping[tuple[str, str], frozenset[str]]
    """(agency, id) → the ids of that desk and of every desk below it, at any date."""

    def get(self, agency: str, unit_id: str, day: date, field: str = "unit") -> Unit:
        """The unit of that id, open on that day. Raises Refused("unknown-unit") if there is none.

        ``field`` is the request field that the refusal names, here and in the methods below.
        """
        for unit in self.units.get((agency, unit_id), ()):
            if unit.valid_on(day):
                return unit
        raise Refused("unknown-unit", field=field)

    def has(self, desk: UnitRef, day: date) -> bool:
        """Whether there is such a desk, in that region, open on that day."""
        open_then = (unit for unit in self.units.get((desk.agency, desk.unit), ()) if unit.valid_on(day))
        return any(unit.region == desk.region for unit in open_then)

    def above(self, agency: str, unit_id: str, day: date) -> tuple[Unit, ...]:
        """The desks above a unit that are open on that day, nearest first; none for an unknown unit."""
        found: list[Unit] = []
        parent: str | None = unit_id
        while parent is not None:
            versions = self.units.get((agency, parent), ())
            found += [unit for unit in versions if unit.valid_on(day)]
            parent = versions[-1].parent if versions else None
        return tuple(unit for unit in found if unit.id != unit_id)

    def chain(self, agency: str, region: str, field: str = "region") -> tuple[Unit, ...]:
        """The desks that serve a region, nearest first, open or not. The parent of a desk comes after the desk.

        The national desk serves regions abroad. Raises Refused: ``unknown-region`` or ``unknown-agency``.
        """
        if not self.is_region(region):
            raise Refused("unknown-region", field=field)
        if (agency, NATION) not in self.chains:
            raise Refused("unknown-agency", field="agency")
        return self.chains[agency, NATION if _ABROAD.fullmatch(region) else region]

    def desk_for(self, agency: str, region: str, day: date, field: str = "region") -> Unit:
        """The nearest desk open on that day. Raises Refused as ``chain`` does; ``unknown-unit`` if none is open."""
        for unit in self.chain(agency, region, field):
            if unit.valid_on(day):
                return unit
        raise Refused("unknown-unit", field=field)

    def find(
        self, agency: str | None = None, region: str | None = None, level: Level | None = None, *, day: date
    ) -> list[Unit]:
        """The units open on that day, ordered by agency, region and id. ``region`` is where the desk stands."""
        return [
            unit
            for versions in self.units.values()
            for unit in versions
            if unit.valid_on(day)
            and agency in (None, unit.agency)
            and region in (None, unit.region)
            and level in (None, unit.level)
        ]

    def sight(self, agency: str, unit_id: str, day: date) -> Sight:
        """The sight of a desk: itself, the desks below it, and the regions that it serves. The top desk sees all.

        The regions come from the chains, because a Polda's area is not its province. Raises Refused("unknown-unit").
        """
        unit = self.get(agency, unit_id, day)
        if unit.parent is None:
            return Sight(agency, None, None)
        served = (region for (held_by, region), chain in self.chains.items() if held_by == agency and unit in chain)
        return Sight(agency, self.below[agency, unit_id], frozenset(served))

    def is_region(self, code: str) -> bool:
        """Whether the code is of a province or regency, or has the form of a country abroad (``00.MY``)."""
        return code in self.regions or _ABROAD.fullmatch(code) is not None

    def region_name(self, code: str) -> str:
        """The region's Indonesian name. Raises Refused("unknown-region")."""
        if not self.is_region(code):
            raise Refused("unknown-region", field="region")
        return self.regions.get(code) or f"Luar negeri ({code.removeprefix('00.')})"
