"""An event that a member judges, and what every member looks up about it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from shared.contracts.codes import Status
from shared.contracts.envelope import Envelope
from shared.contracts.events import EventData
from shared.contracts.types import UnitRef
from shared.domain.access import NOT_TAKEN_ON, TURNED_AWAY
from shared.domain.objection import Sides
from shared.domain.referral import UNANSWERED
from shared.domain.trust import Part
from shared.reference.office import Office
from shared.storage import referrals
from shared.storage.unit_of_work import Transaction


@dataclass(frozen=True)
class Told:
    """An event in a unit of work. Each kind of member adds what it knows of custody and registration.

    Each row is looked up once, when a rule asks for it.
    """

    tx: Transaction
    office: Office
    envelope: Envelope
    event: EventData

    def sides(self) -> Sides | None:
        """The referral that the event names, or None."""
        referral_id = getattr(self.event, "referral_id", None)
        return referrals.sides(self.tx.session, referral_id) if referral_id is not None else None

    def has_link_of_referral(self) -> bool:
        """Always true: a member that applied an acceptance has its link."""
        return True

    def is_desk(self, desk: UnitRef, day: date) -> bool:
        """Whether the network has this desk, in this region, on this day."""
        return self.office.units.has(desk, day)

    def received(self, fits: Callable[[Status], bool]) -> bool:
        """Whether the sender received a referral of the victim, in a status that fits."""
        return any(one.receiver == self.envelope.sender and fits(one.status) for one in self.relations)

    @cached_property
    def relations(self) -> list[referrals.Relation]:
        """The referrals of the victim that the sender sent or received, as far as known here."""
        victim_id = self.envelope.partitionkey
        return referrals.relations(self.tx.session, victim_id, self.envelope.sender) if victim_id is not None else []


BY_REFERRAL: Mapping[Part, Callable[[Told], bool]] = {
    Part.TAKEN_ON: lambda known: known.received(lambda status: status not in NOT_TAKEN_ON),
    Part.ASKED: lambda known: known.received(lambda status: status in UNANSWERED),
    Part.REFUSED: lambda known: known.received(lambda status: status in TURNED_AWAY),
}
"""Part that a referral gives to its receiver → its test, the same for every reader."""
