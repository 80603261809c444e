"""An agency at work: its own facts and those of the network, and the events that it drafts and publishes."""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from shared.contracts.envelope import Draft
from shared.contracts.events import EventData
from shared.contracts.types import UnitRef
from shared.domain.access import Sight
from shared.domain.agency import Agency
from shared.domain.clocks import Clocks
from shared.domain.consent import Notice
from shared.domain.routing import NATION, Units
from shared.logs.trace import traceparent
from shared.reference.directory import Directory
from shared.security.key_directory import DirectoryFile
from shared.security.vault import Vault
from shared.storage.known_ids import KnownIds
from shared.storage.unit_of_work import Transaction


def new_id() -> str:
    """A new UUIDv7 (RFC 9562 section 5.7): the millisecond, and 74 bits that are random for each id.

    Libraries count up within a millisecond, so that one id tells the next ones.
    """
    return _uuid7(time.time_ns() // 1_000_000)


def new_pseudonym(day: date) -> str:
    """A new UUIDv7 of a case, victim or referral. Its time is the day alone: coordination shows these ids.

    RFC 9562, section 6.1, allows a coarser time. The other 74 bits are random.
    """
    milliseconds = (day - date(1970, 1, 1)) // timedelta(milliseconds=1)
    return _uuid7(milliseconds)


def _uuid7(milliseconds: int) -> str:
    chance = secrets.randbits(74)
    return str(UUID(int=milliseconds << 80 | 7 << 76 | (chance >> 62) << 64 | 2 << 62 | chance & (1 << 62) - 1))


@dataclass(frozen=True, slots=True)
class Office:
    """An agency at work: its declaration, the units of the network, and the services that other agencies offer."""

    agency: Agency
    units: Units
    directory: Directory
    notices: Mapping[str, Notice]
    """Version → the notice that people are told before they consent."""
    clocks: Clocks
    """The clocks: time limits of the law and of local standards."""
    vault: Vault
    """Operations with our own secret keys."""
    keys: DirectoryFile
    """The public keys of every member."""
    public_url: str | None = None
    """The public address of this service, printed into the square code of a letter."""
    forgets: Sequence[Callable[[Transaction, str], None]] = ()
    """Deletes by victim id: run when a victim is erased, beside the destruction of keys."""
    ids: KnownIds = field(default_factory=KnownIds)
    """The ids that we vouch for, with their kinds."""

    @property
    def code(self) -> str:
        """The agency's code."""
        return self.agency.code

    def our_unit(self, unit: str, on: date) -> UnitRef:
        """One of our own units that is valid on a day. Raises Refused("unknown-unit")."""
        return self.units.get(self.code, unit, on).as_ref()

    def speaker(self, on: date) -> UnitRef:
        """The national desk, in whose name the service itself sends events."""
        return self.units.desk_for(self.code, NATION, on).as_ref()

    def sight(self, unit: str, on: date) -> Sight:
        """The units that one of our units sees on a day. Raises Refused("unknown-unit")."""
        return self.units.sight(self.code, unit, on)


def draft(
    data: EventData,
    receiver: str,
    unit: UnitRef,
    *,
    victim_id: str | None = None,
    causation_id: str | None = None,
    basis: str | None = None,
    key: str | None = None,
) -> Draft:
    """An event from one of our units, ready to be published in this transaction.

    ``receiver``: an agency's code. ``basis``: the legal basis of what the event carries. ``key``: a wrapped data key
    that travels beside the event.
    """
    return Draft(
        id=new_id(),
        data=data,
        receiver=receiver,
        unit=unit.unit,
        region=unit.region,
        victim_id=victim_id,
        causation_id=causation_id,
        basis=basis,
        traceparent=traceparent.get(),
        key=key,
    )


def tell_agencies(
    tx: Transaction,
    office: Office,
    event: EventData,
    unit: UnitRef,
    agencies: AbstractSet[str | None],
    victim_id: str | None = None,
) -> None:
    """Publish an event to these agencies and to the coordinator, once each and never to ourselves. None is nobody."""
    for agency in sorted(filter(None, (agencies | {office.agency.coordinator}) - {office.code})):
        tx.emit(draft(event, agency, unit, victim_id=victim_id))


def tell_coordinator(
    tx: Transaction, office: Office, event: EventData, unit: UnitRef, victim_id: str | None = None
) -> str:
    """Publish an event to the coordinator. A network without a coordinator is told nothing. Returns the event's id."""
    told = draft(event, office.agency.coordinator or office.code, unit, victim_id=victim_id)
    if office.agency.coordinator is not None:
        tx.emit(told)
    return told.id
