"""The facts of a victim in and out of their rows: the word that counts, and the words of others."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlmodel import Session, col

from shared.contracts import events as e
from shared.contracts.codes import AgeClass, FactsBasis, Sex
from shared.contracts.types import MOST_PASSED_ON, VictimFacts
from shared.domain import facts as rules
from shared.domain.access import NOT_TAKEN_ON, TURNED_AWAY
from shared.domain.facts import FactsKnown, FactsWord, Speaking
from shared.domain.referral import UNANSWERED
from shared.reference.office import Office, draft, new_id
from shared.storage import referrals
from shared.storage.referrals import Asked
from shared.storage.tables import ReferralRow
from shared.storage.unit_of_work import Transaction
from shared.victims.register.tables import FactsCorrectionRow, FactsWordRow, VictimRow


def facts_of(row: VictimRow | FactsWordRow | FactsCorrectionRow) -> VictimFacts:
    """The facts in a row, as the agency of that row states them."""
    return VictimFacts.model_validate({"age_class": row.age_class, "sex": row.sex, "home_region": row.home_region})


def facts_to_give(victim: VictimRow, ours: str) -> VictimFacts:
    """The facts that we tell others: the age class with the most protection, and nothing that agencies dispute.

    Our own word of the sex and the home, and the custody holder's, stand though others dispute them. So do the facts
    that came with the custody, as long as we hold it.
    """
    held = victim.custody_agency == ours and victim.facts_came_with is not None
    stands = held or victim.facts_from in (ours, victim.custody_agency)
    return VictimFacts(
        age_class=AgeClass(victim.rule_age),
        sex=Sex(victim.sex) if stands or not victim.sex_disputed else Sex.UNSPECIFIED,
        home_region=victim.home_region if stands or not victim.home_disputed else None,
    )


def first_facts(facts: VictimFacts, agency: str, now: datetime) -> dict[str, Any]:
    """The columns of a new victim's facts, as an agency states them. ``now``: UTC."""
    return {**dict(facts), "facts_from": agency, "facts_at": now, "rule_age": facts.age_class}


def known_facts(session: Session, victim: VictimRow) -> FactsKnown:
    """All words about the facts of a victim, those of others in the order in which they came."""
    theirs = select(FactsWordRow).where(col(FactsWordRow.victim_id) == victim.id)
    others = session.scalars(theirs.order_by(col(FactsWordRow.at), col(FactsWordRow.agency)))
    return FactsKnown(
        FactsWord(victim.facts_from, facts_of(victim), victim.facts_at, came_with=victim.facts_came_with),
        tuple(
            FactsWord(row.agency, facts_of(row), row.at, row.settled_by, row.waiting, row.came_with or None)
            for row in others
        ),
    )


def keep_facts(session: Session, victim: VictimRow, known: FactsKnown) -> None:
    """Write the words about the facts of a victim into their rows."""
    counts = known.counts
    victim.age_class, victim.sex, victim.home_region = dict(counts.facts).values()
    victim.facts_from, victim.facts_at, victim.facts_came_with = counts.agency, counts.at, counts.came_with
    victim.rule_age, victim.facts_differ = known.rule_age, bool(known.disputed)
    victim.sex_disputed, victim.home_disputed = known.sex_disputed, known.home_disputed
    session.execute(delete(FactsWordRow).where(col(FactsWordRow.victim_id) == victim.id))
    session.add_all(
        FactsWordRow(
            victim_id=victim.id,
            agency=one.agency,
            **dict(one.facts),
            at=one.at,
            settled_by=one.settled_by,
            waiting=one.waiting,
            came_with=one.came_with or "",
        )
        for one in known.others
    )


def hear_facts(tx: Transaction, office: Office, victim: VictimRow, word: FactsWord, passed_on: int = 0) -> bool:
    """An agency states the facts of a victim that is known here. Answers whether agencies speak beside it.

    Usually the agency repeats its own word, and no further row is read. ``passed_on``: the agencies that have passed
    the word on.
    """
    if word.agency == victim.facts_from and word.facts == facts_of(victim) and not victim.facts_untold:
        return victim.facts_differ
    known, asked = with_word(tx.session, victim, office.code, word)
    keep_heard(tx, office, victim, known, asked, passed_on)
    return bool(known.others)


def with_word(session: Session, victim: VictimRow, ours: str, word: FactsWord) -> tuple[FactsKnown, Sequence[Asked]]:
    """All words about the facts of a victim with one more, and the requests that were sent here. Nothing is stored."""
    known, asked, speaking = _words(session, victim, ours)
    return rules.hear(known, word, speaking), asked


def leave_out(tx: Transaction, office: Office, victim: VictimRow, agency: str) -> bool:
    """An agency repeats the facts that we told it, and has no word of its own. Answers whether others speak."""
    known, asked, speaking = _words(tx.session, victim, office.code)
    left = rules.leave_out(known, agency, speaking)
    if left != known:
        keep_heard(tx, office, victim, left, asked)
    return bool(left.others)


def reorder_facts(tx: Transaction, office: Office, victim: VictimRow) -> None:
    """A person here has answered one of the agencies that state the facts of a victim."""
    known, asked, speaking = _words(tx.session, victim, office.code)
    keep_heard(tx, office, victim, rules.in_order(known.words, speaking), asked)


def _words(session: Session, victim: VictimRow, ours: str) -> tuple[FactsKnown, Sequence[Asked], Speaking]:
    """All words about the facts of a victim, the requests that were sent here, and whose word they make count."""
    asked = referrals.asked_about(session, victim.id, ours)
    return known_facts(session, victim), asked, _speaking(victim, ours, asked)


def _speaking(victim: VictimRow, ours: str, asked: Sequence[Asked]) -> Speaking:
    """The standing of the agencies. A desk that rejects a duplicate works for the victim already."""
    taken_on = frozenset(one.sender for one in asked if one.duplicate or one.status not in NOT_TAKEN_ON)
    waiting = frozenset(one.sender for one in asked if one.status in UNANSWERED) - taken_on
    turned_away = frozenset(one.sender for one in asked if one.status in TURNED_AWAY) - waiting - taken_on
    return Speaking(ours, victim.custody_agency, waiting, turned_away)


def keep_heard(
    tx: Transaction,
    office: Office,
    victim: VictimRow,
    heard: FactsKnown,
    asked: Sequence[Asked] = (),
    passed_on: int = 0,
) -> None:
    """Keep the words, and tell the agencies that we asked, where we state other facts now."""
    before = facts_to_give(victim, office.code)
    _keep_words(tx.session, victim, heard, asked)
    _tell_if_other(tx, office, victim, before, passed_on)


def _keep_words(session: Session, victim: VictimRow, heard: FactsKnown, asked: Sequence[Asked]) -> None:
    """Keep the words. The case of a victim of others is the one that the agency names whose word counts."""
    keep_facts(session, victim, heard)
    theirs = next((one.case_id for one in asked if one.sender == heard.counts.agency), None)
    if theirs is not None and not victim.registered_here:
        victim.case_id = theirs


def _tell_if_other(tx: Transaction, office: Office, victim: VictimRow, before: VictimFacts, passed_on: int = 0) -> None:
    """Tell the agencies that we asked the facts that we state, where these were others ``before``.

    The custody holder tells others only what a person corrects. A word is passed on three times at most. Else it would
    go round for ever, where agencies have asked one another in a ring. What was not told goes on with the next word.
    """
    facts = facts_to_give(victim, office.code)
    victim.facts_untold = victim.facts_untold or facts != before
    if not victim.facts_untold or victim.custody_agency == office.code or passed_on >= MOST_PASSED_ON:
        return
    victim.facts_untold = False
    desk = office.speaker(tx.now.date())
    said = e.FactsCorrected(
        correction_id=new_id(),
        victim_id=victim.id,
        facts=facts,
        basis=FactsBasis.HEARD,
        passed_on=passed_on + 1,
        unit=desk,
        occurred_at=tx.now,
    )
    for agency in sorted(referrals.asked_by(tx.session, victim.id, office.code) - {victim.facts_from}):
        tx.emit(draft(said, agency, desk, victim_id=victim.id))


def facts_move(tx: Transaction, office: Office, victim: VictimRow, transfer: ReferralRow, holder: str) -> None:
    """Custody has moved to ``holder``: the holder's word counts. Where we hold it, its giver's word counts.

    Facts that come to us with the custody keep the transfer with which they came. Who hands custody on tells those that
    it asked what it kept to itself as the holder.
    """
    ours, giver, before = office.code, transfer.sender_agency, facts_to_give(victim, office.code)
    came = holder == ours != giver
    if came and victim.facts_from == giver and not (victim.facts_came_with or victim.facts_differ):
        victim.facts_came_with = transfer.id
    elif came or victim.facts_differ:
        known = rules.recount(known_facts(tx.session, victim), ours, holder, giver)
        keep_facts(tx.session, victim, rules.with_custody(known, ours, giver, transfer.id) if came else known)
    _tell_if_other(tx, office, victim, before)


def facts_go_back(
    tx: Transaction, office: Office, victim: VictimRow, transfer: ReferralRow, before: VictimFacts
) -> None:
    """The custody of a transfer was given back. The facts that came with it are those of a giver that was turned away.

    ``before``: the facts that we stated while we held the custody.
    """
    held, asked, speaking = _words(tx.session, victim, office.code)
    known = rules.without_custody(held, office.code, transfer.sender_agency, transfer.id)
    _keep_words(tx.session, victim, rules.in_order(known.words, speaking), asked)
    _tell_if_other(tx, office, victim, before)
