"""Erase a victim here, and tell every controller to erase or to stop.

An erasure (UU 27/2022 Ps 8, 43-44) destroys the keys at every controller. The sealed text stays in ledgers and backups,
but cannot be opened any more. A controller (pengendali, UU 27/2022 Ps 1, 43) is an agency that has data of the victim.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import col

from shared.contracts import events as e
from shared.contracts.codes import DisclosureEnd, IdentityField, KeptBecause
from shared.contracts.types import UnitRef
from shared.domain.erasure import ErasureCause, Word
from shared.reference.office import Office, tell_agencies
from shared.storage import referrals
from shared.storage.unit_of_work import Transaction
from shared.victims.disclosure import store as disclosure
from shared.victims.erasure import security_log
from shared.victims.erasure.tables import AnswerRow, ErasureRow
from shared.victims.matching import match_tokens
from shared.victims.register.tables import VictimRow
from shared.victims.sealed import forgetting
from shared.victims.sealed.may_forget import case_may_be_forgotten
from shared.victims.sealed.store import of_victim
from shared.victims.sealed.tables import DataKeyRow, DisclosureRow

Cause = e.ConsentWithdrawn | e.ErasureRequested


def carry_out(tx: Transaction, office: Office, victim: VictimRow, unit: UnitRef, erasure_id: str) -> None:
    """Erase a victim here, and tell every controller to erase the victim.

    ``unit``: the desk in whose name the request goes out.
    """
    asked = e.ErasureRequested(erasure_id=erasure_id, victim_id=victim.id, unit=unit, occurred_at=tx.now)
    forget_all(tx, office, victim, {office.code})
    victim.keep_until = None
    for row in not_erased(disclosure.disclosures_of(tx.session, victim.id)):
        end_disclosure(tx, row, DisclosureEnd.ERASED, None)
    remember_answer(tx, office.code, asked, ControllerAnswer(DisclosureEnd.ERASED, None, ()))
    tell_controllers(tx, office, unit, asked)


def forget_all(tx: Transaction, office: Office, victim: VictimRow, by: AbstractSet[str]) -> None:
    """Destroy all data of a victim. With the last victim of a case of ours, destroy the sealed data of the case too.

    ``by``: the agencies whose word it is. Raises NotToForget.
    """
    forgetting.forget(tx, office, victim.id, by)
    for forget in office.forgets:
        forget(tx, victim.id)
    match_tokens.tell(tx, office, victim.id)
    forget_case_of(tx, victim)


def forget_case_of(tx: Transaction, victim: VictimRow) -> None:
    """Destroy the keys of an erased victim's case, if all victims of the case are erased and none is held.

    Only in a case of ours: the case of a victim that another agency registered is that agency's word.
    """
    if not victim.registered_here:
        return
    erased = select(col(AnswerRow.victim_id)).where(
        col(AnswerRow.cause) == e.ErasureRequested.type(), col(AnswerRow.end) == DisclosureEnd.ERASED
    )
    others = (col(VictimRow.case_id) == victim.case_id) & (col(VictimRow.id) != victim.id)
    keyed = select(col(DataKeyRow.id)).where(col(DataKeyRow.subject_id) == of_victim("") + col(VictimRow.id))
    kept = col(VictimRow.id).not_in(erased) | keyed.exists()
    left = select(col(VictimRow.id)).where(others, col(VictimRow.registered_here), kept)
    if tx.session.scalars(left.limit(1)).first() is None and case_may_be_forgotten(tx, victim.case_id):
        forgetting.forget_case(tx, victim.case_id)


def tell_controllers(tx: Transaction, office: Office, unit: UnitRef, cause: e.ErasureRequested) -> None:
    """Tell every agency that may hold data of the victim of an erasure that we decided, as the custody holder.

    Every receiver of a referral is told too, which may have written down the identity itself, and every sender.
    """
    others = {row.agency for row in disclosure.disclosures_of(tx.session, cause.victim_id) if row.given}
    others |= referrals.receivers_of_victim(tx.session, cause.victim_id)
    others |= referrals.senders_of_victim(tx.session, cause.victim_id)
    tell(tx, office, unit, cause, others)


def tell(tx: Transaction, office: Office, unit: UnitRef, cause: Cause, agencies: AbstractSet[str | None]) -> None:
    """Publish a withdrawal or erasure to these agencies and to the coordinator, never to ourselves."""
    tell_agencies(tx, office, cause, unit, agencies, cause.victim_id)
    tx.changed.add(cause.victim_id)


@dataclass(frozen=True, slots=True)
class ControllerAnswer:
    """The answer of a controller about the data: the end, the fields, and the reason for data kept, if any."""

    end: DisclosureEnd
    kept_because: KeptBecause | None
    fields: tuple[IdentityField, ...]


def not_erased(rows: Sequence[DisclosureRow]) -> list[DisclosureRow]:
    """The received disclosures that are not erased, whether their data is shown or not."""
    return [row for row in rows if not row.given and row.end != DisclosureEnd.ERASED]


def end_disclosure(tx: Transaction, row: DisclosureRow, end: DisclosureEnd, kept: KeptBecause | None) -> None:
    """End a disclosure now. ``kept``: the reason for which the controller keeps the data, or None."""
    row.end, row.kept_because, row.ended_at = end, kept, tx.now


def cause_id_of(cause: Cause) -> str:
    """The id of the withdrawn consent or of the erasure."""
    return cause.consent_id if isinstance(cause, e.ConsentWithdrawn) else cause.erasure_id


def remember_answer(
    tx: Transaction, sender: str, cause: Cause, answer: ControllerAnswer, word: Word | None = None
) -> None:
    """Store our answer to a withdrawal or an erasure. ``sender`` is our own code for one made here.

    ``word``: who told us. Whatever is carried out on the word of others is listed and logged too.
    """
    row = AnswerRow(
        cause_id=cause_id_of(cause),
        sender=sender,
        cause=cause.type(),
        victim_id=cause.victim_id,
        end=answer.end,
        kept_because=answer.kept_because,
        fields=list(answer.fields),
        first_said_by=word.origin if word is not None and word.passed_on else None,
        at=tx.now,
    )
    tx.session.merge(row)  # merge: a consent may expire and be withdrawn later
    if word is not None and answer.end is not DisclosureEnd.NOTHING_HELD:
        told = ErasureCause.ERASURE if isinstance(cause, e.ErasureRequested) else ErasureCause.WITHDRAWAL
        list_told(tx, cause_id_of(cause), cause.victim_id, told, word, answer)


def list_told(
    tx: Transaction, ident: str, victim_id: str, cause: ErasureCause, word: Word, answer: ControllerAnswer
) -> None:
    """List and log what was carried out here on the word of another agency."""
    row = ErasureRow(
        id=ident,
        victim_id=victim_id,
        cause=cause,
        said_by=word.origin,
        passed_on_by=word.sender if word.passed_on else None,
        end=answer.end,
        kept_because=answer.kept_because,
        asked_at=tx.now,
        approved=True,
        decided_at=tx.now,
    )
    tx.session.add(row)
    security_log.carried_out_for(tx, row)
