"""Referrals received: requests from other agencies, questions of their senders, and versions of their receivers."""

from collections.abc import Sequence
from dataclasses import replace

from shared.casework.clocks import running as clocks
from shared.casework.referrals import custody_check
from shared.casework.referrals.execution import apply_event, execute
from shared.casework.referrals.requesting import is_same_request
from shared.contracts import events as e
from shared.contracts.codes import RejectReason, Stage
from shared.contracts.envelope import Envelope
from shared.contracts.types import UnitRef
from shared.domain.facts import FactsWord
from shared.domain.referral import ENDED, evolve, fault, open_referral, react
from shared.domain.referral_commands import Reject
from shared.domain.refusal import Refused
from shared.messaging.parked import Park
from shared.reference.office import Office
from shared.storage import ledger, referrals
from shared.storage.tables import ReferralRow
from shared.storage.unit_of_work import Transaction
from shared.victims.disclosure import disclose as disclosure
from shared.victims.register.facts import first_facts, hear_facts, leave_out
from shared.victims.register.store import load_victim
from shared.victims.register.tables import VictimRow


def on_requested(tx: Transaction, office: Office, envelope: Envelope, event: e.Requested) -> None:
    """A new referral for one of our desks: store it, and send the answers that need no person.

    A request off the published routes is rejected. Raises Park: ``referral-id-taken``, ``id-of-another-victim`` or
    ``no-legal-basis``.
    """
    if referrals.load(tx.session, event.referral_id) is not None:
        raise Park("referral-id-taken")
    earlier = event.replaces and referrals.load(tx.session, event.replaces)
    if earlier and earlier.victim_id != event.victim_id:
        raise Park("id-of-another-victim")
    victim = load_victim(tx.session, event.victim_id)
    sender_custody = custody_check.known_here(victim, event)
    live = referrals.live_of_victim(tx.session, event.victim_id) if victim is not None else ()
    if victim is None:
        _register(tx, event)
    _keep_identity(tx, office, envelope, event, event.consent_id, first=True)
    asked = open_referral(event)
    referral = replace(asked, due_at=clocks.own_due(office, asked, tx.now))  # whatever the sender computed
    row = referrals.add(tx.session, referral, envelope.basis, tx.now)
    row.sender_due_at = event.due_at
    row.sender_custody = sender_custody
    row.told_interviews = list(event.interviews)
    row.repeats = any(is_same_request(other, event) for other in live)
    clocks.start_and_stop_for_referral(tx, office, referral, event, clocks.Recorded(tx.now), our_act=False)
    answer = react(referral, event)
    if answer is not None:
        execute(tx, office, row, answer, envelope.id)
    if not _is_ours(tx, office, event.receiver):
        execute(tx, office, row, Reject(reason=RejectReason.OUT_OF_JURISDICTION), envelope.id)
    elif not office.directory.has_route(event.sender.agency, office.code, event.service, event.kind):
        execute(tx, office, row, Reject(reason=RejectReason.WRONG_SERVICE), envelope.id)
    elif row.repeats and not event.forced:
        execute(tx, office, row, Reject(reason=RejectReason.DUPLICATE), envelope.id)
    if victim is not None:
        _hear_facts(tx, office, victim, event, [*live, row])


def on_sender_ask(tx: Transaction, office: Office, envelope: Envelope, event: e.SenderAsk) -> None:
    """The sender asks. The question makes no version, but our service may answer it at once.

    Raises Park ``no-legal-basis``.
    """
    row = _known_here(tx, event)
    if isinstance(event, e.InformationProvided):
        load_victim(tx.session, event.victim_id)  # locks the victim: its sealed rows are written under that lock
        _keep_identity(tx, office, envelope, event, None, first=False)
    referral = evolve(referrals.to_referral(row), event)
    apply_event(tx, office, row, referral, event)
    answer = react(referral, event)
    if answer is not None:
        execute(tx, office, row, answer, envelope.id)


def on_next_version(tx: Transaction, office: Office, envelope: Envelope, event: e.ReferralEvent) -> None:
    """Apply the next version, made by the receiver, to a referral that we sent.

    Raises Park with a code of ``fault``.
    """
    row = _known_here(tx, event)
    referral = referrals.to_referral(row)
    reason = fault(referral, event, envelope.version)
    if reason == "version-conflict" and ledger.is_repeated(tx.session, envelope):
        reason = "version-repeated"
    if reason is not None:
        raise Park(reason)
    after = evolve(referral, event)
    apply_event(tx, office, row, after, event)
    recorded = clocks.Recorded(min(envelope.time, tx.now), envelope.causationid)
    clocks.start_and_stop_for_referral(tx, office, after, event, recorded, our_act=False)
    row.closed = after.status in ENDED


def _is_ours(tx: Transaction, office: Office, desk: UnitRef) -> bool:
    """Whether the desk is one of our own units, valid today, with the same region."""
    try:
        return office.our_unit(desk.unit, tx.now.date()) == desk
    except Refused:
        return False


def _keep_identity(
    tx: Transaction,
    office: Office,
    envelope: Envelope,
    event: e.Requested | e.InformationProvided,
    consent_id: str | None,
    first: bool,
) -> None:
    """Keep the identity that the sender gave us. Raises Park: no disclosure without a legal basis."""
    if event.sealed is None:
        return
    if envelope.basis is None:
        raise Park("no-legal-basis")
    given = disclosure.Disclosure(
        event.referral_id, event.victim_id, envelope.sender, envelope.basis, consent_id, event.against_withdrawal
    )
    disclosure.receive(tx, office, envelope.id, given, event.sealed, first)


def _known_here(tx: Transaction, event: e.ReferralEvent) -> ReferralRow:
    row = referrals.load(tx.session, event.referral_id)
    assert row is not None  # the table of trust parks an event of an unknown referral
    return row


def _register(tx: Transaction, event: e.Requested) -> None:
    """Register a victim of another agency, by pseudonym and coarse facts. Custody we learn only by accepting it."""
    tx.session.add(
        VictimRow(
            id=event.victim_id,
            case_id=event.case_id,
            **first_facts(event.facts, event.sender.agency, tx.now),
            stage=Stage.DETECTION,
            registered_at=tx.now,
        )
    )


def _hear_facts(
    tx: Transaction, office: Office, victim: VictimRow, event: e.Requested, live: Sequence[ReferralRow]
) -> None:
    """Hear the facts that a request states, by the answer that it has got. Any later answer counts them again.

    Facts that we have told the sender are no word of its own. Else no correction would get past two agencies that have
    asked each other.
    """
    if event.facts_of_receiver:
        others = leave_out(tx, office, victim, event.sender.agency)
    else:
        others = hear_facts(tx, office, victim, FactsWord(event.sender.agency, event.facts, tx.now))
    if others or any(row.facts_meet for row in live):
        referrals.count_at_answers(live, office.code)
