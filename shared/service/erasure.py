"""What becomes of an identity that other agencies hold: told to stop, to erase, and their signed answers.

A holder erases by destroying the keys; the sealed text in ledgers and backups stays, and opens no more. It keeps what
the law holds (a legal hold), what it is responsible for, and what it has on another basis, and says so.
"""

from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import col

from shared.contracts import events as e
from shared.contracts.codes import DisclosureEnd, IdentityField, KeptBecause, LegalBasis
from shared.contracts.envelope import Envelope
from shared.contracts.types import DeskRef, UnitRef
from shared.domain import commands as c
from shared.domain.access import Caller, Sight
from shared.domain.refusal import Refused
from shared.service import sealed, security_log, tokens
from shared.service.office import Office, draft, new_id
from shared.service.reception import Park
from shared.storage import privacy, referrals
from shared.storage.agency_tables import VictimRow
from shared.storage.database import Transaction
from shared.storage.privacy_tables import DisclosureRow, ErasureRow, HoldRow, ObeyedRow
from shared.storage.tables import LedgerEntry, ParkedEvent
from shared.storage.victims import holder_of, load_case, load_victim, lock_concerned, lock_victim

Cause = e.ConsentWithdrawn | e.ErasureRequested
RETENTION = "retention"
"""What changes when the end of what is kept of somebody may have come."""


def ask(tx: Transaction, office: Office, caller: Caller, sight: Sight, victim_id: str, command: c.Erase) -> ErasureRow:
    """Ask that a person be erased: nothing is undone by one person alone. Only where we are responsible. Raises
    Refused."""
    _require_custody(tx, sight, victim_id)
    if (waiting := privacy.waiting_erasure(tx.session, victim_id)) is not None:
        raise Refused("already-asked", erasure=waiting.id)
    at = c.when(command, tx.now)
    if command.erasure_id is not None and (
        privacy.obeyed(tx.session, command.erasure_id) or privacy.load_erasure(tx.session, command.erasure_id)
    ):
        raise Refused("id-taken", field="erasure_id")
    row = ErasureRow(
        id=command.erasure_id or new_id(),
        victim_id=victim_id,
        client=caller.client,
        person=caller.person,
        unit=caller.unit,
        asked_at=at,
    )
    tx.session.add(row)
    security_log.erasure_asked(tx, caller, row)
    return row


def decide(
    tx: Transaction, office: Office, caller: Caller, sight: Sight, victim_id: str, command: c.DecideErasure
) -> ErasureRow:
    """A second person has a person erased, here and at every holder, or refuses it. Raises Refused."""
    victim = _require_custody(tx, sight, victim_id)
    row = privacy.load_erasure(tx.session, command.erasure_id)
    if row is None or row.victim_id != victim_id:
        raise Refused("unknown-erasure", field="erasure_id")
    if row.approved is not None:
        raise Refused("already-decided", field="erasure_id")
    if row.client == caller.client or row.person == caller.person:
        raise Refused("second-person-needed", field="erasure_id")
    row.approved, row.decided_by, row.decided_at = command.approved, caller.client, tx.now
    if command.approved:
        carry_out(tx, office, victim, office.our_unit(caller.unit, tx.now.date()), row.id)
    security_log.erasure_decided(tx, caller, row)
    return row


def _require_custody(tx: Transaction, sight: Sight, victim_id: str) -> VictimRow:
    victim = lock_victim(tx.session, sight, victim_id)
    holder = holder_of(victim)
    if holder is None or not sight.covers(holder):
        raise Refused("not-custody-holder")
    if privacy.holds_of(tx.session, victim_id):
        raise Refused("legal-hold")
    return victim


def carry_out(tx: Transaction, office: Office, victim: VictimRow, unit: UnitRef, erasure_id: str) -> None:
    """Erase a person here, and tell every holder to."""
    asked = e.ErasureRequested(erasure_id=erasure_id, victim_id=victim.id, unit=unit, occurred_at=tx.now)
    _forget_all(tx, office, victim)
    victim.keep_until = None
    for row in _not_erased(privacy.disclosures_of(tx.session, victim.id)):
        _end(tx, row, DisclosureEnd.ERASED, None)
    note(tx, office.code, asked, Answer(DisclosureEnd.ERASED, None, ()))
    _tell_holders(tx, office, unit, asked)


def _forget_all(tx: Transaction, office: Office, victim: VictimRow) -> None:
    """Destroy all that is kept of a victim; what was written down of their case as a whole goes with the last of its
    victims."""
    sealed.forget(tx, office, victim.id)
    for forget in office.forgets:
        forget(tx, victim.id)
    tokens.tell(tx, office, victim.id)
    erased = select(col(ObeyedRow.victim_id)).where(
        col(ObeyedRow.cause) == e.ErasureRequested.type(), col(ObeyedRow.end) == DisclosureEnd.ERASED
    )
    others = (col(VictimRow.case_id) == victim.case_id) & (col(VictimRow.id) != victim.id)
    left = select(col(VictimRow.id)).where(others, col(VictimRow.id).not_in(erased))
    if tx.session.scalars(left.limit(1)).first() is None:
        sealed.forget(tx, office, victim.case_id)


def _tell_holders(
    tx: Transaction, office: Office, unit: UnitRef, cause: Cause, but: str | None = None, back: bool = True
) -> None:
    """Tell every agency that may hold what this is about.

    A withdrawal goes to whom we gave something. An erasure goes to everybody whom we asked for something for the
    victim, who may have written down themselves who that is; by who is responsible also ``back`` to those who asked us.
    """
    others = {row.agency for row in privacy.disclosures_of(tx.session, cause.victim_id) if row.given}
    if isinstance(cause, e.ErasureRequested):
        others |= referrals.receivers_of_victim(tx.session, cause.victim_id)
        others |= referrals.senders_of_victim(tx.session, cause.victim_id) if back else set()
    tell(tx, office, unit, cause, others - {but})


def tell(tx: Transaction, office: Office, unit: UnitRef, cause: Cause, agencies: AbstractSet[str | None]) -> None:
    """Tell these agencies, and the coordinator."""
    for agency in sorted(filter(None, (agencies | {office.agency.coordinator}) - {office.code})):
        tx.emit(draft(cause, agency, unit, victim_id=cause.victim_id))
    tx.changed.add(cause.victim_id)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a holder did with what it was told, and with which fields."""

    end: DisclosureEnd
    kept_because: KeptBecause | None
    fields: tuple[IdentityField, ...]


def obey(tx: Transaction, office: Office, sender: str, cause: Cause, causation_id: str) -> None:
    """We were told that a consent is withdrawn or a person is to be erased: do it, answer, pass it on. Raises Park."""
    victim = load_victim(tx.session, cause.victim_id)
    if victim is None or not _may_say(tx, sender, victim):
        raise Park("not-theirs-to-say")
    _discard_keys(tx, sender, cause)
    told = privacy.obeyed(tx.session, _id_of(cause))
    if any(row.victim_id != cause.victim_id for row in told):
        raise Park("id-of-another-victim")
    ours = next((row for row in told if row.sender == sender), None)
    if ours is None:
        answer = _do(tx, office, victim, cause.type(), sender, {sender, *(row.sender for row in told)})
        note(tx, sender, cause, answer)
        back = _holds(sender, victim)
        if back or not told:
            _tell_holders(tx, office, office.speaker(tx.now.date()), cause, but=sender, back=back)
    else:
        answer = _answer(ours)
    _tell_end(tx, office, sender, _id_of(cause), cause.victim_id, answer, causation_id)


def give_back(tx: Transaction, office: Office, withdrawn: e.ConsentWithdrawn, agency: str) -> None:
    """A person has told us that they take back what another agency gave us on consent: do it, tell that agency, which
    tells the others, and those to whom we gave it on."""
    victim = load_victim(tx.session, withdrawn.victim_id)
    assert victim is not None
    answer = _do(tx, office, victim, withdrawn.type(), agency, {agency})
    note(tx, office.code, withdrawn, answer)
    _tell_holders(tx, office, withdrawn.unit, withdrawn, but=agency)
    tx.emit(draft(withdrawn, agency, withdrawn.unit, victim_id=victim.id))
    _tell_end(tx, office, agency, withdrawn.consent_id, victim.id, answer)


def _tell_end(
    tx: Transaction,
    office: Office,
    sender: str,
    cause_id: str,
    victim_id: str,
    answer: Answer,
    causation_id: str | None = None,
) -> None:
    """Answer who told us, and the coordinator."""
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


def _holds(sender: str, victim: VictimRow) -> bool:
    holder = holder_of(victim)
    return holder is not None and holder.agency == sender


def _may_say(tx: Transaction, sender: str, victim: VictimRow) -> bool:
    """Who asked us for something for the victim, or delivered something, may take back what they gave; and who is
    responsible, as far as we know, may."""
    return (
        _holds(sender, victim)
        or sender in referrals.senders_of_victim(tx.session, victim.id)
        or any(row.agency == sender and not row.given for row in privacy.disclosures_of(tx.session, victim.id))
    )


def _discard_keys(tx: Transaction, sender: str, cause: Cause) -> None:
    """Destroy the keys that came with what is parked and this is about: applied later, it opens no more."""
    came = select(col(LedgerEntry.event_id)).where(
        col(LedgerEntry.victim_id) == cause.victim_id, col(LedgerEntry.link).startswith(f"{sender}>", autoescape=True)
    )
    keyed = col(ParkedEvent.event_id).in_(came) & col(ParkedEvent.key).is_not(None)
    for row in tx.session.scalars(select(ParkedEvent).where(keyed)):
        if isinstance(cause, e.ErasureRequested) or Envelope.read(row.body).basis == LegalBasis.CONSENT:
            row.key, tx.erased = None, True


def _not_erased(rows: Sequence[DisclosureRow]) -> list[DisclosureRow]:
    """What came to us and is still here, shown or not."""
    return [row for row in rows if not row.given and row.end != DisclosureEnd.ERASED]


def _end(tx: Transaction, row: DisclosureRow, end: DisclosureEnd, kept: KeptBecause | None) -> None:
    row.end, row.kept_because, row.ended_at = end, kept, tx.now


def _do(
    tx: Transaction, office: Office, victim: VictimRow, cause: str, sender: str, tellers: Collection[str]
) -> Answer:
    """Stop or erase what ``sender`` has a say over. ``cause``: the type of the event that told us; ``tellers``: who has
    told us of this very one, the sender too."""
    tx.changed.add(victim.id)
    concerned = _concerned(tx, victim, cause, sender)
    everything = _is_everything(tx, office, victim, cause, sender, tellers)
    if not concerned and not (everything and sealed.keeps_anything(tx.session, victim.id)):
        return Answer(DisclosureEnd.NOTHING_HELD, None, ())
    own = set(sealed.own(tx.session, office, victim.id)) if everything else set()
    fields = tuple(map(IdentityField, sorted(own.union(*(row.fields for row in concerned)))))
    kept = _kept_because(tx, office, victim)
    _carry_out(tx, office, victim, None if everything else [row.referral_id for row in concerned], kept)
    for row in concerned:
        _end(tx, row, DisclosureEnd.STOPPED if kept else DisclosureEnd.ERASED, kept)
    return Answer(DisclosureEnd.STOPPED if kept else DisclosureEnd.ERASED, kept, fields)


def _concerned(tx: Transaction, victim: VictimRow, cause: str, sender: str) -> list[DisclosureRow]:
    """What came to us, is still here, and is the sender's to take back: on a withdrawal what rests on consent."""
    held = _not_erased(privacy.disclosures_of(tx.session, victim.id))
    if cause == e.ConsentWithdrawn.type():
        return [row for row in held if row.agency == sender and row.basis == LegalBasis.CONSENT]
    return held if _holds(sender, victim) else [row for row in held if row.agency == sender]


def _is_everything(
    tx: Transaction, office: Office, victim: VictimRow, cause: str, sender: str, tellers: Collection[str]
) -> bool:
    """Whether also what we wrote down ourselves is to go."""
    erased = cause == e.ErasureRequested.type()
    return erased and (_holds(sender, victim) or _wrote_for(tx, office, victim, tellers))


def _carry_out(
    tx: Transaction, office: Office, victim: VictimRow, sources: Sequence[str] | None, kept: KeptBecause | None
) -> None:
    """Destroy what these sources said (None: everything), or set it aside where the law keeps it. What custody keeps
    stays as it is, and is only given on no more."""
    if kept is None and sources is None:
        _forget_all(tx, office, victim)
    elif kept is None:
        sealed.forget(tx, office, victim.id, sources)
        tokens.tell(tx, office, victim.id)
    elif kept is KeptBecause.LEGAL_HOLD:
        sealed.set_aside(tx, office, victim.id, sources)
        tokens.tell(tx, office, victim.id)


def _wrote_for(tx: Transaction, office: Office, victim: VictimRow, tellers: Collection[str]) -> bool:
    """Whether all that we wrote down of a victim, we wrote for these: nobody else asked us for anything for them, and
    we did not find them ourselves. So no single peer has erased what we know by ourselves or from others."""
    if load_case(tx.session, victim.case_id) is not None:
        return False
    return referrals.senders_of_victim(tx.session, victim.id) - {office.code} <= set(tellers)


def _kept_because(tx: Transaction, office: Office, victim: VictimRow) -> KeptBecause | None:
    holder = holder_of(victim)
    if holder is not None and holder.agency == office.code:
        return KeptBecause.CUSTODY
    return KeptBecause.LEGAL_HOLD if privacy.holds_of(tx.session, victim.id) else None


def ended(tx: Transaction, sender: str, event: e.DisclosureEnded) -> None:
    """A holder's answer: note it beside what we gave before it was told; what we gave since is not meant. It may come
    again, when what it kept is erased after all."""
    load_victim(tx.session, event.victim_id)  # what is kept of a victim is written under its lock
    told = privacy.obeyed(tx.session, event.cause_id)
    on_consent = any(row.cause == e.ConsentWithdrawn.type() for row in told)
    for row in privacy.disclosures_of(tx.session, event.victim_id):
        meant = any(row.at <= one.at for one in told) and not (on_consent and row.basis != LegalBasis.CONSENT)
        if row.given and row.agency == sender and meant and row.end != DisclosureEnd.ERASED:
            row.end, row.kept_because, row.ended_at = event.end, event.kept_because, event.occurred_at
    tx.changed.add(event.victim_id)


def _id_of(cause: Cause) -> str:
    return cause.consent_id if isinstance(cause, e.ConsentWithdrawn) else cause.erasure_id


def note(tx: Transaction, sender: str, cause: Cause, answer: Answer) -> None:
    """Remember what we did when ``sender`` told us, or that it was made here."""
    row = ObeyedRow(
        cause_id=_id_of(cause),
        sender=sender,
        cause=cause.type(),
        victim_id=cause.victim_id,
        end=answer.end,
        kept_because=answer.kept_because,
        fields=list(answer.fields),
        at=tx.now,
    )
    tx.session.merge(row)  # a consent may expire, and be taken back all the same


def _answer(row: ObeyedRow) -> Answer:
    kept = KeptBecause(row.kept_because) if row.kept_because else None
    return Answer(DisclosureEnd(row.end), kept, tuple(map(IdentityField, row.fields)))


def place_hold(tx: Transaction, caller: Caller, sight: Sight, victim_id: str, command: c.PlaceHold) -> HoldRow:
    """Forbid erasure here. Raises Refused."""
    lock_concerned(tx.session, sight, victim_id)
    at = c.when(command, tx.now)
    row = HoldRow(
        victim_id=victim_id,
        basis=command.basis,
        client=caller.client,
        person=caller.person,
        unit=caller.unit,
        placed_at=at,
    )
    tx.session.add(row)
    tx.session.flush()
    security_log.hold_placed(tx, caller, row)
    return row


def lift_holds(
    tx: Transaction, office: Office, caller: Caller, sight: Sight, victim_id: str, command: c.LiftHold
) -> Sequence[HoldRow]:
    """Allow erasure again where a desk in sight forbade it, and, with the last hold, do what was told meanwhile and
    only the hold kept from being done. Raises Refused."""
    victim = lock_concerned(tx.session, sight, victim_id)
    standing = privacy.holds_of(tx.session, victim_id)
    rows = [row for row in standing if sight.covers(DeskRef(agency=office.code, unit=row.unit))]
    if standing and not rows:
        raise Refused("not-your-unit")
    for row in rows:
        row.lifted_at = tx.now
        security_log.hold_lifted(tx, caller, row)
    tx.session.flush()
    if not privacy.holds_of(tx.session, victim_id):
        tx.changed.add(RETENTION)
        sealed.forget_held(tx, office, victim_id)
        _do_after_all(tx, office, victim, KeptBecause.LEGAL_HOLD)
    return rows


def custody_left(tx: Transaction, office: Office, victim: VictimRow) -> None:
    """Another agency has become responsible: do what was told and only our responsibility kept from being done."""
    _do_after_all(tx, office, victim, KeptBecause.CUSTODY)


def _do_after_all(tx: Transaction, office: Office, victim: VictimRow, because: KeptBecause) -> None:
    """What was given or written down since it was told is not meant, and stays."""
    kept = _kept_because(tx, office, victim) if because is KeptBecause.CUSTODY else None
    for told in privacy.held_back(tx.session, victim.id, because):
        tellers = {row.sender for row in privacy.obeyed(tx.session, told.cause_id)}
        concerned = [row for row in _concerned(tx, victim, told.cause, told.sender) if row.kept_because == because]
        if because is KeptBecause.CUSTODY:
            own = _is_everything(tx, office, victim, told.cause, told.sender, tellers)
            sources = [row.referral_id for row in concerned]
            _carry_out(tx, office, victim, sources + sealed.sources(tx.session, victim.id) * own, kept)
        end = DisclosureEnd.STOPPED if kept else DisclosureEnd.ERASED
        for row in concerned:
            _end(tx, row, end, kept)
        told.end, told.kept_because = end, kept
        answer = Answer(end, kept, tuple(map(IdentityField, told.fields)))
        _tell_end(tx, office, told.sender, told.cause_id, victim.id, answer)
