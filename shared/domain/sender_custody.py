"""Whether the sender of a transfer has custody of the victim, as far as its receiver knows. Pure.

Custody has one holder (DESIGN 5.4). A sender without custody could make two agencies responsible at once.
"""

from collections.abc import Sequence

from shared.contracts.codes import CustodyFinding, SenderCustody
from shared.contracts.types import Custody
from shared.domain.access import Role
from shared.domain.refusal import Refused

_WEIGHT: Sequence[SenderCustody] = (
    SenderCustody.UNKNOWN,
    SenderCustody.KNOWN_HERE,
    SenderCustody.CONFIRMED,
    SenderCustody.CONTESTED,
)
"""From the weakest to the strongest. A chain only grows, so a contested offer stays contested."""


def first_known(newest: Custody | None, sender: str, custody_seq: int) -> SenderCustody:
    """What the receiver's own chain says. ``newest``: its newest link. ``custody_seq``: the link that is offered."""
    fits = newest is not None and newest.agency == sender and newest.seq == custody_seq - 1
    return SenderCustody.KNOWN_HERE if fits else SenderCustody.UNKNOWN


def heard(before: SenderCustody, finding: CustodyFinding) -> SenderCustody:
    """What the receiver knows after a word of coordination. A weaker word changes nothing."""
    return max(before, SenderCustody(finding), key=_WEIGHT.index)


def check_sender_custody(known: str | None, role: Role, note: str | None) -> None:
    """Raise Refused unless the transfer is uncontested, or a supervisor says why it is accepted.

    Codes: ``custody-contested`` for any other role, ``note-required``.
    """
    if known != SenderCustody.CONTESTED:
        return
    if role is not Role.SUPERVISOR:
        raise Refused("custody-contested")
    if not note:
        raise Refused("note-required", field="note")
