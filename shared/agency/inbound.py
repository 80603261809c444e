"""Event → the slice of an agency that receives it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.contracts import events as e
from shared.contracts.envelope import Envelope
from shared.domain.trust import RULES
from shared.messaging.parked import Park
from shared.reference.office import Office
from shared.service.slice import Receiver, Slice, all_receivers
from shared.storage.unit_of_work import Transaction

NOT_FOR_AGENCIES = frozenset(kind for kind, rule in RULES.items() if not rule.agency)
"""Events that only the coordinator receives. At an agency they are parked."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """An agency's ``Apply``: hands each event to the slice that receives it."""

    office: Office
    receivers: Mapping[type[e.EventData], Receiver]

    def __call__(self, tx: Transaction, envelope: Envelope, event: e.EventData) -> None:
        """Apply one trusted event. Raises Park."""
        receiver = self.receivers.get(type(event))
        if receiver is None:
            raise Park("not-for-an-agency")
        receiver(tx, self.office, envelope, event)


def receivers_of(slices: Iterable[Slice]) -> Mapping[type[e.EventData], Receiver]:
    """Event class → receiver of an agency. Raises ValueError for an event that no slice receives, or two do."""
    found = all_receivers(slices)
    expected = set(e.CATALOGUE.values()) - NOT_FOR_AGENCIES
    if wrong := expected ^ found.keys():
        raise ValueError(f"events that one slice must receive, or none: {sorted(event.__name__ for event in wrong)}")
    return found
