"""Coarse facts of a victim: whose word counts, the age for every rule, and what the holder settles."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.codes import AgeClass, Sex
from shared.contracts.types import VictimFacts
from shared.domain.facts import (
    FactsKnown,
    FactsWord,
    Speaking,
    agree,
    fills_in,
    hear,
    in_order,
    needs_second_person,
    recount,
    settle,
    with_custody,
    without_custody,
)

NOW = datetime(2026, 11, 1, tzinfo=UTC)
US, HOLDER, FIRST, THIRD = "one", "two", "three", "four"
HELD, OURS, UNKNOWN = (Speaking(US, holder) for holder in (HOLDER, US, None))
ADULT, CHILD = (VictimFacts(age_class=age, sex=Sex.FEMALE) for age in (AgeClass.ADULT, AgeClass.CHILD))
FACTS = st.builds(VictimFacts, age_class=st.sampled_from(AgeClass), sex=st.sampled_from(Sex),
                  home_region=st.sampled_from([None, "74.01", "11.01"]))  # fmt: skip


def word(agency: str, facts: VictimFacts, day: int = 0) -> FactsWord:
    return FactsWord(agency, facts, NOW + timedelta(days=day))


OF_THIRDS = st.lists(st.builds(word, st.sampled_from([FIRST, THIRD]), FACTS, st.integers(0, 9)), max_size=6)


@given(FACTS, OF_THIRDS, st.sampled_from([HELD, OURS, UNKNOWN]))
def test_our_own_word_counts_whatever_others_say(
    ours: VictimFacts, thirds: list[FactsWord], speaking: Speaking
) -> None:
    known = FactsKnown(word(US, ours))
    for one in thirds:
        known = hear(known, one, speaking)
    assert known.counts.facts == ours


@given(FACTS, st.lists(st.builds(word, st.sampled_from([FIRST, THIRD, HOLDER]), FACTS), min_size=1, max_size=8))
def test_the_holder_counts_before_others_and_the_age_with_most_protection_decides(
    first: VictimFacts, told: list[FactsWord]
) -> None:
    known, last = FactsKnown(word(FIRST, first)), {FIRST: first}
    for one in told:
        known = hear(known, one, HELD)
        last[one.agency] = one.facts
    assert known.counts.agency == (HOLDER if HOLDER in last else FIRST)
    assert known.counts.facts == last[known.counts.agency]
    if any(facts.age_class is not AgeClass.ADULT for facts in last.values()):
        assert known.rule_age is not AgeClass.ADULT
    else:
        assert known.rule_age is AgeClass.ADULT
    assert {one.agency for one in known.disputed} == {
        agency for agency, facts in last.items() if not agree(facts, known.counts.facts)
    }


@given(FACTS, OF_THIRDS, FACTS)
def test_a_correction_of_the_holder_settles_what_was_said_until_somebody_says_something_else(
    first: VictimFacts, thirds: list[FactsWord], corrected: VictimFacts
) -> None:
    known = FactsKnown(word(FIRST, first))
    for one in thirds:
        known = hear(known, one, HELD)
    settled = settle(known, word(HOLDER, corrected), US)
    assert (settled.counts.facts, settled.disputed, settled.rule_age) == (corrected, (), corrected.age_class)
    for one in settled.others:  # the same word again opens nothing
        settled = hear(settled, word(one.agency, one.facts, 5), HELD)
    assert settled.disputed == () and settled.rule_age is corrected.age_class


@given(FACTS, FACTS)
def test_what_came_with_the_custody_is_the_new_holders_to_change(given_over: VictimFacts, later: VictimFacts) -> None:
    taken_over = with_custody(FactsKnown(word(FIRST, given_over)), US, FIRST, "transfer")
    known = hear(taken_over, word(FIRST, later, 1), OURS)
    if fills_in(given_over, later):
        assert (known.counts.agency, known.counts.facts, known.others) == (FIRST, later, ())
        assert known.counts.came_with == "transfer"
    else:
        assert (known.counts.agency, known.counts.facts) == (US, given_over)
        assert [(one.agency, one.facts) for one in known.others] == [(FIRST, later)]
    # without custody, an agency changes its own word
    assert hear(FactsKnown(word(FIRST, given_over)), word(FIRST, later, 1), HELD).counts.facts == later
    # after the custody moved on, or went back to the giver
    assert hear(taken_over, word(FIRST, later, 1), HELD).counts.facts == (
        later if fills_in(given_over, later) else given_over
    )
    assert hear(taken_over, word(FIRST, later, 1), Speaking(US, FIRST)).counts.facts == later


@given(FACTS, FACTS)
def test_what_came_with_custody_that_was_given_back_is_the_givers_word(
    given_over: VictimFacts, later: VictimFacts
) -> None:
    known = hear(with_custody(FactsKnown(word(FIRST, given_over)), US, FIRST, "transfer"), word(FIRST, later, 1), OURS)
    back = without_custody(known, US, FIRST, "transfer")
    assert {one.agency for one in (back.counts, *back.others)} == {FIRST} and back.counts.came_with is None
    assert without_custody(known, US, FIRST, "another") == known
    ours = without_custody(with_custody(FactsKnown(word(US, given_over)), US, FIRST, "transfer"), US, FIRST, "transfer")
    assert ours.counts == word(US, given_over)


def test_facts_of_an_earlier_custody_last_behind_those_of_the_next_giver() -> None:
    known = hear(with_custody(FactsKnown(word(FIRST, CHILD)), US, FIRST, "first"), word(FIRST, ADULT, 1), OURS)
    known = hear(known, word(THIRD, ADULT, 2), Speaking(US, THIRD))
    assert known.counts.agency == THIRD and known.rule_age is AgeClass.CHILD
    again = with_custody(recount(known, US, THIRD), US, THIRD, "second")
    assert (again.counts.agency, again.counts.came_with) == (THIRD, "second")
    assert [(one.agency, one.came_with) for one in again.others] == [(US, "first"), (FIRST, None)]
    assert again.rule_age is AgeClass.CHILD


def test_only_a_sex_or_a_home_that_was_not_known_is_filled_in() -> None:
    plain = VictimFacts(age_class=AgeClass.CHILD, sex=Sex.UNSPECIFIED)
    girl = VictimFacts(age_class=AgeClass.CHILD, sex=Sex.FEMALE, home_region="74.01")
    assert fills_in(plain, girl) and fills_in(girl, girl)
    for other in ({"sex": Sex.MALE}, {"home_region": None}, {"home_region": "11.01"}, {"age_class": AgeClass.ADULT}):
        assert not fills_in(girl, girl.model_copy(update=other))
    assert not fills_in(girl, plain)


def test_the_first_to_speak_does_not_win() -> None:
    known = hear(FactsKnown(word(FIRST, ADULT)), word(THIRD, CHILD, 1), UNKNOWN)
    assert (known.counts.agency, known.rule_age) == (FIRST, AgeClass.CHILD)
    known = hear(FactsKnown(word(FIRST, ADULT)), word(HOLDER, CHILD, 1), HELD)
    assert (known.counts.agency, known.rule_age) == (HOLDER, AgeClass.CHILD)
    assert [one.agency for one in known.disputed] == [FIRST]


def test_an_agency_that_changes_its_word_leaves_those_that_agreed_with_it() -> None:
    known = hear(FactsKnown(word(FIRST, CHILD)), word(THIRD, CHILD, 1), UNKNOWN)
    assert known.disputed == ()
    known = hear(known, word(FIRST, ADULT, 2), UNKNOWN)
    assert (known.rule_age, [one.agency for one in known.disputed]) == (AgeClass.CHILD, [THIRD])


def test_with_the_custody_the_word_of_the_agency_that_hands_over_counts() -> None:
    known = hear(FactsKnown(word(FIRST, ADULT)), word(THIRD, CHILD, 1), UNKNOWN)
    known = recount(known, US, THIRD)
    assert (known.counts.agency, known.rule_age) == (THIRD, AgeClass.CHILD)
    assert recount(known, US, HOLDER) == known


def test_unknown_sex_or_home_contradicts_nobody_and_two_sexes_do() -> None:
    plain = VictimFacts(age_class=AgeClass.ADULT, sex=Sex.UNSPECIFIED)
    man = VictimFacts(age_class=AgeClass.ADULT, sex=Sex.MALE, home_region="11.01")
    assert hear(FactsKnown(word(FIRST, ADULT)), word(THIRD, plain), UNKNOWN).disputed == ()
    known = hear(FactsKnown(word(FIRST, ADULT)), word(THIRD, man), UNKNOWN)
    assert known.sex_disputed and known.rule_age is AgeClass.ADULT
    assert not settle(known, word(US, ADULT), US).sex_disputed


ADULT_MAN = VictimFacts(age_class=AgeClass.ADULT, sex=Sex.MALE, home_region="11.01")
GIRL = VictimFacts(age_class=AgeClass.CHILD, sex=Sex.FEMALE, home_region="74.01")


@given(FACTS, FACTS, st.booleans())
def test_the_word_of_an_agency_that_was_taken_on_counts_before_one_that_waits(
    taken_on: VictimFacts, waiting: VictimFacts, waits_first: bool
) -> None:
    words = [word(FIRST, taken_on), word(THIRD, waiting)]
    first, second = words[::-1] if waits_first else words
    known = hear(FactsKnown(first), second, Speaking(US, None, waiting=frozenset({THIRD})))
    assert (known.counts.agency, known.counts.waiting) == (FIRST, False)
    # nothing but the protection of a child comes from the word that waits
    assert not known.sex_disputed and not known.home_disputed
    child = {AgeClass.CHILD, AgeClass.UNKNOWN} & {taken_on.age_class, waiting.age_class}
    assert (known.rule_age is AgeClass.ADULT) == (not child)


@pytest.mark.parametrize("turned_away", [FIRST, THIRD])
def test_the_word_of_an_agency_that_was_turned_away_is_dropped(turned_away: str) -> None:
    speaking = Speaking(
        US, None, waiting=frozenset({FIRST, THIRD}) - {turned_away}, turned_away=frozenset({turned_away})
    )
    known = hear(FactsKnown(word(FIRST, ADULT_MAN)), word(THIRD, GIRL, 1), speaking)
    [left] = {FIRST, THIRD} - {turned_away}
    assert (known.counts.agency, known.others) == (left, ())
    assert known.rule_age is known.counts.facts.age_class


def test_the_only_word_of_a_victim_stands_though_its_agency_was_turned_away() -> None:
    alone = FactsKnown(word(FIRST, ADULT_MAN))
    assert in_order([alone.counts], Speaking(US, None, turned_away=frozenset({FIRST}))) == alone


def test_of_two_agencies_that_were_taken_on_the_first_goes_on_to_count_and_both_are_told() -> None:
    known = hear(FactsKnown(word(FIRST, ADULT_MAN)), word(THIRD, GIRL, 1), UNKNOWN)
    assert (known.counts.agency, known.rule_age) == (FIRST, AgeClass.CHILD)
    assert known.sex_disputed and known.home_disputed
    again = hear(known, word(FIRST, ADULT_MAN, 2), UNKNOWN)
    assert (again.counts.agency, [one.agency for one in again.disputed]) == (FIRST, [THIRD])


def test_a_settled_word_counts_again_when_its_agency_says_something_else() -> None:
    settled = settle(FactsKnown(word(FIRST, ADULT_MAN)), word(US, GIRL), US)
    known = hear(settled, word(THIRD, ADULT_MAN, 1), UNKNOWN)
    assert [one.agency for one in known.disputed] == [THIRD]
    known = hear(known, word(FIRST, ADULT, 2), UNKNOWN)
    assert (known.counts.agency, {one.agency for one in known.disputed}) == (US, {FIRST, THIRD})


@pytest.mark.parametrize("age", AgeClass)
def test_only_the_end_of_protection_needs_a_second_person(age: AgeClass) -> None:
    assert needs_second_person(age, AgeClass.ADULT) == (age is not AgeClass.ADULT)
    assert not needs_second_person(age, AgeClass.CHILD)
