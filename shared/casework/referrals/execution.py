"""Executes the commands of a referral: ask the rules, write the rows, file the events, in one unit of work.

Each function works in the transaction that it is given. No function commits, waits or knows HTTP.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from shared.casework.clocks import running as clocks
from shared.casework.referrals import custody_check, giving_back
from shared.contracts import events as e
from shared.contracts.codes import InformationKind, LegalBasis, SenderCustody
from shared.contracts.types import Custody
from shared.domain.commands import Command, Noted
from shared.domain.referral import ENDED, MOVES, Referral, Side, decide, evolve, gives_back, react
from shared.domain.referral_commands import Accept, ProvideInformation, Reject, RequestCancellation
from shared.domain.refusal import Refused
from shared.reference.acting import Acting
from shared.reference.office import Office, draft, new_id
from shared.storage import referrals, visibility
from shared.storage.tables import ReferralRow
from shared.storage.unit_of_work import Transaction
from shared.victims.disclosure import disclose as disclosure
from shared.victims.erasure.holdings import custody_left
from shared.victims.interviews import store as interviews
from shared.victims.register.facts import facts_move, reorder_facts
from shared.victims.register.store import load_victim, lock_victim, take_custody
from shared.victims.sealed import giving, receiving
from shared.victims.sealed import notes as sealed_notes


def execute_for(
    acting: Acting, referral_id: str, command: Command, expected: str | None, causation_id: str | None = None
) -> ReferralRow:
    """Execute a command of the caller on a referral. Returns the row.

    ``expected`` is the ETag that the caller has seen; None: any. ``causation_id`` is the event that the command
    answers, if any. Raises Refused: ``unknown-referral``, ``not-your-move``, ``precondition-failed``, or what the
    rules refuse.
    """
    row = referrals.load(acting.tx.session, referral_id, visibility.referrals(acting.sight))
    if row is None:
        raise Refused("unknown-referral")
    referral = referrals.to_referral(row)
    if not acting.sight.covers(referral.sender if MOVES[type(command)].side is Side.SENDER else referral.receiver):
        raise Refused("not-your-move", command=type(command).__name__)
    if expected is not None and expected != etag(row):
        raise Refused("precondition-failed", current=etag(row))
    if isinstance(command, Reject) and command.better_desk is not None:
        better = command.better_desk
        acting.office.units.get(better.agency, better.unit, acting.tx.now.date(), "better_desk/unit")
    if isinstance(command, Accept):
        custody_check.require(acting, row, command.note)
    if isinstance(command, Reject) and gives_back(referral, command):
        giving_back.require(acting, row, command.note)
    given = None
    if isinstance(command, ProvideInformation) and command.about is InformationKind.IDENTITY:
        given = _identity_for(acting, row, command.note)
    execute(acting.tx, acting.office, row, command, causation_id, given)
    return row


def _identity_for(acting: Acting, row: ReferralRow, note: str | None) -> giving.Given | None:
    """Seal the identity, as known now, for the receiver of a referral. None when there is nothing to give.

    Raises Refused when the legal basis does not hold: ``no-consent``, ``not-a-child``, ``guardian-part-missing`` or
    ``against-withdrawal``.
    """
    victim = lock_victim(acting.tx.session, acting.sight, row.victim_id)
    assert row.basis is not None  # every request of ours has a legal basis
    asked = disclosure.ForService(row.receiver_agency, row.service, LegalBasis(row.basis))
    live = referrals.live_of_victim(acting.tx.session, victim.id)
    against = disclosure.check_basis(acting, victim, asked, note)
    what = disclosure.lawful(acting, victim, live, asked)
    disclosed = disclosure.Disclosure(row.id, victim.id, asked.agency, asked.basis, what.consent_id, against)
    return disclosure.give(acting.tx, acting.office, victim, disclosed, what.fields, first=False)


_WORDS: Mapping[str | None, str] = {
    SenderCustody.CONFIRMED: "s",
    SenderCustody.UNCONFIRMED: "u",
    SenderCustody.CONTESTED: "x",
}
"""Coordination's word about the sender's custody → its letter in the entity tag."""


def etag(row: ReferralRow) -> str:
    """The entity tag of a referral: its version, the sender's asks, coordination's word, and whether it is closed."""
    word = _WORDS.get(row.sender_custody, "")
    return f'"{row.version}.{row.asks}{word}{"c" if row.closed else ""}"'


def execute(
    tx: Transaction,
    office: Office,
    row: ReferralRow,
    command: Command,
    causation_id: str | None = None,
    given: giving.Given | None = None,
) -> None:
    """Execute a command of our side without checking a caller: decide, write the row, file the events.

    ``given``: sealed identity to send with the event. Raises Refused for a move that the rules do not allow.
    """
    if isinstance(command, RequestCancellation) and command.ask_id is None:
        command = command.model_copy(update={"ask_id": new_id()})
    note = command.note if isinstance(command, Noted) else None
    before = referrals.to_referral(row)
    for event in decide(before, command, tx.now):
        if given is not None:
            told = {"sealed": given.sealed, "against_withdrawal": given.against_withdrawal}
            event = event.model_copy(update=told)
        after = evolve(before, event)
        filed_id = file_event(tx, office, row, after, event, causation_id, given.key if given else None)
        if note:  # the note stays in our agency
            sealed_notes.keep_note(tx, office, row.victim_id, filed_id, note)
        back = gives_back(before, event)
        row.facts_meet = row.facts_meet and not back  # the facts are counted with the custody of before
        apply_event(tx, office, row, after, event)
        if back:
            giving_back.give_back(tx, office, row)
        if row.sender_agency == row.receiver_agency:
            row.closed = after.status in ENDED
            answer_in_house(tx, office, row, after, event)


def apply_event(tx: Transaction, office: Office, row: ReferralRow, referral: Referral, event: e.EventData) -> None:
    """Apply an event to the rows: write the referral and, for an accepted one, the custody and the interviews."""
    referrals.save(row, referral, tx.now)
    tx.changed.add(row.id)
    if isinstance(event, e.Accepted) and event.custody is not None:
        _move_custody(tx, office, row, event.custody, event.occurred_at)
    if isinstance(event, e.Accepted) and row.told_interviews:  # whoever is turned away tells us nothing of her
        interviews.keep(tx, row.victim_id, row.told_interviews)
    if row.facts_meet and (victim := load_victim(tx.session, row.victim_id)) is not None:
        reorder_facts(tx, office, victim)


def _move_custody(tx: Transaction, office: Office, row: ReferralRow, custody: Custody, at: datetime) -> None:
    move = take_custody(tx.session, row.victim_id, custody, at)
    if move is None:
        return
    if move.before == office.code != custody.agency:
        custody_left(tx, office, move.victim)
    if custody.agency == office.code != row.sender_agency:
        receiving.take_over_with_custody(tx, row.victim_id, row.id)
    facts_move(tx, office, move.victim, row, custody.agency)


def answer_in_house(tx: Transaction, office: Office, row: ReferralRow, referral: Referral, event: e.EventData) -> None:
    """Execute the answer that an event needs from the other desk, when both desks are of this agency.

    Both desks share the row, so the answer belongs to the same transaction.
    """
    answer = react(referral, event)
    if answer is not None:
        execute(tx, office, row, answer)


def file_event(
    tx: Transaction,
    office: Office,
    row: ReferralRow,
    referral: Referral,
    event: e.ReferralEvent,
    causation_id: str | None = None,
    key: str | None = None,
) -> str:
    """File an event of ours for the other side, and start and stop clocks. Returns the id of the event.

    ``causation_id``: the event that this one answers. ``key``: the wrapped data key that travels beside the event.
    """
    by_sender = isinstance(event, e.Requested | e.SenderAsk)
    ours, theirs = (referral.sender, referral.receiver) if by_sender else (referral.receiver, referral.sender)
    filed = draft(
        event,
        theirs.agency,
        ours,
        victim_id=referral.victim_id,
        causation_id=causation_id,
        basis=row.basis,
        key=key,
    )
    tx.emit(replace(filed, sequence=referral.version))
    recorded = clocks.Recorded(tx.now, causation_id)
    clocks.start_and_stop_for_referral(tx, office, referral, event, recorded, our_act=True)
    tx.changed.add(referral.id)
    return filed.id
