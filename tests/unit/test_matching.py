"""Signs that two records show one person: the same number or name in any spelling, and never another's."""

import itertools

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.contracts.codes import MatchKind, MatchState, MatchStrength, MatchTurn, SamePerson
from shared.domain.identity import Identity
from shared.domain.matching import (
    COMMON,
    MATCH_TOKEN,
    are_match_tokens,
    identifies,
    is_search,
    kind_of,
    match_token,
    may_complete_search,
    normalised,
    searches,
    shown_of_other,
    state,
    strength,
    too_many,
    turn,
)
from shared.domain.normalise import PARTICLES, normalise_name

NIKS = st.from_regex(r"[1-9][0-9]{15}", fullmatch=True)
WORDS = st.lists(st.from_regex(r"[a-z]{3,10}", fullmatch=True), min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("Siti Noerhaliza", "ST. NURHALIZA"),
        ("Djoko Soesilo", "Joko Susilo"),
        ("Tjipto Mangoenkoesoemo", "Cipto Mangunkusumo"),
        ("Jusuf bin Achmad", "Yusuf Akhmad"),
        ("Mochammad Rizqi", "Muhammad Rizki"),
        ("Moh. Taufiq", "Taufik, Muhamad"),
        ("Ma'ruf", "Ma’ruf"),
        ("Hj. Aisyah binti Rahmat", "Aisyah Rahmat"),
        ("Budhi Santoso", "Budi  SANTOSO"),
        ("Annisa", "Anisa"),
        ("José Rekaan", "Jose\u0301 Rekaan"),
        ("Ｄｅｗｉ", "Dewi"),
    ],
)
def test_two_spellings_of_a_name_meet(one: str, another: str) -> None:
    assert normalise_name(one) == normalise_name(another)


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("Dewi Lestari", "Dewa Lestari"),
        ("Siti", "Sita"),
        ("Budi", "Rudi"),
        ("Ahmad Budi", "Ahmad Badu"),
        ("Ani", "Ina"),
    ],
)
def test_two_names_do_not(one: str, another: str) -> None:
    assert normalise_name(one) != normalise_name(another)


@given(st.text(max_size=60))
def test_a_spelling_is_spelt_as_it_is(text: str) -> None:
    try:
        once = normalise_name(text)
    except ValueError as error:
        assert not text.strip() or text not in str(error)
        return
    assert normalise_name(once) == once


@given(WORDS)
def test_neither_order_nor_capitals_nor_marks_nor_particles_make_another_name(words: list[str]) -> None:
    mixed = [f"{word.upper()}." for word in reversed(words)]
    written = ", ".join(mixed)
    assert normalise_name(written) == normalise_name(" ".join(words))
    assume(not set(words) & PARTICLES)
    assert normalise_name("Hj. " + " binti ".join(words)) == normalise_name(" ".join(words))


@pytest.mark.parametrize("text", ["", " ", "...", "123", "'"])
def test_what_has_no_letters_is_no_name(text: str) -> None:
    with pytest.raises(ValueError, match="a name has letters"):
        normalise_name(text)


@given(NIKS, NIKS)
def test_two_numbers_never_meet(one: str, another: str) -> None:
    assume(one != another)
    assert normalised({"nik": one}) != normalised({"nik": another})


def test_only_what_is_whole_shows_somebody() -> None:
    assert normalised({"name": "Siti"}) == normalised({"born_on": "1999-07-01"}) == normalised({}) == {}
    assert normalised({"address": "Jalan Rekaan", "statement": "Rekaan"}) == {}
    assert normalised({"nik": "0000000000000000", "passport": "X0000000"}) == {}  # what is typed where there is none
    assert normalised({"phone": "110"}) == {}
    numbers = {"nik": "7401014107990001", "passport": "x 1234567", "phone": "0812-3456-7890"}
    assert normalised({"name": "Siti", "born_on": "1999-07-01", **numbers}) == {
        MatchKind.NIK: "7401014107990001",
        MatchKind.PASSPORT: "X1234567",
        MatchKind.PHONE: "+6281234567890",
        MatchKind.NAME_AND_BIRTH: "siti\n1999-07-01",
    }


def test_a_match_token_says_its_key_and_kind_and_holds_160_bits() -> None:
    made = match_token(3, MatchKind.NAME_AND_BIRTH, "ab" * 32)
    assert made == "3.name-and-birth." + "ab" * 20 and MATCH_TOKEN.fullmatch(made)
    assert kind_of(made) is MatchKind.NAME_AND_BIRTH and are_match_tokens({"name-and-birth": made})
    for wrong in ({"nik": made}, {"name-and-birth": made + "a"}, {"name-and-birth": "Siti"}, {"nik": "3.name.x"}):
        assert not are_match_tokens(wrong)


def test_an_exact_number_says_much_and_two_things_that_say_little_as_much() -> None:
    assert strength([MatchKind.NIK]) is strength([MatchKind.PASSPORT]) is MatchStrength.STRONG
    assert strength([MatchKind.PHONE]) is strength([MatchKind.NAME_AND_BIRTH]) is MatchStrength.POSSIBLE
    assert strength([MatchKind.PHONE, MatchKind.NAME_AND_BIRTH]) is MatchStrength.STRONG


def test_two_make_a_link_and_one_can_close_it() -> None:
    for one, another in itertools.product([None, *SamePerson], repeat=2):
        found = state(one, another)
        assert found == state(another, one)
        assert (found is MatchState.LINKED) == (one == another == SamePerson.SAME)
        assert (found is MatchState.CLOSED) == (SamePerson.DIFFERENT in (one, another))


def test_one_side_is_asked_first_then_the_other_and_then_nobody() -> None:
    for one, another in itertools.product([None, *SamePerson], repeat=2):
        first, second = turn(True, one, another), turn(False, another, one)
        asked = {first, second}
        assert asked == ({None} if one and another else {MatchTurn.THIS_SIDE, MatchTurn.OTHER_SIDE})
        if one is None and another is None:
            assert first is MatchTurn.THIS_SIDE
        elif one is None or another is None:
            assert (first is MatchTurn.THIS_SIDE) == (one is None)


def test_the_other_sides_decision_is_shown_only_where_it_closes_or_links() -> None:
    same, different, cannot = SamePerson.SAME, SamePerson.DIFFERENT, SamePerson.CANNOT_TELL
    shown = {(one, another): shown_of_other(one, another) for one in (None, *SamePerson) for another in SamePerson}
    assert {pair for pair, told in shown.items() if told is not None} == {
        (same, same), *((one, different) for one in (None, same, different, cannot))
    }  # fmt: skip
    assert all(told in (None, another) for (_, another), told in shown.items())


def test_a_number_always_shows_somebody_and_a_crowded_telephone_nobody() -> None:
    crowd, spread = {"there": COMMON}, {f"desk-{number}": 1 for number in range(COMMON)}
    for kind in MatchKind:
        strong = kind in (MatchKind.NIK, MatchKind.PASSPORT)
        assert identifies(kind, {"here": 1, "there": COMMON - 1}, "here", "there")
        assert identifies(kind, {"here": 1, **crowd}, "here", "there") is strong
        assert identifies(kind, {"here": 1, "elsewhere": 1, **crowd}, "here", "elsewhere")
        assert identifies(kind, spread, "desk-1", "desk-2") is strong
        assert too_many(kind, COMMON + 1) is strong and not too_many(kind, COMMON)


def test_only_an_identifier_that_is_new_is_a_search() -> None:
    assert searches({"name": "Siti", "nik": "7401014107990001"}, {}) == ["nik"]
    assert searches({"name": "Siti", "born_on": "1999-07-01"}, {"name": "Siti"}) == ["born_on", "name"]
    assert searches({"phone": "081234567890"}, {"phone": "+62 812-3456-7890"}) == searches({}, {"nik": "1"}) == []
    assert is_search(Identity(nik="7401014107990001")) and not is_search(Identity(name="Siti"))
    assert not is_search(None) and not is_search(Identity(phone="000000"))
    assert may_complete_search(Identity(name="Siti")) and not may_complete_search(Identity(address="Jalan", nik=None))
