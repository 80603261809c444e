"""The sender's part in a victim or a case, as coordination knows it from its journeys."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlmodel import col

from services.coordination.queries import journey_row
from services.coordination.tables import CaseFactsRow, CustodyRow, JourneyRow
from shared.contracts import events as e
from shared.contracts.envelope import Envelope
from shared.contracts.types import Custody, UnitRef
from shared.domain.access import NOT_TAKEN_ON, TURNED_AWAY
from shared.domain.objection import Reader, Sides, objection
from shared.domain.trust import Part
from shared.reference.office import Office
from shared.storage import referrals
from shared.storage.unit_of_work import Transaction


@dataclass(frozen=True, slots=True)
class Objections:
    """Coordination's ``Objects``: asks the table of trust with what coordination knows."""

    office: Office

    def __call__(self, tx: Transaction, envelope: Envelope, event: e.EventData) -> str | None:
        """The reason for parking a trusted event before it is applied, or None."""
        reader = Reader(self.office.code, self.office.code)
        return objection(reader, envelope, event, _Knowledge(tx, self.office, envelope, event), tx.now)


@dataclass(frozen=True, slots=True)
class _Knowledge:
    """The knowledge of coordination about one event."""

    tx: Transaction
    office: Office
    envelope: Envelope
    event: e.EventData

    def has(self, part: Part) -> bool:
        """Whether the sender has this part in the victim or the case."""
        test = _TESTS.get(part)
        return test is not None and test(self)

    def sides(self) -> Sides | None:
        """The referral that the event names, or None."""
        referral_id = getattr(self.event, "referral_id", None)
        return referrals.sides(self.tx.session, referral_id) if referral_id is not None else None

    def registered_at(self) -> datetime | None:
        """The registration of the victim (UTC), or None."""
        journey = self.journey
        return journey.registered_at if journey is not None else None

    def is_desk(self, desk: UnitRef, day: date) -> bool:
        """Whether the network has this desk, in this region, on this day."""
        return self.office.units.has(desk, day)

    def newest_link(self) -> Custody | None:
        """The current custody link of the victim, or None."""
        journey = self.journey
        if journey is None or journey.custody_agency is None:
            return None
        desk = {"agency": journey.custody_agency, "unit": journey.custody_unit, "region": journey.custody_region}
        return Custody.model_validate({**desk, "seq": journey.custody_seq})

    def link(self, seq: int) -> Custody | None:
        """A custody link of the victim by its number, or None."""
        newest = self.newest_link()
        if newest is None or newest.seq == seq:
            return newest
        row = self.tx.session.get(CustodyRow, (self.envelope.partitionkey, seq))
        if row is None:
            return None
        return Custody(agency=row.agency, unit=row.unit, region=row.region, seq=row.seq)

    @property
    def journey(self) -> JourneyRow | None:
        """The journey of the victim, or None."""
        victim_id = self.envelope.partitionkey
        return journey_row(self.tx.session, victim_id) if victim_id is not None else None

    @property
    def opener(self) -> str | None:
        """The agency that opened the case of the event, or None where that is unknown."""
        case = self.tx.session.get(CaseFactsRow, getattr(self.event, "case_id", None) or "")
        return case.agency if case is not None else None

    @property
    def relations(self) -> list[referrals.Relation]:
        """The referrals of the victim that the sender sent or received."""
        victim_id = self.envelope.partitionkey
        return referrals.relations(self.tx.session, victim_id, self.envelope.sender) if victim_id is not None else []


def _holds(known: _Knowledge) -> bool:
    newest = known.newest_link()
    return newest is not None and newest.agency == known.envelope.sender


def _held(known: _Knowledge) -> bool:
    link = select(col(CustodyRow.seq)).where(
        col(CustodyRow.victim_id) == known.envelope.partitionkey, col(CustodyRow.agency) == known.envelope.sender
    )
    return known.tx.session.scalars(link).first() is not None


def _received(known: _Knowledge, fits: Callable[[referrals.Relation], bool]) -> bool:
    return any(one.receiver == known.envelope.sender and fits(one) for one in known.relations)


def _opened(known: _Knowledge) -> bool:
    return known.envelope.partitionkey is None and known.opener == known.envelope.sender


_TESTS: Mapping[Part, Callable[[_Knowledge], bool]] = {
    Part.HOLDER: _holds,
    Part.FORMER_HOLDER: _held,
    Part.TAKEN_ON: lambda known: _received(known, lambda one: one.status not in NOT_TAKEN_ON),
    Part.ASKED: lambda known: _received(known, lambda one: one.status in NOT_TAKEN_ON - TURNED_AWAY),
    Part.REFUSED: lambda known: _received(known, lambda one: one.status in TURNED_AWAY),
    Part.OPENER: _opened,
    Part.FIRST: lambda known: known.opener in (None, known.envelope.sender),
}
"""Part → its test. A part that no test knows is none that coordination can see."""
