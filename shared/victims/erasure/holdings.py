"""Apply a withdrawal or an erasure that another agency published: stop or erase here, answer, tell more controllers.

A controller keeps data for three reasons: a legal hold, its custody of the victim, another legal basis. Its answer
names the reason.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from sqlalchemy import select
from sqlmodel import col

from shared.contracts import events as e
from shared.contracts.codes import DisclosureEnd, IdentityField, KeptBecause, LegalBasis
from shared.contracts.envelope import Envelope
from shared.domain.erasure import Parts, Word, decides_over_all, may_say
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
    tell,
)
from shared.victims.erasure.first_said import word_of
from shared.victims.erasure.passing_on import pass_on
from shared.victims.erasure.tables import AnswerRow
from shared.victims.matching import match_tokens
from shared.victims.register.store import holder_of, load_victim
from shared.victims.register.tables import VictimRow
from shared.victims.sealed import forgetting, holds
from shared.victims.sealed import identity as sealed_identity
from shared.victims.sealed.may_forget import stand_for_holder
from shared.victims.sealed.store import of_victim, own_source
from shared.victims.sealed.tables import DisclosureRow


def on_told(tx: Transaction, office: Office, envelope: Envelope, cause: Cause) -> None:
    """Apply a withdrawal or an erasure that another agency told us: stop or erase, answer, tell further controllers.

    A repeated notice is only answered again. Raises Park: ``not-theirs-to-say``, ``id-of-another-victim``,
    ``id-of-another-kind``, ``original-not-proven`` or ``passed-on-too-often``.
    """
    victim, word = load_victim(tx.session, cause.victim_id), word_of(tx, office, envelope, cause)
    told = store.answers_to(tx.session, cause_id_of(cause))
    if any(row.victim_id != cause.victim_id for row in told):
        raise Park("id-of-another-victim")
    if any(row.cause != cause.type() for row in told):
        raise Park("id-of-another-kind")
    if victim is None:
        raise Park("not-theirs-to-say")
    by = {word.sender} | {row.sender for row in told if row.first_said_by is None}
    parts = _parts(tx, office, victim, word.sender, by)
    concerned = _concerned(tx, victim, cause.type(), cause_id_of(cause), word, parts)
    if not _may_say(tx, cause, word, parts):
        raise Park("not-theirs-to-say")
    ours = next((row for row in told if row.sender == word.sender), None)
    if ours is not None:
        _tell_end(tx, office, word.sender, cause_id_of(cause), cause.victim_id, _remembered(ours), envelope.id)
        return
    if cause.given_with:
        concerned = [row for row in concerned if row.agency != word.sender or row.given_with in cause.given_with]
    everything = isinstance(cause, e.ErasureRequested) and decides_over_all(word, parts)
    answer = _apply_to_holdings(tx, office, victim, concerned, everything, by if everything else word)
    if answer.kept_because is None:
        _discard_keys(tx, word.sender, cause)
    carry_out.remember_answer(tx, word.sender, cause, answer, word)
    _tell_end(tx, office, word.sender, cause_id_of(cause), cause.victim_id, answer, envelope.id)
    if answer.end is not DisclosureEnd.NOTHING_HELD and answer.kept_because is not KeptBecause.CUSTODY:
        sources = [row.given_with for row in concerned] + [own_source(of_victim(victim.id))] * everything
        taken = None if everything and word.sender == parts.holder else sources
        pass_on(tx, office, envelope, cause, taken, {word.sender, word.origin})


def give_back(tx: Transaction, office: Office, withdrawn: e.ConsentWithdrawn, agency: str) -> None:
    """Apply a withdrawal that the person made here, of a consent that another agency recorded.

    Stop or erase here. Tell ``agency``, the one that gave us the data on that consent. It tells the other controllers.
    What we gave on rests on a basis of its own.
    """
    victim = load_victim(tx.session, withdrawn.victim_id)
    assert victim is not None
    word = Word(agency, agency)
    parts = _parts(tx, office, victim, agency, {agency})
    concerned = _concerned(tx, victim, withdrawn.type(), withdrawn.consent_id, word, parts)
    answer = _apply_to_holdings(tx, office, victim, concerned, False, word)
    carry_out.remember_answer(tx, office.code, withdrawn, answer)
    tell(tx, office, withdrawn.unit, withdrawn, {agency})
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


def _parts(tx: Transaction, office: Office, victim: VictimRow, sender: str, by: AbstractSet[str]) -> Parts:
    """The parts of other agencies in a victim. ``by``: the agencies that told us the same, the sender included."""
    received = [row for row in disclosure.disclosures_of(tx.session, victim.id) if not row.given]
    return Parts(
        us=office.code,
        coordinator=office.agency.coordinator,
        holder=victim.custody_agency,
        gave=frozenset(row.agency for row in received),
        working_for=frozenset(referrals.senders_taken_on(tx.session, victim.id, office.code)),
        stands=sender in referrals.senders_of_victim(tx.session, victim.id)
        and stand_for_holder(tx, office, victim, by),
    )


def _may_say(tx: Transaction, cause: Cause, word: Word, parts: Parts) -> bool:
    """Whether this word counts here. A withdrawal counts only under the consent on which something was given to us."""
    if isinstance(cause, e.ErasureRequested) or word.passed_on:
        return may_say(word, parts)
    rows = disclosure.disclosures_of(tx.session, cause.victim_id)
    return any(row.agency == word.sender and _rests_on(row, cause.consent_id) for row in rows)


def _rests_on(row: DisclosureRow, consent_id: str) -> bool:
    """Whether what we received rests on this consent; without an id, on any consent of its giver."""
    return not row.given and row.basis == LegalBasis.CONSENT and row.consent_id in (consent_id, None)


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
    tx: Transaction,
    office: Office,
    victim: VictimRow,
    concerned: Sequence[DisclosureRow],
    everything: bool,
    by: AbstractSet[str] | Word,
) -> ControllerAnswer:
    """Stop or erase these disclosures that we received, or ``everything``. Returns our answer.

    ``by``: the agencies whose word it is.
    """
    tx.changed.add(victim.id)
    if not concerned and not (everything and forgetting.keeps_anything(tx.session, victim.id)):
        return ControllerAnswer(DisclosureEnd.NOTHING_HELD, None, ())
    own = set(sealed_identity.own_identity(tx.session, office, victim.id)) if everything else set()
    fields = tuple(map(IdentityField, sorted(own.union(*(row.fields for row in concerned)))))
    kept = _kept_because(tx, office, victim)
    said_by = {by.sender, by.origin} if isinstance(by, Word) else by
    _carry_out(tx, office, victim, None if everything else [row.given_with for row in concerned], kept, said_by)
    for row in concerned:
        end_disclosure(tx, row, DisclosureEnd.STOPPED if kept else DisclosureEnd.ERASED, kept)
    return ControllerAnswer(DisclosureEnd.STOPPED if kept else DisclosureEnd.ERASED, kept, fields)


def _concerned(
    tx: Transaction, victim: VictimRow, cause: str, cause_id: str, word: Word, parts: Parts
) -> list[DisclosureRow]:
    """The received disclosures, not erased, that this word takes back.

    They are those of the sender, and of the agency that said it first. Where an erasure reaches everything, they are
    all.
    """
    here = not_erased(disclosure.disclosures_of(tx.session, victim.id))
    theirs = [row for row in here if row.agency in (word.sender, word.origin)]
    if cause == e.ConsentWithdrawn.type():
        return [row for row in theirs if _rests_on(row, cause_id)]
    return here if decides_over_all(word, parts) else theirs


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
        word = Word(told.sender, told.first_said_by or told.sender)
        by = {row.sender for row in store.answers_to(tx.session, told.cause_id) if row.first_said_by is None}
        parts = _parts(tx, office, victim, told.sender, by)
        concerned = _concerned(tx, victim, told.cause, told.cause_id, word, parts)
        concerned = [row for row in concerned if row.kept_because == because]
        if because is KeptBecause.CUSTODY:
            # the word was told while we had custody, so nobody stands for the holder in it
            by_holder = told.sender == parts.holder and decides_over_all(word, parts)
            own = told.cause == e.ErasureRequested.type() and by_holder
            sources = [row.given_with for row in concerned]
            sources += forgetting.sources(tx.session, victim.id) * own
            _carry_out(tx, office, victim, sources, kept, by if own else {word.sender, word.origin})
        end = DisclosureEnd.STOPPED if kept else DisclosureEnd.ERASED
        for row in concerned:
            end_disclosure(tx, row, end, kept)
        told.end, told.kept_because = end, kept
        answer = ControllerAnswer(end, kept, tuple(map(IdentityField, told.fields)))
        _tell_end(tx, office, told.sender, told.cause_id, victim.id, answer)
    if not forgetting.keeps_anything(tx.session, victim.id):
        carry_out.forget_case_of(tx, victim)
