"""The names of desks, clocks and services, for people."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.refusal import Refused
from shared.domain.text import Text
from shared.reference.office import Office


@dataclass(frozen=True, slots=True)
class Names:
    """The names of desks, clocks and services, as valid on the day of ``now`` (UTC)."""

    office: Office
    now: datetime

    def unit(self, agency: str | None, unit: str | None) -> str:
        """A desk's Indonesian name, or its id where the reference data lacks it."""
        try:
            return self.office.units.get(agency or "", unit or "", self.now.date()).name.id
        except Refused:
            return unit or "-"

    def clock(self, code: str) -> Text:
        """A clock's name, or its code where the clock table lacks it."""
        clock = self.office.clocks.by_code.get(code)
        return clock.label if clock else Text(code, code)

    def service(self, agency: str, service: str) -> Text:
        """A service's name, or its code where the directory lacks it."""
        try:
            return self.office.directory.service(agency, service).label
        except Refused:
            return Text(service, service)
