"""Withdrawal and erasure across agencies: telling every holder to stop or to erase, and the holders' signed answers.

An erasure (UU 27/2022 Ps 8, 43-44) destroys the keys at every holder. The sealed text stays in ledgers and backups,
but cannot be opened any more. A holder keeps data for three reasons: a legal hold, its custody of the victim, another
legal basis. The holder's answer names the reason.
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
"""Wake-up topic: the end of a retention period may have come."""


def ask(tx: Transaction, office: Office, caller: Caller, sight: Sight, victim_id: str, command: c.Erase) -> ErasureRow:
    """Request the erasure of a victim. A second person decides, because nobody alone may destroy data for ever.

    Only the custody holder may request an erasure. Returns the row. Raises Refused: ``unknown-victim``,
    ``not-custody-holder``, ``legal-hold``, ``already-asked``, ``id-taken``, or for a bad ``occurred_at``.
    """
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
    """Record the decision of a second person. An approval erases the victim here and at every holder.

    Raises Refused: ``unknown-victim``, ``not-custody-holder``, ``legal-hold``, ``unknown-erasure``,
    ``already-decided`` or ``second-person-needed``.
    """
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
    """Erase a victim here, and tell every holder to erase the victim.

    ``unit``: the desk in whose name the request goes out.
    """
    asked = e.ErasureRequested(erasure_id=erasure_id, victim_id=victim.id, unit=unit, occurred_at=tx.now)
    _forget_all(tx, office, victim)
    victim.keep_until = None
    for row in _not_erased(privacy.disclosures_of(tx.session, victim.id)):
        _end(tx, row, DisclosureEnd.ERASED, None)
    note(tx, office.code, asked, Answer(DisclosureEnd.ERASED, None, ()))
    _tell_holders(tx, office, unit, asked)


def _forget_all(tx: Transaction, office: Office, victim: VictimRow) -> None:
    """Destroy all data of a victim. With the last victim of a case, destroy the sealed data of the case too."""
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
    """Tell every agency that may hold data of the victim.

    A withdrawal goes to the agencies that received data from us. An erasure also goes to every receiver of a referral,
    which may have written down the identity itself. With ``back`` an erasure goes to the senders of referrals too;
    only an erasure by the custody holder does. ``but``: an agency not to tell.
    """
    others = {row.agency for row in privacy.disclosures_of(tx.session, cause.victim_id) if row.given}
    if isinstance(cause, e.ErasureRequested):
        others |= referrals.receivers_of_victim(tx.session, cause.victim_id)
        others |= referrals.senders_of_victim(tx.session, cause.victim_id) if back else set()
    tell(tx, office, unit, cause, others - {but})


def tell(tx: Transaction, office: Office, unit: UnitRef, cause: Cause, agencies: AbstractSet[str | None]) -> None:
    """Publish a withdrawal or erasure to these agencies and to the coordinator, never to ourselves."""
    for agency in sorted(filter(None, (agencies | {office.agency.coordinator}) - {office.code})):
        tx.emit(draft(cause, agency, unit, victim_id=cause.victim_id))
    tx.changed.add(cause.victim_id)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a holder: what it did with the data, which fields, and why data was kept, if it was."""

    end: DisclosureEnd
    kept_because: KeptBecause | None
    fields: tuple[IdentityField, ...]


def obey(tx: Transaction, office: Office, sender: str, cause: Cause, causation_id: str) -> None:
    """Apply a withdrawal or an erasure that ``sender`` told us: stop or erase, answer, and tell further holders.

    A repeated notice is only answered again. ``causation_id``: the id of the event that told us. Raises Park:
    ``not-theirs-to-say`` or ``id-of-another-victim``.
    """
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
    """Apply a withdrawal that the person made here, of a consent that another agency recorded.

    Stop or erase here. Tell the agencies to which we passed the data on, and ``agency``, the one that gave us the data.
    That agency tells the other holders.
    """
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


def _holds(sender: str, victim: VictimRow) -> bool:
    holder = holder_of(victim)
    return holder is not None and holder.agency == sender


def _may_say(tx: Transaction, sender: str, victim: VictimRow) -> bool:
    """Whether ``sender`` may tell us of a withdrawal or an erasure.

    These agencies may: a sender of a referral of the victim, an agency that gave us data, the custody holder.
    """
    return (
        _holds(sender, victim)
        or sender in referrals.senders_of_victim(tx.session, victim.id)
        or any(row.agency == sender and not row.given for row in privacy.disclosures_of(tx.session, victim.id))
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


def _not_erased(rows: Sequence[DisclosureRow]) -> list[DisclosureRow]:
    """The received disclosures that are not erased, whether their data is shown or not."""
    return [row for row in rows if not row.given and row.end != DisclosureEnd.ERASED]


def _end(tx: Transaction, row: DisclosureRow, end: DisclosureEnd, kept: KeptBecause | None) -> None:
    row.end, row.kept_because, row.ended_at = end, kept, tx.now


def _do(
    tx: Transaction, office: Office, victim: VictimRow, cause: str, sender: str, tellers: Collection[str]
) -> Answer:
    """Stop or erase the data that ``sender`` decides over. Returns our answer.

    ``cause``: the type of the event that told us. ``tellers``: every agency that told us of the same withdrawal or
    erasure, the sender included.
    """
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
    """The received disclosures, not erased, that the sender may take back. For a withdrawal: those on consent only."""
    held = _not_erased(privacy.disclosures_of(tx.session, victim.id))
    if cause == e.ConsentWithdrawn.type():
        return [row for row in held if row.agency == sender and row.basis == LegalBasis.CONSENT]
    return held if _holds(sender, victim) else [row for row in held if row.agency == sender]


def _is_everything(
    tx: Transaction, office: Office, victim: VictimRow, cause: str, sender: str, tellers: Collection[str]
) -> bool:
    """Whether the data that we wrote down ourselves must go too."""
    erased = cause == e.ErasureRequested.type()
    return erased and (_holds(sender, victim) or _wrote_for(tx, office, victim, tellers))


def _carry_out(
    tx: Transaction, office: Office, victim: VictimRow, sources: Sequence[str] | None, kept: KeptBecause | None
) -> None:
    """Destroy the data of these sources (None: everything), or set the data aside under a legal hold.

    Data kept because of custody stays as it is.
    """
    if kept is None and sources is None:
        _forget_all(tx, office, victim)
    elif kept is None:
        sealed.forget(tx, office, victim.id, sources)
        tokens.tell(tx, office, victim.id)
    elif kept is KeptBecause.LEGAL_HOLD:
        sealed.set_aside(tx, office, victim.id, sources)
        tokens.tell(tx, office, victim.id)


def _wrote_for(tx: Transaction, office: Office, victim: VictimRow, tellers: Collection[str]) -> bool:
    """Whether only the ``tellers`` sent us referrals of the victim, and we did not register the victim ourselves.

    Otherwise one peer could erase what we know from our own work or from other agencies.
    """
    if load_case(tx.session, victim.case_id) is not None:
        return False
    return referrals.senders_of_victim(tx.session, victim.id) - {office.code} <= set(tellers)


def _kept_because(tx: Transaction, office: Office, victim: VictimRow) -> KeptBecause | None:
    holder = holder_of(victim)
    if holder is not None and holder.agency == office.code:
        return KeptBecause.CUSTODY
    return KeptBecause.LEGAL_HOLD if privacy.holds_of(tx.session, victim.id) else None


def ended(tx: Transaction, sender: str, event: e.DisclosureEnded) -> None:
    """Store a holder's answer at the disclosures that we gave before the holder was told, not at later ones.

    A holder may answer again, when it erases data that it had kept.
    """
    load_victim(tx.session, event.victim_id)  # everything stored about a victim is written under this lock
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
    """Store our answer to a withdrawal or an erasure. ``sender`` is our own code for one made here."""
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
    tx.session.merge(row)  # merge: a consent may expire and be withdrawn later


def _answer(row: ObeyedRow) -> Answer:
    kept = KeptBecause(row.kept_because) if row.kept_because else None
    return Answer(DisclosureEnd(row.end), kept, tuple(map(IdentityField, row.fields)))


def place_hold(tx: Transaction, caller: Caller, sight: Sight, victim_id: str, command: c.PlaceHold) -> HoldRow:
    """Place a legal hold: forbid erasure of a victim here. Returns the row.

    Raises Refused: ``unknown-victim``, ``not-responsible``, or for a bad ``occurred_at``.
    """
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
    """Lift the legal holds that desks in sight placed. Returns the rows lifted.

    With the last legal hold, carry out each withdrawal and erasure that only the hold had prevented. Raises Refused:
    ``unknown-victim``, ``not-responsible`` or ``not-your-unit``.
    """
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
    """After custody moved to another agency: carry out what only our custody had prevented."""
    _do_after_all(tx, office, victim, KeptBecause.CUSTODY)


def _do_after_all(tx: Transaction, office: Office, victim: VictimRow, because: KeptBecause) -> None:
    """Carry out each withdrawal and erasure prevented for this reason. Data that came since then stays."""
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
