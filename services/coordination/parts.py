"""The sender's part in a victim or a case, as coordination knows it from its journeys."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from sqlalchemy import select
from sqlmodel import col

from services.coordination.queries import known_journey, newest_link_of
from services.coordination.tables import CaseFactsRow, CustodyRow, JourneyRow
from shared.contracts import events as e
from shared.contracts.envelope import Envelope
from shared.contracts.types import Custody
from shared.domain.objection import Reader, objection
from shared.domain.trust import Part
from shared.reference.office import Office
from shared.reference.told import BY_REFERRAL, Told
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


@dataclass(frozen=True)
class _Knowledge(Told):
    """The knowledge of coordination about one event."""

    def has(self, part: Part) -> bool:
        """Whether the sender has this part in the victim or the case."""
        test = _TESTS.get(part)
        return test is not None and test(self)

    def registered_at(self) -> datetime | None:
        """The registration of the victim (UTC), or None."""
        journey = self.journey
        return journey.registered_at if journey is not None else None

    def newest_link(self) -> Custody | None:
        """The current custody link of the victim, or None."""
        return newest_link_of(self.journey)

    def link(self, seq: int) -> Custody | None:
        """A custody link of the victim by its number, or None."""
        newest = self.newest_link()
        if newest is None or newest.seq == seq:
            return newest
        row = self.tx.session.get(CustodyRow, (self.envelope.partitionkey, seq))
        if row is None:
            return None
        return Custody(agency=row.agency, unit=row.unit, region=row.region, seq=row.seq)

    def link_since(self, seq: int) -> datetime | None:
        """The told beginning of a custody link (UTC), or None: agencies compare with that moment too."""
        row = self.tx.session.get(CustodyRow, (self.envelope.partitionkey, seq))
        return row.told_since if row is not None else None

    def has_link_of_referral(self) -> bool:
        """Whether the acceptance of the event's referral brought a link, and was not taken back before it."""
        row = referrals.load(self.tx.session, getattr(self.event, "referral_id", ""))
        link = self.tx.session.get(CustodyRow, (row.victim_id, row.custody_seq)) if row is not None else None
        return link is not None and row is not None and link.referral_id == row.id

    @cached_property
    def journey(self) -> JourneyRow | None:
        """The journey of the victim, or None."""
        victim_id = self.envelope.partitionkey
        return known_journey(self.tx.session, victim_id) if victim_id is not None else None

    @property
    def opener(self) -> str | None:
        """The agency that opened the case of the event, or None where that is unknown."""
        case = self.tx.session.get(CaseFactsRow, getattr(self.event, "case_id", None) or "")
        return case.agency if case is not None else None


def _holds(known: _Knowledge) -> bool:
    newest = known.newest_link()
    return newest is not None and newest.agency == known.envelope.sender


def _held(known: _Knowledge) -> bool:
    link = select(col(CustodyRow.seq)).where(
        col(CustodyRow.victim_id) == known.envelope.partitionkey, col(CustodyRow.agency) == known.envelope.sender
    )
    return known.tx.session.scalars(link).first() is not None


def _opened(known: _Knowledge) -> bool:
    return known.envelope.partitionkey is None and known.opener == known.envelope.sender


_TESTS: Mapping[Part, Callable[[_Knowledge], bool]] = {
    Part.HOLDER: _holds,
    Part.FORMER_HOLDER: _held,
    **BY_REFERRAL,
    Part.OPENER: _opened,
    Part.FIRST: lambda known: known.opener in (None, known.envelope.sender),
}
"""Part → its test. A part that no test knows is none that coordination can see."""
