"""What coordination may show: the rules, and a reader who computes with every number of an answer."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.contracts.codes import Level
from shared.domain.access import Role
from shared.domain.anonymity import SMALLEST_GROUP, counted, day_of, full_hour, province_of, shows_facts
from shared.reference.office import new_pseudonym

HIDDEN = SMALLEST_GROUP - 1
"""What a number may hide: so many people more than it shows."""


@pytest.mark.parametrize(
    ("region", "shown"), [("74.01", "74"), ("74", "74"), ("00.KH", "00.KH"), ("00.ID", "00.ID"), (None, None)]
)
def test_a_home_is_a_province(region: str | None, shown: str | None) -> None:
    assert province_of(region) == shown


def test_a_moment_is_a_day_in_the_capital_and_a_deadline_a_full_hour() -> None:
    late = datetime(2026, 11, 28, 17, 0, 0, 1, tzinfo=UTC)  # midnight in Jakarta
    assert day_of(late) == date(2026, 11, 29)
    assert day_of(late.replace(hour=16, minute=59)) == date(2026, 11, 28)
    assert full_hour(late) == datetime(2026, 11, 28, 18, tzinfo=UTC)
    assert full_hour(full_hour(late)) == full_hour(late)  # never before the deadline, and not an hour after it


def test_an_id_tells_no_more_than_a_day() -> None:
    day = date(2026, 11, 29)
    ids = {new_pseudonym(day) for _ in range(1000)}
    assert {int(one.replace("-", "")[:12], 16) for one in ids} == {
        int(datetime(2026, 11, 29, tzinfo=UTC).timestamp() * 1000)
    }
    assert len({one[15:] for one in ids}) == 1000


SULTRA = frozenset({"74", "74.01"})


@pytest.mark.parametrize(
    ("role", "regions", "held_in", "told", "shown"),
    [
        (Role.COORDINATOR, SULTRA, "74.01", None, True),
        (Role.COORDINATOR, SULTRA, "73.71", Level.NATIONAL, False),
        (Role.COORDINATOR, None, "74.01", None, False),
        (Role.COORDINATOR, None, "74.01", Level.PROVINCE, False),
        (Role.COORDINATOR, None, "74.01", Level.NATIONAL, True),
        (Role.COORDINATOR, None, "00.KH", None, True),
        (Role.COORDINATOR, None, "00.ID", None, True),
        (Role.COORDINATOR, None, None, None, False),
        (Role.AUDITOR, SULTRA, "74.01", None, False),
        (Role.AUDITOR, None, "00.KH", Level.NATIONAL, False),
    ],
)
def test_facts_are_for_the_coordinator_whose_region_holds_her(
    role: Role, regions: frozenset[str] | None, held_in: str | None, told: Level | None, shown: bool
) -> None:
    assert shows_facts(role, regions, held_in, told) is shown


def pinned(total: int, parts: Sequence[Mapping[str, int]]) -> list[str]:
    """The groups that a reader knows to exist and to be small. What the others cannot hold must be in them.

    The reader believes that a number hides nine people at most, and that every person is in each breakdown.
    """
    least = max(total, *(sum(part.values()) for part in parts))
    found = []
    for part in parts:
        for code in (code for code, shown in part.items() if shown == 0):
            others = sum(shown + HIDDEN for other, shown in part.items() if other != code)
            found += [code] if least > others else []
    return found


@st.composite
def populations(draw: st.DrawFn) -> list[dict[str, int]]:
    """People in three breakdowns at once, so that their sums agree; small cells are many."""
    people = draw(st.integers(0, 120))
    sizes = [draw(st.integers(3, 9)) for _ in range(3)]
    cells = [[draw(st.integers(0, size - 1)) for _ in range(people)] for size in sizes]
    return [
        {f"{place}-{code}": column.count(code) for code in range(size)}
        for place, (size, column) in enumerate(zip(sizes, cells, strict=True))
    ]


NINES = [{"a": 9, "b": 9, "c": 9, "d": 9}, {"e": 36, "f": 0, "g": 0}, {"h": 12, "i": 12, "j": 12}]
"""The total 36 would say that each of the first four holds nine; so would the breakdowns beside it."""


@given(populations())
@example(NINES)
@example([{"a": 9, "b": 9, "c": 9, "d": 9}, {"e": 10, "f": 10, "g": 10, "h": 6}, {"i": 36, "j": 0, "k": 0}])
def test_no_small_group_follows_from_the_other_numbers(breakdowns: list[dict[str, int]]) -> None:
    total = sum(breakdowns[0].values())
    shown, parts = counted(total, *breakdowns)
    assert pinned(shown, parts) == []
    for part, true in zip(parts, breakdowns, strict=True):
        assert part.keys() == true.keys()
        for code, number in part.items():
            assert number % SMALLEST_GROUP == 0 and 0 <= number <= true[code]
            assert true[code] >= SMALLEST_GROUP or number == 0
    assert shown <= total and (shown > 0 or total < SMALLEST_GROUP)


def test_rounding_alone_would_not_do() -> None:
    rounded = [{code: number // 10 * 10 for code, number in part.items()} for part in NINES]
    assert pinned(30, rounded) == ["a", "b", "c", "d"]
    assert counted(36, *NINES)[0] == 20


def test_numbers_are_as_exact_as_they_may_be() -> None:
    assert counted(45, {"a": 40, "b": 5, "c": 0}) == (40, [{"a": 40, "b": 0, "c": 0}])
    assert counted(300, {"a": 300, "b": 0, "c": 0}) == (300, [{"a": 300, "b": 0, "c": 0}])
