"""Whether the sender of a transfer has custody of the victim, as its receiver and coordination know it. Pure.

Custody has one holder (DESIGN 5.4). A sender without custody could make two agencies responsible at once.
"""

from collections.abc import Sequence
from dataclasses import replace

from shared.contracts import events as e
from shared.contracts.codes import CustodyFinding, SenderCustody
from shared.contracts.types import Custody
from shared.domain.access import Role
from shared.domain.noting import DOUBTED_CUSTODY, require_note
from shared.domain.referral import Referral, evolve, fault, gives_back
from shared.domain.refusal import Refused

_WEIGHT: Sequence[SenderCustody] = (
    SenderCustody.UNKNOWN,
    SenderCustody.UNCONFIRMED,
    SenderCustody.KNOWN_HERE,
    SenderCustody.CONFIRMED,
    SenderCustody.CONTESTED,
)
"""From the weakest to the strongest. A chain only grows, so a contested offer stays contested."""


def custody_finding(newest: Custody | None, sender: str, custody_seq: int, on_its_way: bool) -> CustodyFinding:
    """What coordination's chain says about the sender of a transfer.

    ``newest``: the newest link that is known. ``custody_seq``: the link that the transfer offers. ``on_its_way``:
    whether a transfer of the link before to the sender is known, and waits for its answer.
    """
    if newest is None:
        return CustodyFinding.UNKNOWN
    if newest.seq < custody_seq - 1:
        near = on_its_way or newest.agency == sender
        return CustodyFinding.UNKNOWN if near else CustodyFinding.UNCONFIRMED
    return CustodyFinding.CONFIRMED if _holds_the_link_before(newest, sender, custody_seq) else CustodyFinding.CONTESTED


def _holds_the_link_before(newest: Custody, sender: str, custody_seq: int) -> bool:
    return newest.agency == sender and newest.seq == custody_seq - 1


def first_known(newest: Custody | None, sender: str, custody_seq: int) -> SenderCustody:
    """What the receiver's own chain says. ``newest``: its newest link. ``custody_seq``: the link that is offered."""
    fits = newest is not None and _holds_the_link_before(newest, sender, custody_seq)
    return SenderCustody.KNOWN_HERE if fits else SenderCustody.UNKNOWN


def heard(before: SenderCustody, finding: CustodyFinding) -> SenderCustody:
    """What the receiver knows after a word of coordination. A weaker word changes nothing."""
    return max(before, SenderCustody(finding), key=_WEIGHT.index)


def known_now(before: SenderCustody, newest: Custody | None, sender: str, custody_seq: int) -> SenderCustody:
    """What is known when the transfer is accepted: our own chain may have grown past the offer."""
    if newest is None or newest.seq < custody_seq - 1:
        return before
    if not _holds_the_link_before(newest, sender, custody_seq):
        return SenderCustody.CONTESTED
    return max(before, SenderCustody.KNOWN_HERE, key=_WEIGHT.index)


DOUBTED = (SenderCustody.CONTESTED, SenderCustody.UNCONFIRMED)
"""A word stands against the custody of the sender."""


def check_sender_custody(known: SenderCustody, role: Role, note: str | None) -> None:
    """Raise Refused unless nothing speaks against the transfer, or a supervisor says why it is accepted.

    Codes: ``custody-contested`` for any other role, ``note-required``.
    """
    if known not in DOUBTED:
        return
    if role is not Role.SUPERVISOR:
        raise Refused("custody-contested")
    require_note(note, DOUBTED_CUSTODY)


def check_giving_back(known: SenderCustody, role: Role, note: str | None) -> None:
    """Raise Refused unless a supervisor says why a custody link is given back that a word stands against.

    A feeling is not enough. Where the sender did have custody, nobody here would answer for the victim.
    Codes: ``custody-not-contested``, ``supervisor-gives-back``, ``note-required``.
    """
    if known not in DOUBTED:
        raise Refused("custody-not-contested", field="reason", known=known)
    if role is not Role.SUPERVISOR:
        raise Refused("supervisor-gives-back", field="reason")
    require_note(note, DOUBTED_CUSTODY)


def is_taken_back(accepted: Referral, later: Sequence[tuple[int | None, e.EventData | None]]) -> bool:
    """Whether the receiver's later versions lead from the acceptance to the giving back of its custody.

    ``accepted``: the referral after the acceptance. ``later``: version and event, in any order. The sender's asks are
    not among them. So a refused cancellation counts as asked: it moves no custody, whatever the sender asked.
    """
    referral = accepted
    for version, event in sorted(later, key=lambda one: one[0] or 0):
        if isinstance(event, e.CancellationRefused):
            referral = replace(referral, ask_id=event.ask_id)
        if event is None or fault(referral, event, version) is not None:
            return False
        if gives_back(referral, event):
            return True
        referral = evolve(referral, event)
    return False
