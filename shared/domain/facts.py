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
    settled_by: str | None = None
    """The agency whose correction has settled this word: it counts no more, until its agency says something else."""
    waiting: bool = False
    """Nobody here has taken a referral of the agency on. The word protects a child, and decides nothing else."""
    came_with: str | None = None
    """The id of the transfer with which the word came, together with the custody. As a word of ours, its giver says
    otherwise now."""

    @property
    def settled(self) -> bool:
        """Whether a correction has settled this word."""
        return self.settled_by is not None


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
        """The standing of a word. Facts that came with a custody are the holder's word as long as we hold it."""
        if word.came_with is not None and self.ours == self.holder:
            return Standing.HOLDER
        lost = word.came_with is not None and word.agency == self.ours
        return Standing.TAKEN_ON if lost else self.standing(word.agency)


@dataclass(frozen=True, slots=True)
class FactsKnown:
    """All words about the facts of a victim: the one that counts, and those of other agencies."""

    counts: FactsWord
    others: tuple[FactsWord, ...] = ()

    @property
    def words(self) -> tuple[FactsWord, ...]:
        """All words, the one that counts first."""
        return self.counts, *self.others

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
    before = next((one for one in known.words if one.agency == word.agency and not _lasts(one, speaking.ours)), None)
    if before is None:
        return in_order((*known.words, word), speaking)
    if before.facts == word.facts:
        return in_order(known.words, speaking)
    said: tuple[FactsWord, ...] = (word,)
    if before.came_with is not None and word.agency != speaking.holder:
        filled_in = fills_in(before.facts, word.facts)
        said = (
            (replace(word, came_with=before.came_with),) if filled_in else (replace(before, agency=speaking.ours), word)
        )
    words = [one for place in known.words for one in (said if place is before else (place,))]
    return in_order(words, speaking)


def _lasts(word: FactsWord, ours: str) -> bool:
    """Whether a word came with a custody, and its giver has said otherwise since."""
    return word.agency == ours and word.came_with is not None


def leave_out(known: FactsKnown, agency: str, speaking: Speaking) -> FactsKnown:
    """An agency repeats what we told it: it has no word of its own beside ours. What came with a custody lasts."""
    words = [
        replace(one, agency=speaking.ours) if one.agency == agency and one.came_with is not None else one
        for one in known.words
        if one is known.counts or one.agency != agency or one.came_with is not None
    ]
    return in_order(words, speaking)


def in_order(words: Sequence[FactsWord], speaking: Speaking) -> FactsKnown:
    """The words by the standing of their agencies. Of equal standing, the word that counted before counts.

    ``words``: the one that counted before is the first. The word of an agency that was turned away is dropped, unless
    it came with a custody.
    """
    told = [replace(one, waiting=speaking.standing(one.agency) is Standing.WAITING) for one in words]
    kept = [one for one in told if one.came_with or speaking.standing(one.agency) is not Standing.TURNED_AWAY]
    kept = kept or told[:1]
    first, *others = sorted(kept, key=lambda one: (one.settled, speaking.of(one)))
    return FactsKnown(first, tuple(others))


def settle(known: FactsKnown, word: FactsWord, ours: str) -> FactsKnown:
    """The facts are corrected: this word counts, and what others have said so far is settled.

    What another agency has settled stays settled by that agency, whatever we correct.
    """
    others = [
        replace(
            one,
            settled_by=word.agency if word.agency != ours else one.settled_by or ours,
            agency=ours if one.agency == word.agency else one.agency,
        )
        for one in known.words
        if one.agency != word.agency or one.came_with is not None
    ]
    return FactsKnown(word, tuple(others))


def recount(known: FactsKnown, ours: str, *order: str) -> FactsKnown:
    """Custody has moved: the word of the first of these agencies that has one counts. Nothing is settled by that.

    ``ours`` comes first with what its own people have said, and not with facts that came with an earlier custody.
    """
    for agency in (ours, *order):
        for word in known.words:
            if word.agency == agency and not (agency == ours and (word.settled or word.came_with)):
                return FactsKnown(replace(word, settled_by=None), tuple(one for one in known.words if one is not word))
    return known


def with_custody(known: FactsKnown, ours: str, giver: str, transfer: str) -> FactsKnown:
    """The word of the giver has come with the custody of this transfer. What came with an earlier custody lasts.

    A giver without a word has repeated what we told it. Then the facts that count have come, as our own word.
    """
    said = next((one for one in known.words if one.agency == giver), None)
    if said is None and known.counts.agency != ours:
        came = replace(known.counts, agency=ours, came_with=transfer, waiting=False)
        return FactsKnown(came, known.words)
    words = [replace(one, came_with=transfer) if one is said else one for one in known.words]
    earlier = [replace(said, agency=ours)] if said is not None and said.came_with is not None else []
    return FactsKnown(words[0], (*words[1:], *earlier))


def without_custody(known: FactsKnown, ours: str, giver: str, transfer: str) -> FactsKnown:
    """The custody of a transfer is given back. The facts that came with it are the word of their giver again.

    A later word of the giver stands instead. What we settled is open again: without custody we settle nothing.
    """
    said_since = any(one.agency == giver for one in known.words)
    words = [
        replace(one, agency=giver, came_with=None) if one.came_with == transfer else one
        for one in known.words
        if not (_lasts(one, ours) and one.came_with == transfer and said_since)
    ]
    first, *others = [replace(one, settled_by=None) if one.settled_by == ours else one for one in words]
    return FactsKnown(first, tuple(others))


def needs_second_person(before: AgeClass, after: AgeClass) -> bool:
    """Whether a correction takes the protection of a child away, so that a second person must confirm it.

    ``before`` and ``after``: the age class for every rule.
    """
    return after is AgeClass.ADULT and before is not AgeClass.ADULT
