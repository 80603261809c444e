"""The facts of a victim in and out of their rows: the word that counts, and the words of others."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlmodel import Session, col

from shared.contracts.codes import AgeClass
from shared.contracts.types import VictimFacts
from shared.domain import facts as rules
from shared.domain.facts import FactsKnown, FactsWord
from shared.victims.register.store import speakers_of
from shared.victims.register.tables import FactsCorrectionRow, FactsWordRow, VictimRow


def facts_of(row: VictimRow | FactsWordRow | FactsCorrectionRow) -> VictimFacts:
    """The facts in a row, as the agency of that row states them."""
    return VictimFacts.model_validate({"age_class": row.age_class, "sex": row.sex, "home_region": row.home_region})


def facts_for_rules(victim: VictimRow) -> VictimFacts:
    """The facts that every rule goes by, and that we tell others: the age class with the most protection."""
    return facts_of(victim).model_copy(update={"age_class": AgeClass(victim.rule_age)})


def first_facts(facts: VictimFacts, agency: str, now: datetime) -> dict[str, Any]:
    """The columns of a new victim's facts, as an agency states them. ``now``: UTC."""
    return {**dict(facts), "facts_from": agency, "facts_at": now, "rule_age": facts.age_class}


def known_facts(session: Session, victim: VictimRow) -> FactsKnown:
    """All words about the facts of a victim, those of others in the order in which they came."""
    theirs = select(FactsWordRow).where(col(FactsWordRow.victim_id) == victim.id)
    others = session.scalars(theirs.order_by(col(FactsWordRow.at), col(FactsWordRow.agency)))
    return FactsKnown(
        FactsWord(victim.facts_from, facts_of(victim), victim.facts_at),
        tuple(FactsWord(row.agency, facts_of(row), row.at, row.settled) for row in others),
    )


def keep_facts(session: Session, victim: VictimRow, known: FactsKnown) -> None:
    """Write the words about the facts of a victim into their rows."""
    counts = known.counts
    victim.age_class, victim.sex, victim.home_region = dict(counts.facts).values()
    victim.facts_from, victim.facts_at = counts.agency, counts.at
    victim.rule_age, victim.sex_disputed, victim.facts_differ = known.rule_age, known.sex_disputed, bool(known.disputed)
    session.execute(delete(FactsWordRow).where(col(FactsWordRow.victim_id) == victim.id))
    session.add_all(
        FactsWordRow(victim_id=victim.id, agency=one.agency, at=one.at, settled=one.settled, **dict(one.facts))
        for one in known.others
    )


def hear_facts(session: Session, victim: VictimRow, ours: str, word: FactsWord) -> None:
    """Another agency states the facts of a victim that is known here.

    Usually the agency repeats its own word, and no further row is read.
    """
    if word.agency == victim.facts_from and word.facts == facts_of(victim):
        return
    known = known_facts(session, victim)
    if (heard := rules.hear(known, word, speakers_of(victim, ours))) != known:
        keep_facts(session, victim, heard)


def recount_facts(session: Session, victim: VictimRow, *order: str) -> None:
    """Custody has moved: the word of the first of these agencies counts, where an agency says otherwise."""
    if victim.facts_differ:
        keep_facts(session, victim, rules.recount(known_facts(session, victim), *order))
