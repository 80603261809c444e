"""Whose word counts: the order of sources, what differs, and what is passed on."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.words import Source, Speakers, Weight, Words, counting, differing, words
from shared.domain.words import to_give_on as goes_on

START = datetime(2026, 11, 1, tzinfo=UTC)
FIELDS = ("name", "phone", "address")
US, HOLDER, FIRST, THIRD = "one", "two", "three", "four"


def to_give_on(said: Words, known: Speakers) -> dict[str, str]:
    return {name: one.value for name, one in goes_on(said, known).items()}


def at(day: int) -> datetime:
    return START + timedelta(days=day)


def speakers(holder: str | None) -> Speakers:
    return Speakers("01900000-0000-7000-8000-000000000002", US, holder)


OF_OTHERS = st.lists(
    st.builds(
        Source,
        agency=st.sampled_from([HOLDER, FIRST, THIRD]),
        at=st.integers(0, 30).map(at),
        fields=st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(["a", "b", "c"])),
    ),
    max_size=8,
)
OF_THIRDS = OF_OTHERS.map(lambda sources: [one for one in sources if one.agency != HOLDER])
WRITTEN = st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(["a", "b", "ours"]))


@given(OF_OTHERS, WRITTEN, st.sampled_from([US, HOLDER, None]), st.integers(0, 8))
def test_what_we_wrote_counts_and_is_passed_on_whatever_others_say(
    others: list[Source], ours: dict[str, str], holder: str | None, place: int
) -> None:
    told = [*others[:place], Source(US, at(0), ours), *others[place:]]
    said = words(told, speakers(holder))
    assert {name: counting(said)[name] for name in ours} == ours
    assert {name: to_give_on(said, speakers(holder))[name] for name in ours} == ours


@given(OF_THIRDS, WRITTEN)
def test_with_a_known_holder_nothing_of_a_third_is_passed_on(thirds: list[Source], theirs: dict[str, str]) -> None:
    known = speakers(HOLDER)
    said = words([*thirds, Source(HOLDER, at(0), theirs), *thirds], known)
    assert to_give_on(said, known) == theirs
    assert {name: counting(said)[name] for name in theirs} == theirs


@given(OF_OTHERS, WRITTEN)
def test_the_holder_passes_on_its_own_words_and_what_came_with_the_custody(
    others: list[Source], handed: dict[str, str]
) -> None:
    told = [Source(FIRST, at(0), handed, handed_over=True), *others]
    assert to_give_on(words(told, speakers(US)), speakers(US)) == handed
    assert to_give_on(words(others, speakers(US)), speakers(US)) == {}


@given(OF_OTHERS)
def test_a_difference_is_shown_with_every_word(others: list[Source]) -> None:
    said = words(others, speakers(None))
    for name, values in said.items():
        stated = {one.agency: {o.fields[name] for o in others if o.agency == one.agency and name in o.fields}
                  for one in values}  # fmt: skip
        assert stated.keys() == {one.agency for one in others if name in one.fields}
        assert all(one.value in stated[one.agency] for one in values)
        assert (name in differing(said)) == (len({one.value for one in values}) > 1)


def test_of_equal_weight_the_later_word_counts_and_of_each_agency_one() -> None:
    told = [
        Source(FIRST, at(1), {"name": "a"}),
        Source(THIRD, at(2), {"name": "b"}),
        Source(FIRST, at(3), {"name": "c"}),
    ]
    assert [(one.agency, one.value) for one in words(told, speakers(None))["name"]] == [(FIRST, "c"), (THIRD, "b")]


@given(OF_OTHERS, WRITTEN)
def test_without_a_known_holder_goes_on_only_the_word_of_the_one_agency_that_speaks(
    others: list[Source], ours: dict[str, str]
) -> None:
    unknown = speakers(None)
    with_ours = [*others, Source(US, at(0), ours)]
    given_on = to_give_on(words(with_ours, unknown), unknown)
    if len({one.agency for one in others if one.fields}) == 1:
        assert given_on == counting(words(with_ours, unknown))
    else:  # also what two of them state alike: one may repeat the lie of the other
        assert given_on == ours


def test_two_spellings_of_one_number_or_name_do_not_differ() -> None:
    told = [Source(FIRST, at(1), {"phone": "+628000000005", "name": "Melati  rekaan"}),
            Source(THIRD, at(2), {"phone": "08000000005", "name": "melati Rekaan"})]  # fmt: skip
    assert differing(words(told, speakers(None))) == {}


def test_a_court_sees_the_text_under_a_legal_hold_first() -> None:
    told = [Source(THIRD, at(1), {"name": "a"}, for_court=True), Source(US, at(2), {"name": "b"})]
    said = words(told, speakers(US))
    assert [(one.value, one.weight) for one in said["name"]] == [("a", Weight.COURT), ("b", Weight.OURS)]
