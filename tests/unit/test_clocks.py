"""The table of clocks: when a time is over, when it is told, which clock takes the place of which."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.types import UnitRef
from shared.domain.clocks import Clock, Clocks, Scope, Step, all_steps, check_named
from shared.reference.clock_table import load_clocks
from shared.service.settings import ROOT

SHIPPED = ROOT / "services" / "clocks.json"
TABLE = load_clocks([SHIPPED])
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KOLAKA, MANOKWARI, MEDAN = "74.01", "92.02", "12.71"
"""Kolaka counts its days by WITA, Manokwari by WIT, Medan by WIB."""


def desk(region: str, agency: str = "clinic", unit: str = "ward") -> UnitRef:
    return UnitRef(agency=agency, unit=unit, region=region)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def clock_for(code: str, region: str, **facts: str) -> Clock:
    return TABLE.in_place_of(code, desk(region), at("2026-11-26T09:00+07:00"), TABLE.zone(region), facts)


@pytest.mark.parametrize("clock", TABLE.by_code.values(), ids=TABLE.by_code)
def test_every_clock_says_on_whose_word_it_runs_in_both_languages(clock: Clock) -> None:
    assert clock.basis and clock.source and clock.label.id and clock.label.en
    assert clock.scope is Scope.LOCAL_STANDARD or clock.basis.startswith("UU ")
    assert not (clock.scope is Scope.NATIONAL_LAW and (clock.regions or clock.desks or clock.shortens))
    assert clock.warn_before < clock.limit and len(clock.escalate_after) == 2  # to the province, then to the nation


# --- when a time is over ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("region", "start", "over"),
    [
        # seven days after the day of the request, counted where the desk stands
        (MEDAN, "2026-11-26T09:00+07:00", "2026-12-04T00:00+07:00"),
        (KOLAKA, "2026-11-26T09:00+08:00", "2026-12-04T00:00+08:00"),
        (MANOKWARI, "2026-11-26T09:00+09:00", "2026-12-04T00:00+09:00"),
        # half past eleven at night in Medan is the next day in Manokwari
        (MEDAN, "2026-11-26T23:30+07:00", "2026-12-04T00:00+07:00"),
        (MANOKWARI, "2026-11-26T23:30+07:00", "2026-12-05T00:00+09:00"),
        ("00.ID", "2026-11-26T09:00+07:00", "2026-12-04T00:00+07:00"),
        ("00.MY", "2026-11-26T09:00+07:00", "2026-12-04T00:00+07:00"),
    ],
)
def test_calendar_days_end_at_midnight_where_the_desk_stands(region: str, start: str, over: str) -> None:
    assert TABLE.by_code["rehabilitation-service"].due(at(start), TABLE.zone(region)) == at(over)


def test_three_times_24_hours_are_72_hours_whatever_the_calendar_says() -> None:
    start = at("2026-11-26T23:59:59+07:00")
    assert TABLE.by_code["report-to-police"].due(start, TABLE.zone(MANOKWARI)) == start + 72 * HOUR


# --- which clock ------------------------------------------------------------------------------------------------


def test_a_local_standard_takes_the_place_of_the_law_where_it_holds() -> None:
    assert clock_for("rehabilitation-service", "11.08", service="outreach").code == "outreach"
    assert clock_for("rehabilitation-service", "11.07", service="outreach").code == "rehabilitation-service"
    assert clock_for("rehabilitation-service", "11.08", service="case-management").code == "rehabilitation-service"


@pytest.mark.parametrize(
    ("priority", "code", "limit"),
    [
        ("routine", "first-aid", 7 * DAY),
        ("urgent", "first-aid-medium-risk", 6 * HOUR),
        ("asap", "first-aid-high-risk", HOUR),
        ("stat", "first-aid-high-risk", HOUR),
    ],
)
def test_first_aid_is_as_quick_as_the_risk_is_high(priority: str, code: str, limit: timedelta) -> None:
    clock = clock_for("first-aid", KOLAKA, priority=priority)
    assert (clock.code, clock.limit) == (code, limit)


def test_a_standard_may_hold_for_one_desk_alone() -> None:
    own = {"scope": "local-standard", "desks": ["clinic/ward"], "regions": []}
    table = table_with("crisis-desk-answer", **own)
    rules = table.by_code["crisis-desk-answer"]
    assert rules.holds_at(desk(MEDAN)) and not rules.holds_at(desk(MEDAN, unit="lab"))
    assert not rules.holds_at(desk(MEDAN, agency="library"))


def test_a_province_holds_its_regencies() -> None:
    rules = table_with("crisis-desk-answer", regions=["74"]).by_code["crisis-desk-answer"]
    assert rules.holds_at(desk(KOLAKA)) and rules.holds_at(desk("74")) and not rules.holds_at(desk(MANOKWARI))


# --- when it is told --------------------------------------------------------------------------------------------


def test_a_clock_warns_then_breaches_then_escalates_once_to_each_desk_above() -> None:
    clock, start = TABLE.by_code["report-to-police"], at("2026-11-26T09:00+07:00")
    due = start + 72 * HOUR
    assert [(m.step, m.at - start, m.height) for m in all_steps(clock, start, due, above=2)] == [
        (Step.WARNED, 48 * HOUR, 0),
        (Step.BREACHED, 72 * HOUR, 0),
        (Step.ESCALATED, 96 * HOUR, 1),
        (Step.ESCALATED, 144 * HOUR, 2),
    ]


@given(
    st.sampled_from(list(TABLE.by_code.values())),
    st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),
    st.sampled_from([MEDAN, KOLAKA, MANOKWARI]),
    st.integers(0, 4),
)
def test_every_clock_tells_in_its_order_and_not_before_it_has_started(
    clock: Clock, start: datetime, region: str, above: int
) -> None:
    due = clock.due(start, TABLE.zone(region))
    assert due >= start + clock.limit  # nobody has less time than the law gives
    told = all_steps(clock, start, due, above)
    ats = [moment.at for moment in told]
    assert ats == sorted(ats) and start < ats[0] <= due == ats[1]
    assert [moment.height for moment in told] == [0, 0, *range(1, min(above, 2) + 1)]


def test_a_time_that_another_has_set_shorter_is_still_warned_of_before_it_is_over() -> None:
    start = at("2026-11-26T09:00+07:00")
    warned = all_steps(TABLE.by_code["rehabilitation-service"], start, start + 2 * HOUR, above=0)[0]
    assert warned.at == start + HOUR


# --- a table that makes no sense ----------------------------------------------------------------------------------


def written(folder: Path, code: str, **changed: Any) -> Path:
    rows = json.loads(SHIPPED.read_text(encoding="utf-8"))
    path = folder / "local.json"
    path.write_text(json.dumps({code: rows.get(code, {}) | changed}), encoding="utf-8")
    return path


def table_with(code: str, **changed: Any) -> Clocks:
    with TemporaryDirectory() as folder:
        return load_clocks([SHIPPED, written(Path(folder), code, **changed)])


@pytest.mark.parametrize(
    ("code", "changed", "said"),
    [
        ("outreach", {"region": ["11.08"]}, "no such column: region"),
        ("outreach", {"limit": "P8D"}, "must not be longer"),
        ("outreach", {"shortens": "nothing"}, "must name a clock of the table"),
        ("outreach", {"by_itself": True}, "must name a clock of the table"),
        ("outreach", {"about": "victim"}, "about the same"),
        ("first-aid", {"limit": "PT0S"}, "above zero"),
        ("first-aid", {"limit": "P2DT1H"}, "whole days"),
        ("first-aid", {"escalate_after": ["P3D", "P1D"]}, "ascending order"),
        ("first-aid", {"stops": [{"event": "referral.begun"}]}, "no such event: referral.begun"),
        ("first-aid", {"counting": "working-days"}, "counting"),
        ("first-aid", {"basis": None}, "basis"),
    ],
)
def test_a_table_that_makes_no_sense_is_not_loaded(code: str, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        table_with(code, **changed)


def test_a_later_clock_file_replaces_a_row() -> None:
    assert table_with("first-aid", limit="P3D").by_code["first-aid"].limit == 3 * DAY


def test_a_declaration_names_clocks_of_the_table() -> None:
    check_named(TABLE, ["first-aid", "outreach"])
    with pytest.raises(ValueError, match="no such clock in the table: siesta"):
        check_named(TABLE, ["first-aid", "siesta"])
