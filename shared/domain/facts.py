"""The coarse facts of a victim: whose word counts, and what every rule goes by while two words differ.

The custody holder's word counts before that of others. Where two agencies differ, the stricter word decides. A child
for one agency is a child for every rule, until a correction settles it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum
from typing import Literal

from pydantic import Field

from shared.contracts.codes import AgeClass, FactsBasis, Sex
from shared.contracts.types import Id, Region, VictimFacts
from shared.domain.commands import Asked, Command, example

STRICTEST = (AgeClass.CHILD, AgeClass.UNKNOWN, AgeClass.ADULT)
"""The age classes, the one with the most protection first."""


class CorrectFacts(Command):
    """Correct the coarse facts of a victim. A field not sent stays.

    The custody holder settles what others say. Where no custody is known, the word is this agency's own.

    Where the victim was treated as a child and becomes an adult, a second person must confirm it.
    """

    model_config = example(age_class="child", basis="age-assessment")

    age_class: AgeClass | None = None
    sex: Sex | None = None
    home_region: Region | None = None
    basis: Literal[FactsBasis.DOCUMENT, FactsBasis.AGE_ASSESSMENT, FactsBasis.OWN_WORD, FactsBasis.MISTAKE]


class ConfirmFacts(Asked):
    """A second person confirms a correction that makes a child an adult."""

    model_config = example(correction_id="0193f0a2-7a10-7000-8000-000000000001")

    correction_id: Id = Field(description="The correction, as answered to the person that asked for it.")


class Standing(IntEnum):
    """The order in which the words of agencies about the facts count, the first one first."""

    OURS = 0
    HOLDER = 1
    TAKEN_ON = 2
    """A person here has taken on a referral of the agency."""
    WAITING = 3
    """Nobody here has answered the agency yet."""
    TURNED_AWAY = 4
    """Every request of the agency was rejected or taken back. Its word counts only while nobody else speaks."""


@dataclass(frozen=True, slots=True)
class FactsWord:
    """The facts of a victim as one agency states them, and when its word came here (UTC)."""

    agency: str
    facts: VictimFacts
    at: datetime
    settled: bool = False
    """A correction has settled this word: it counts no more, until the agency says something else."""
    waiting: bool = False
    """Nobody here has taken a referral of the agency on. The word protects a child, and decides nothing else."""
    came_with: str | None = None
    """The id of the transfer with which the word came, together with the custody."""


@dataclass(frozen=True, slots=True)
class Speaking:
    """The agencies that may speak of a victim at the agency ``ours``: by custody, and by the requests sent there.

    An agency without a request held custody once; it stands as one that was taken on.
    """

    ours: str
    holder: str | None
    waiting: frozenset[str] = frozenset()
    turned_away: frozenset[str] = frozenset()

    def standing(self, agency: str) -> Standing:
        """The standing of an agency here."""
        if agency == self.ours:
            return Standing.OURS
        if agency == self.holder:
            return Standing.HOLDER
        if agency in self.turned_away:
            return Standing.TURNED_AWAY
        return Standing.WAITING if agency in self.waiting else Standing.TAKEN_ON

    def of(self, word: FactsWord) -> Standing:
        """The standing of a word. Facts that came with a custody are our own no longer than we hold it."""
        lost = word.agency == self.ours != self.holder and word.came_with is not None
        return Standing.TAKEN_ON if lost else self.standing(word.agency)


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
        return len(self._stated(lambda facts: facts.sex) - {Sex.UNSPECIFIED}) > 1

    @property
    def home_disputed(self) -> bool:
        """Whether two agencies state different home regions."""
        return len(self._stated(lambda facts: facts.home_region) - {None}) > 1

    def _stated(self, field: Callable[[VictimFacts], str | None]) -> set[str | None]:
        """The values of a field. A word that waits counts where no other is known."""
        heard = [self.counts, *(word for word in self.disputed if not word.waiting)]
        return {field(word.facts) for word in heard}


def agree(one: VictimFacts, other: VictimFacts) -> bool:
    """Whether two words about a victim do not contradict. An agency that knows no sex or home contradicts nobody."""
    return (
        one.age_class is other.age_class
        and (one.sex is other.sex or Sex.UNSPECIFIED in (one.sex, other.sex))
        and (one.home_region == other.home_region or None in (one.home_region, other.home_region))
    )


def fills_in(before: VictimFacts, after: VictimFacts) -> bool:
    """Whether a word only adds a sex or a home to the word before it, and changes nothing."""
    return (
        after.age_class is before.age_class
        and before.sex in (after.sex, Sex.UNSPECIFIED)
        and before.home_region in (after.home_region, None)
    )


def hear(known: FactsKnown, word: FactsWord, speaking: Speaking) -> FactsKnown:
    """An agency states the facts. Its earlier word is replaced.

    Who accepted a custody answers for the facts that came with it. Where their giver says otherwise later, they are our
    own word from then on. So no former holder takes the protection of a child away.
    """
    counts, ours = known.counts, speaking.ours
    if word.agency != counts.agency:
        if any(one.agency == word.agency and one.facts == word.facts for one in known.others):
            return in_order((counts, *known.others), speaking)
        others = [one for one in known.others if one.agency != word.agency]
        return in_order((counts, *others, word), speaking)
    if counts.came_with is None or word.agency in (ours, speaking.holder):
        return in_order((word, *known.others), speaking)
    if fills_in(counts.facts, word.facts):
        return in_order((replace(word, came_with=counts.came_with), *known.others), speaking)
    others = [one for one in known.others if one.agency != ours]
    return in_order((replace(counts, agency=ours), word, *others), speaking)


def in_order(words: Sequence[FactsWord], speaking: Speaking) -> FactsKnown:
    """The words by the standing of their agencies. Of equal standing, the word that counted before counts.

    ``words``: the one that counted before is the first. The word of an agency that was turned away is dropped.
    """
    told = [replace(one, waiting=speaking.standing(one.agency) is Standing.WAITING) for one in words]
    kept = [one for one in told if speaking.standing(one.agency) is not Standing.TURNED_AWAY] or told[:1]
    first, *others = sorted(kept, key=lambda one: (one.settled, speaking.of(one)))
    return FactsKnown(first, tuple(others))


def settle(known: FactsKnown, word: FactsWord) -> FactsKnown:
    """The facts are corrected: this word counts, and what others have said so far is settled."""
    others = [one for one in (known.counts, *known.others) if one.agency != word.agency]
    return FactsKnown(word, tuple(replace(one, settled=True) for one in others))


def recount(known: FactsKnown, ours: str, *order: str) -> FactsKnown:
    """Custody has moved: the word of the first of these agencies that has one counts. Nothing is settled by that.

    ``ours`` comes first with what its own people have said, and not with facts that came with an earlier custody.
    """
    words = (known.counts, *known.others)
    for agency in (ours, *order):
        for word in words:
            if word.agency == agency and not (agency == ours and word.came_with):
                return FactsKnown(replace(word, settled=False), tuple(one for one in words if one is not word))
    return known


def with_custody(known: FactsKnown, ours: str, transfer: str) -> FactsKnown:
    """The facts of ``known`` have come with the custody of this transfer, unless our own people have stated them."""
    counts = known.counts
    if counts.agency == ours and counts.came_with is None:
        return known
    others = tuple(one for one in known.others if one.agency != ours)  # they came with an earlier custody
    return FactsKnown(replace(counts, came_with=transfer), others)


def without_custody(known: FactsKnown, ours: str, giver: str, transfer: str) -> FactsKnown:
    """The custody of a transfer is given back. The facts that came with it are the word of their giver again."""
    words = [
        replace(one, agency=giver if one.agency == ours else one.agency, came_with=None)
        if one.came_with == transfer
        else one
        for one in (known.counts, *known.others)
    ]
    by_agency: dict[str, FactsWord] = {}
    for one in words:
        by_agency.setdefault(one.agency, one)
    first, *others = by_agency.values()
    return FactsKnown(first, tuple(others))


def needs_second_person(before: AgeClass, after: AgeClass) -> bool:
    """Whether a correction takes the protection of a child away, so that a second person must confirm it.

    ``before`` and ``after``: the age class for every rule.
    """
    return after is AgeClass.ADULT and before is not AgeClass.ADULT
