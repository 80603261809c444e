"""Apply a withdrawal or an erasure that another agency published: stop or erase here, answer, tell more controllers.

A controller keeps data for three reasons: a legal hold, its custody of the victim, another legal basis. Its answer
names the reason.
"""

from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet

from sqlalchemy import select
from sqlmodel import col

from shared.contracts import events as e
from shared.contracts.codes import DisclosureEnd, IdentityField, KeptBecause, LegalBasis
from shared.contracts.envelope import Envelope
from shared.messaging.parked import Park
from shared.reference.office import Office, draft
from shared.storage import referrals
from shared.storage.tables import LedgerEntry, ParkedEvent
from shared.storage.unit_of_work import Transaction
from shared.victims.disclosure import store as disclosure
from shared.victims.erasure import carry_out, store
from shared.victims.erasure.carry_out import (
    Cause,
    ControllerAnswer,
    cause_id_of,
    end_disclosure,
    forget_all,
    not_erased,
    tell_controllers,
)
from shared.victims.erasure.tables import AnswerRow
from shared.victims.matching import match_tokens
from shared.victims.register.store import holder_of, load_victim
from shared.victims.register.tables import VictimRow
from shared.victims.sealed import forgetting, holds
from shared.victims.sealed import identity as sealed_identity
from shared.victims.sealed.may_forget import stand_for_holder
from shared.victims.sealed.tables import DisclosureRow


def on_told(tx: Transaction, office: Office, envelope: Envelope, cause: Cause) -> None:
    """Apply a withdrawal or an erasure that another agency told us: stop or erase, answer, tell further controllers.

    A repeated notice is only answered again. Raises Park: ``not-theirs-to-say`` or ``id-of-another-victim``.
    """
    sender = envelope.sender
    victim = load_victim(tx.session, cause.victim_id)
    if victim is None or not _may_say(tx, sender, victim):
        raise Park("not-theirs-to-say")
    _discard_keys(tx, sender, cause)
    told = store.answers_to(tx.session, cause_id_of(cause))
    if any(row.victim_id != cause.victim_id for row in told):
        raise Park("id-of-another-victim")
    ours = next((row for row in told if row.sender == sender), None)
    if ours is None:
        answer = _apply_to_holdings(tx, office, victim, cause.type(), sender, {sender, *(row.sender for row in told)})
        carry_out.remember_answer(tx, sender, cause, answer)
        back = _has_custody(sender, victim)
        if back or not told:
            tell_controllers(tx, office, office.speaker(tx.now.date()), cause, but=sender, back=back)
    else:
        answer = _remembered(ours)
    _tell_end(tx, office, sender, cause_id_of(cause), cause.victim_id, answer, envelope.id)


def give_back(tx: Transaction, office: Office, withdrawn: e.ConsentWithdrawn, agency: str) -> None:
    """Apply a withdrawal that the person made here, of a consent that another agency recorded.

    Stop or erase here. Tell the agencies to which we passed the data on, and ``agency``, the one that gave us the data.
    That agency tells the other controllers.
    """
    victim = load_victim(tx.session, withdrawn.victim_id)
    assert victim is not None
    answer = _apply_to_holdings(tx, office, victim, withdrawn.type(), agency, {agency})
    carry_out.remember_answer(tx, office.code, withdrawn, answer)
    tell_controllers(tx, office, withdrawn.unit, withdrawn, but=agency)
    tx.emit(draft(withdrawn, agency, withdrawn.unit, victim_id=victim.id))
    _tell_end(tx, office, agency, withdrawn.consent_id, victim.id, answer)


def _tell_end(
    tx: Transaction,
    office: Office,
    sender: str,
    cause_id: str,
    victim_id: str,
    answer: ControllerAnswer,
    causation_id: str | None = None,
) -> None:
    """Send our answer to ``sender`` and to the coordinator."""
    ended = e.DisclosureEnded(
        cause_id=cause_id,
        victim_id=victim_id,
        end=answer.end,
        kept_because=answer.kept_because,
        fields=answer.fields,
        occurred_at=tx.now,
    )
    unit = office.speaker(tx.now.date())
    for agency in sorted(filter(None, {sender, office.agency.coordinator})):
        tx.emit(draft(ended, agency, unit, victim_id=victim_id, causation_id=causation_id))


def _has_custody(sender: str, victim: VictimRow) -> bool:
    holder = holder_of(victim)
    return holder is not None and holder.agency == sender


def _may_say(tx: Transaction, sender: str, victim: VictimRow) -> bool:
    """Whether ``sender`` may tell us of a withdrawal or an erasure.

    These agencies may: a sender of a referral of the victim, an agency that gave us data, the custody holder.
    """
    return (
        _has_custody(sender, victim)
        or sender in referrals.senders_of_victim(tx.session, victim.id)
        or any(row.agency == sender and not row.given for row in disclosure.disclosures_of(tx.session, victim.id))
    )


def _discard_keys(tx: Transaction, sender: str, cause: Cause) -> None:
    """Destroy the data keys of parked events that the cause covers, so that nobody can open them when applied later."""
    came = select(col(LedgerEntry.event_id)).where(
        col(LedgerEntry.victim_id) == cause.victim_id, col(LedgerEntry.link).startswith(f"{sender}>", autoescape=True)
    )
    keyed = col(ParkedEvent.event_id).in_(came) & col(ParkedEvent.key).is_not(None)
    for row in tx.session.scalars(select(ParkedEvent).where(keyed)):
        if isinstance(cause, e.ErasureRequested) or Envelope.read(row.body).basis == LegalBasis.CONSENT:
            row.key, tx.erased = None, True


def _apply_to_holdings(
    tx: Transaction, office: Office, victim: VictimRow, cause: str, sender: str, tellers: Collection[str]
) -> ControllerAnswer:
    """Stop or erase the data that ``sender`` decides over. Returns our answer.

    ``cause``: the type of the event that told us. ``tellers``: every agency that told us of the same withdrawal or
    erasure, the sender included.
    """
    tx.changed.add(victim.id)
    concerned = _concerned(tx, victim, cause, sender)
    everything = _is_everything(tx, office, victim, cause, sender, tellers)
    if not concerned and not (everything and forgetting.keeps_anything(tx.session, victim.id)):
        return ControllerAnswer(DisclosureEnd.NOTHING_HELD, None, ())
    own = set(sealed_identity.own_identity(tx.session, office, victim.id)) if everything else set()
    fields = tuple(map(IdentityField, sorted(own.union(*(row.fields for row in concerned)))))
    kept = _kept_because(tx, office, victim)
    by = set(tellers) if everything else {sender}
    _carry_out(tx, office, victim, None if everything else [row.given_with for row in concerned], kept, by)
    for row in concerned:
        end_disclosure(tx, row, DisclosureEnd.STOPPED if kept else DisclosureEnd.ERASED, kept)
    return ControllerAnswer(DisclosureEnd.STOPPED if kept else DisclosureEnd.ERASED, kept, fields)


def _concerned(tx: Transaction, victim: VictimRow, cause: str, sender: str) -> list[DisclosureRow]:
    """The received disclosures, not erased, that the sender may take back. For a withdrawal: those on consent only."""
    here = not_erased(disclosure.disclosures_of(tx.session, victim.id))
    if cause == e.ConsentWithdrawn.type():
        return [row for row in here if row.agency == sender and row.basis == LegalBasis.CONSENT]
    return here if _has_custody(sender, victim) else [row for row in here if row.agency == sender]


def _is_everything(
    tx: Transaction, office: Office, victim: VictimRow, cause: str, sender: str, tellers: Collection[str]
) -> bool:
    """Whether the data that we wrote down ourselves must go too."""
    erased = cause == e.ErasureRequested.type()
    return erased and (_has_custody(sender, victim) or stand_for_holder(tx, office, victim, set(tellers)))


def _carry_out(
    tx: Transaction,
    office: Office,
    victim: VictimRow,
    sources: Sequence[str] | None,
    kept: KeptBecause | None,
    by: AbstractSet[str],
) -> None:
    """Destroy the data of these sources (None: everything), or set the data aside under a legal hold.

    Data kept because of custody stays as it is. ``by``: the agencies whose word it is.
    """
    if kept is None and sources is None:
        forget_all(tx, office, victim, by)
    elif kept is None:
        forgetting.forget(tx, office, victim.id, by, sources)
        match_tokens.tell(tx, office, victim.id)
    elif kept is KeptBecause.LEGAL_HOLD:
        forgetting.set_aside(tx, office, victim.id, sources)
        match_tokens.tell(tx, office, victim.id)


def _kept_because(tx: Transaction, office: Office, victim: VictimRow) -> KeptBecause | None:
    holder = holder_of(victim)
    if holder is not None and holder.agency == office.code:
        return KeptBecause.CUSTODY
    return KeptBecause.LEGAL_HOLD if holds.holds_of(tx.session, victim.id) else None


def _remembered(row: AnswerRow) -> ControllerAnswer:
    kept = KeptBecause(row.kept_because) if row.kept_because else None
    return ControllerAnswer(DisclosureEnd(row.end), kept, tuple(map(IdentityField, row.fields)))


def custody_left(tx: Transaction, office: Office, victim: VictimRow) -> None:
    """After custody moved to another agency: carry out what only our custody had prevented."""
    apply_after_all(tx, office, victim, KeptBecause.CUSTODY)
    if not holds.holds_of(tx.session, victim.id):
        forgetting.forget_held(tx, office, victim.id)  # text that its giver has replaced since


def apply_after_all(tx: Transaction, office: Office, victim: VictimRow, because: KeptBecause) -> None:
    """Carry out each withdrawal and erasure prevented for this reason. Data that came since then stays."""
    kept = _kept_because(tx, office, victim) if because is KeptBecause.CUSTODY else None
    for told in store.answers_keeping(tx.session, victim.id, because):
        tellers = {row.sender for row in store.answers_to(tx.session, told.cause_id)}
        concerned = [row for row in _concerned(tx, victim, told.cause, told.sender) if row.kept_because == because]
        if because is KeptBecause.CUSTODY:
            own = _is_everything(tx, office, victim, told.cause, told.sender, tellers)
            sources = [row.given_with for row in concerned]
            sources += forgetting.sources(tx.session, victim.id) * own
            _carry_out(tx, office, victim, sources, kept, set(tellers) if own else {told.sender})
        end = DisclosureEnd.STOPPED if kept else DisclosureEnd.ERASED
        for row in concerned:
            end_disclosure(tx, row, end, kept)
        told.end, told.kept_because = end, kept
        answer = ControllerAnswer(end, kept, tuple(map(IdentityField, told.fields)))
        _tell_end(tx, office, told.sender, told.cause_id, victim.id, answer)
