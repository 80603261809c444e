"""The caller of a command, at a desk of ours: what nearly every command of victims and casework needs."""

from dataclasses import dataclass

from shared.domain.access import Caller, Sight
from shared.reference.office import Office
from shared.storage.unit_of_work import Transaction


@dataclass(frozen=True, slots=True)
class Acting:
    """A person acting at a desk of ours in one unit of work: what nearly every command needs."""

    tx: Transaction
    office: Office
    caller: Caller
    sight: Sight


@dataclass(frozen=True, slots=True)
class CallerAtDesk:
    """The caller at a desk of ours, before the unit of work begins: what a route needs."""

    office: Office
    caller: Caller
    sight: Sight

    def acting(self, tx: Transaction) -> Acting:
        """This caller, acting in one unit of work."""
        return Acting(tx, self.office, self.caller, self.sight)
