"""The coarse facts of a victim: whose word counts, and what every rule goes by while two words differ.

The custody holder's word counts before that of others. Where two agencies differ, the stricter word decides. A child
for one agency is a child for every rule, until the custody holder settles it.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import Field

from shared.contracts.codes import AgeClass, FactsBasis, Sex
from shared.contracts.types import Id, Region, VictimFacts
from shared.domain.commands import Asked, Command, example
from shared.domain.words import Speakers

STRICTEST = (AgeClass.CHILD, AgeClass.UNKNOWN, AgeClass.ADULT)
"""The age classes, the one with the most protection first."""


class CorrectFacts(Command):
    """The custody holder corrects the coarse facts of a victim, and settles what others say. A field not sent stays.

    Where the victim was treated as a child and becomes an adult, a second person must confirm it.
    """

    model_config = example(age_class="child", basis="age-assessment")

    age_class: AgeClass | None = None
    sex: Sex | None = None
    home_region: Region | None = None
    basis: FactsBasis


class ConfirmFacts(Asked):
    """A second person confirms a correction that makes a child an adult."""

    model_config = example(correction_id="0193f0a2-7a10-7000-8000-000000000001")

    correction_id: Id = Field(description="The correction, as answered to the person that asked for it.")


@dataclass(frozen=True, slots=True)
class FactsWord:
    """The facts of a victim as one agency states them, and when its word came here (UTC)."""

    agency: str
    facts: VictimFacts
    at: datetime
    settled: bool = False
    """The custody holder has settled this word: it counts no more, until the agency says something else."""


@dataclass(frozen=True, slots=True)
class FactsKnown:
    """All words about the facts of a victim: the one that counts, and those of other agencies."""

    counts: FactsWord
    others: tuple[FactsWord, ...] = ()

    @property
    def disputed(self) -> tuple[FactsWord, ...]:
        """The words that differ and that nobody has settled."""
        return tuple(word for word in self.others if not word.settled and not agree(word.facts, self.counts.facts))

    @property
    def rule_age(self) -> AgeClass:
        """The age class for every rule: the one with the most protection that any agency states."""
        return min((word.facts.age_class for word in (self.counts, *self.disputed)), key=STRICTEST.index)

    @property
    def sex_disputed(self) -> bool:
        """Whether two agencies state different sexes."""
        stated = {word.facts.sex for word in (self.counts, *self.disputed)} - {Sex.UNSPECIFIED}
        return len(stated) > 1


def agree(one: VictimFacts, other: VictimFacts) -> bool:
    """Whether two words about a victim do not contradict. An agency that knows no sex or home contradicts nobody."""
    return (
        one.age_class is other.age_class
        and (one.sex is other.sex or Sex.UNSPECIFIED in (one.sex, other.sex))
        and (one.home_region == other.home_region or None in (one.home_region, other.home_region))
    )


def hear(known: FactsKnown, word: FactsWord, speakers: Speakers) -> FactsKnown:
    """Another agency states the facts. Its earlier word is replaced.

    Our own word counts first, then that of the custody holder, then the one that came first.
    """
    if word.agency == known.counts.agency:
        return FactsKnown(word, known.others)
    others = [one for one in known.others if one.agency != word.agency]
    if word.agency == speakers.holder and known.counts.agency != speakers.ours:
        return FactsKnown(word, (known.counts, *others))
    repeated = any(one.agency == word.agency and one.facts == word.facts for one in known.others)
    return known if repeated else FactsKnown(known.counts, (*others, word))


def settle(known: FactsKnown, word: FactsWord) -> FactsKnown:
    """The custody holder corrects the facts: its word counts, and what others have said so far is settled."""
    others = [one for one in (known.counts, *known.others) if one.agency != word.agency]
    return FactsKnown(word, tuple(replace(one, settled=True) for one in others))


def recount(known: FactsKnown, *order: str) -> FactsKnown:
    """Custody has moved: the word of the first of these agencies that has one counts. Nothing is settled by that."""
    for agency in order:
        if agency == known.counts.agency:
            return known
        theirs = next((one for one in known.others if one.agency == agency), None)
        if theirs is not None:
            others = [one for one in known.others if one.agency != agency]
            return FactsKnown(replace(theirs, settled=False), (known.counts, *others))
    return known


def needs_second_person(rule_age: AgeClass, corrected: VictimFacts) -> bool:
    """Whether a correction takes the protection of a child away, so that a second person must confirm it."""
    return corrected.age_class is AgeClass.ADULT and rule_age is not AgeClass.ADULT
