"""The sender's part in a victim, as an agency knows it from custody and referrals."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from shared.contracts import events as e
from shared.contracts.codes import Status
from shared.contracts.envelope import Envelope
from shared.contracts.types import Custody
from shared.domain.access import NOT_TAKEN_ON, TURNED_AWAY
from shared.domain.ids import brought_by, names_two_kinds
from shared.domain.objection import Reader, objection
from shared.domain.trust import Part
from shared.reference.office import Office
from shared.reference.told import BY_REFERRAL, Told
from shared.storage.unit_of_work import Transaction
from shared.victims.register.store import custody_of, load_victim
from shared.victims.register.tables import VictimRow


@dataclass(frozen=True, slots=True)
class Objections:
    """An agency's ``Objects``: asks the table of trust with what this agency knows."""

    office: Office

    def __call__(self, tx: Transaction, envelope: Envelope, event: e.EventData) -> str | None:
        """The reason for parking a trusted event before it is applied, or None."""
        if _is_another_kind(tx, self.office, event):
            return "id-of-another-kind"
        reader = Reader(self.office.code, self.office.agency.coordinator)
        return objection(reader, envelope, event, _Knowledge(tx, self.office, envelope, event), tx.now)


def _is_another_kind(tx: Transaction, office: Office, event: e.EventData) -> bool:
    """Whether an event uses an id for another kind of thing than the kind that we vouch for.

    Ids that we know by hearsay alone park nothing: else a first false word would keep out the true one. Keys and
    sealed text name the kind of their subject, so two kinds meet nowhere.
    """
    named = brought_by(event)
    if names_two_kinds(event):
        return True
    return any(named[ident] != kind for kind, ident in office.ids.proven(tx.session, office.code, named.keys()))


@dataclass(frozen=True)
class _Knowledge(Told):
    """The knowledge of an agency about one event."""

    def has(self, part: Part) -> bool:
        """Whether the sender has this part in the victim."""
        test = _TESTS.get(part)
        return test is not None and test(self)

    def registered_at(self) -> datetime | None:
        """Always None: only the coordinator is told when a victim was registered."""
        return None

    def newest_link(self) -> Custody | None:
        """The newest custody link known here, or None."""
        return custody_of(self.victim) if self.victim is not None else None

    def link(self, seq: int) -> Custody | None:
        """The custody link of this number, if it is the newest one known here."""
        newest = self.newest_link()
        return newest if newest is not None and newest.seq == seq else None

    def link_since(self, seq: int) -> datetime | None:
        """The beginning (UTC) of the custody link of this number, if it is the newest one known here."""
        return self.victim.custody_at if self.victim is not None and self.link(seq) is not None else None

    @cached_property
    def victim(self) -> VictimRow | None:
        """The victim, or None."""
        victim_id = self.envelope.partitionkey
        return load_victim(self.tx.session, victim_id) if victim_id is not None else None


def _holds(known: _Knowledge) -> bool:
    newest = known.newest_link()
    return newest is not None and newest.agency == known.envelope.sender


def _held(known: _Knowledge) -> bool:
    """A taken-on transfer shows who held the link before it, and who holds the link after it."""
    return any(one.custody_seq is not None and one.status not in NOT_TAKEN_ON for one in known.relations)


def _sent(known: _Knowledge, fits: Callable[[Status], bool]) -> bool:
    """Whether the sender sent this agency a referral of the victim, in a status that fits."""
    return any(one.sender == known.envelope.sender and fits(one.status) for one in known.relations)


_TESTS: Mapping[Part, Callable[[_Knowledge], bool]] = {
    Part.HOLDER: _holds,
    Part.FORMER_HOLDER: _held,
    **BY_REFERRAL,
    Part.REQUESTER: lambda known: _sent(known, lambda status: status not in TURNED_AWAY),
    Part.TURNED_AWAY: lambda known: _sent(known, lambda status: status in TURNED_AWAY),
}
"""Part → its test. A part that no test knows is none that an agency can see."""
