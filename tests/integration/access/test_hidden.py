"""A hidden object shows nowhere: in no list, count, search, log, tag or waiting time."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI

from shared.domain.access import Role
from shared.domain.refusal import Refused
from shared.reference.office import new_id
from shared.storage.pages import read_cursor, write_cursor
from shared.storage.tables import ReferralRow
from shared.victims.erasure.tables import ErasureRow
from shared.victims.identity.tables import BreakGlassRow
from shared.victims.register.tables import CaseRow, VictimRow
from tests.support.access_matrix import (
    ABOVE_KOLAKA,
    AT_WORK,
    CASE,
    IN_HOUSE,
    KOLAKA,
    LETTER,
    MAKASSAR,
    NEEDED_TO_INVESTIGATE,
    NO_LETTER,
    NOBODY,
    OUTSIDE,
    OWN,
    READERS,
    SEES,
    STRANGER,
    TOP,
    TRIES,
    UNITS,
    VICTIM,
    WHO,
    ask,
    roles_of,
    told,
)
from tests.support.ids import next_ids
from tests.support.network import asked_of_the_database

ON_ONE_LOOP = pytest.mark.asyncio(loop_scope="module")
STEPS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "received": {},
    "rejected": {"reject": {"reason": "no-capacity"}},
    "accepted": {"accept": {}},
    "in-progress": {"accept": {}, "start": {}},
    "on-hold": {"accept": {}, "start": {}, "hold": {"reason": "scheduled"}},
    "completed": {"accept": {}, "start": {}, "complete": {"outcome": "service-provided"}},
    "failed": {"accept": {}, "start": {}, "fail": {"reason": "no-show"}},
    "cancelled": {"request-cancellation": {"reason": "not-needed"}},
}
"""Place of a referral at its receiver → the acts done until then."""


@pytest.mark.parametrize("status", STEPS)
async def test_who_sees_what_wherever_a_referral_stands(fresh_police: FastAPI, status: str) -> None:
    async def post(unit: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        match = {"If-Match": "*"}
        answer = await ask(fresh_police, "police", Role.OFFICER, unit, "POST", path, json=body, headers=match)
        assert answer.status_code in (200, 201), answer.text
        return dict(answer.json())

    case = (await post(KOLAKA, "/v1/cases", {"unit": KOLAKA, "channel": "spkt", "exploitation": "sexual"}))["id"]
    known = {"age_class": "adult", "sex": "male", "identity": WHO}
    victim = (await post(KOLAKA, f"/v1/cases/{case}/victims", known))["id"]
    asked = {"victim_id": victim, "basis": "public-task", "service": "investigation",
             "receiver": {"agency": "police", "unit": MAKASSAR}}  # fmt: skip
    referral = (await post(KOLAKA, "/v1/referrals", asked))["id"]
    stands = "received"
    for action, body in STEPS[status].items():
        unit = KOLAKA if action == "request-cancellation" else MAKASSAR
        stands = (await post(unit, f"/v1/referrals/{referral}/{action}", body))["status"]
    assert stands == status

    path, query = f"/v1/victims/{victim}/identity", {"purpose": "investigation"}
    for unit in UNITS:
        answer = await ask(fresh_police, "police", Role.OFFICER, unit, "GET", path, params=query)
        if unit in OWN:
            assert {name for name, value in answer.json().items() if value is not None} == set(WHO)
        elif unit not in AT_WORK:
            assert told(answer) == "unknown-victim"
        elif status in ("accepted", "in-progress", "on-hold"):
            assert {name for name, value in answer.json().items() if value is not None} == NEEDED_TO_INVESTIGATE
        else:
            assert told(answer) == "no-identity"


@ON_ONE_LOOP
@pytest.mark.parametrize("role", [Role(name) for name in READERS.split()])
async def test_lists_count_only_what_exists_for_the_caller(police: FastAPI, role: Role) -> None:
    for unit in UNITS:
        for query in ({}, {"role": "outgoing"}, {"victim_id": VICTIM}, {"region": "74"}):
            page = (await ask(police, "police", role, unit, "GET", "/v1/referrals", params=query)).json()
            assert {item["id"] for item in page["items"]} == {r for r in (IN_HOUSE, OUTSIDE) if unit in SEES[r]}, unit
        clocks = (await ask(police, "police", role, unit, "GET", "/v1/clocks")).json()["items"]
        kept = {(KOLAKA, IN_HOUSE), (KOLAKA, OUTSIDE)} if unit in OWN else set()
        kept |= {(MAKASSAR, IN_HOUSE)} if unit in AT_WORK else set()
        assert {(clock["unit"], clock["about"]) for clock in clocks} == kept, unit


@ON_ONE_LOOP
async def test_the_word_for_the_next_page_counts_nothing_that_the_caller_may_not_see(police: FastAPI) -> None:
    """Rows are numbered through the whole agency, so a number would be a total."""
    vault = police.state.office.vault
    words = [write_cursor(vault, ReferralRow, number) for number in range(1, 100)]
    assert sorted(words) not in (words, words[::-1]) and len({len(word) for word in words}) == 1
    assert [read_cursor(vault, ReferralRow, word) for word in words] == list(range(1, 100))
    last = "A" if words[0][-1] != "A" else "B"
    for table, word in (
        (CaseRow, words[0]),
        (ReferralRow, words[0][:-1] + last),
        (ReferralRow, "bjE"),
        (ReferralRow, "bj"),
    ):
        with pytest.raises(Refused, match="unknown-cursor"):
            read_cursor(vault, table, word)

    pages: list[list[str]] = []
    asked = {"limit": "1"}
    while len(pages) < 5:
        page = (await ask(police, "police", Role.OFFICER, KOLAKA, "GET", "/v1/referrals", params=asked)).json()
        pages.append([item["id"] for item in page["items"]])
        if page["next"] is None:
            break
        assert page["next"] in words
        asked["cursor"] = page["next"]
    assert pages == [[OUTSIDE], [IN_HOUSE]]


@ON_ONE_LOOP
async def test_how_much_others_were_sent_is_told_to_who_sees_the_whole_agency(police: FastAPI) -> None:
    """An event's number on its link counts the events of every desk."""
    for unit in (KOLAKA, ABOVE_KOLAKA, TOP):
        history = await ask(police, "police", Role.OFFICER, unit, "GET", f"/v1/referrals/{OUTSIDE}/history")
        assert [item["linkseq"] is None for item in history.json()["items"]] == [unit != TOP], unit


@ON_ONE_LOOP
@pytest.mark.parametrize("role", [Role.OFFICER, Role.SUPERVISOR])
async def test_a_search_finds_only_who_exists_for_the_caller(police: FastAPI, role: Role) -> None:
    for unit in UNITS:
        phone = "0" + WHO["phone"].removeprefix("+62")
        for field, value in (("nik", WHO["nik"]), ("passport", "x 123-4567"), ("phone", phone)):
            asked = {"field": field, "value": value}
            found = await ask(police, "police", role, unit, "POST", "/v1/victim-search", json=asked)
            assert [item["id"] for item in found.json()["items"]] == ([VICTIM] if unit in OWN | AT_WORK else []), unit
        other = {"field": "nik", "value": WHO["nik"][::-1]}
        found = await ask(police, "police", role, unit, "POST", "/v1/victim-search", json=other)
        assert found.json()["items"] == []


@ON_ONE_LOOP
@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.AUDITOR])
async def test_the_access_log_shows_the_looks_of_the_desks_below(police: FastAPI, role: Role) -> None:
    for unit in (KOLAKA, MAKASSAR):
        path = f"/v1/victims/{VICTIM}/identity"
        seen = await ask(police, "police", Role.OFFICER, unit, "GET", path, params={"purpose": "care"})
        assert seen.status_code == 200
    shown = {
        unit: {i["unit"] for i in (await ask(police, "police", role, unit, "GET", "/v1/access-log")).json()["items"]}
        for unit in UNITS
    }
    assert shown[ABOVE_KOLAKA] >= {KOLAKA} and MAKASSAR not in shown[ABOVE_KOLAKA]
    assert shown[MAKASSAR] == {MAKASSAR} and shown[STRANGER] == set()
    assert shown[TOP] >= {KOLAKA, MAKASSAR}


async def items_for(app: FastAPI, unit: str, path: str) -> int:
    """Number of items shown to a supervisor of this unit in a list."""
    return len((await ask(app, "police", Role.SUPERVISOR, unit, "GET", path)).json()["items"])


@pytest.mark.parametrize("asks", [KOLAKA, TOP])
async def test_an_erasure_is_listed_where_it_was_asked_for_and_where_the_victim_is(
    fresh_police: FastAPI, asks: str
) -> None:
    with next_ids(CASE, VICTIM):
        for path, body in (
            ("/v1/cases", {"unit": KOLAKA, "channel": "spkt", "exploitation": "sexual"}),
            (f"/v1/cases/{CASE}/victims", {"age_class": "adult", "sex": "male"}),
            (f"/v1/victims/{VICTIM}/erasure", {}),
        ):
            made = await ask(fresh_police, "police", Role.SUPERVISOR, asks, "POST", path, json=body)
            assert made.status_code in (201, 202), made.text
    listed = {unit: await items_for(fresh_police, unit, "/v1/erasures") for unit in UNITS}
    assert listed == {unit: int(unit in OWN) for unit in UNITS}


async def test_a_desk_of_another_agency_is_not_ours_because_it_has_the_name_of_one_of_ours(
    fresh_police: FastAPI,
) -> None:
    """Every agency names its own desks; here Kemenkes has a Kolaka and a Makassar that are called as those are."""
    then = datetime(2026, 1, 5, tzinfo=UTC)
    rows = [
        CaseRow(id=CASE, unit=STRANGER, region="11.01", channel="spkt", exploitation="sexual", opened_at=then),
        VictimRow(id=VICTIM, case_id=CASE, registered_here=True, age_class="adult", sex="male", rule_age="adult",
                  facts_from="kemenkes", facts_at=then, stage="protection", custody_seq=2, custody_agency="kemenkes",
                  custody_unit=KOLAKA, custody_region="74.01", registered_at=then),
        ReferralRow(id=OUTSIDE, case_id=CASE, victim_id=VICTIM, kind="referral", service="first-aid", priority="stat",
                    sender_agency="kemenkes", sender_unit=KOLAKA, sender_region="74.01", receiver_agency="kemenkes",
                    receiver_unit=MAKASSAR, receiver_region="73.71", requested_at=then, due_at=then,
                    status="accepted", version=3, updated_at=then),
        ErasureRow(id=new_id(), victim_id=VICTIM, client="x", person="x", unit=STRANGER, asked_at=then),
        BreakGlassRow(id=new_id(), victim_id=VICTIM, agency="kemenkes", unit=KOLAKA, region="74.01", reason="other",
                      owner_agency="kemenkes", owner_unit=MAKASSAR, opened_at=then, until=then),
    ]  # fmt: skip
    fresh_police.state.database.write(lambda tx: tx.session.add_all(rows))
    for unit in (KOLAKA, MAKASSAR, STRANGER):
        seen = [await items_for(fresh_police, unit, f"/v1/{of}") for of in ("referrals", "erasures", "break-glass")]
        assert seen == [0, int(unit == STRANGER), 0], unit
        for path, code in ((f"referrals/{OUTSIDE}", "unknown-referral"), (f"victims/{VICTIM}", "unknown-victim")):
            answer = await ask(fresh_police, "police", Role.SUPERVISOR, unit, "GET", f"/v1/{path}")
            assert told(answer) == ("200" if unit == STRANGER and "victims" in path else code), (unit, path)
    placed = await ask(fresh_police, "police", Role.SUPERVISOR, TOP, "POST", f"/v1/victims/{VICTIM}/erasure", json={})
    assert told(placed) == "not-custody-holder"


@ON_ONE_LOOP
async def test_hidden_and_not_there_are_told_in_the_same_words_after_the_same_work(police: FastAPI) -> None:
    """The database gets the same questions too, so that the time of an answer tells nothing."""
    with asked_of_the_database(police) as statements:
        for what in TRIES:
            if what.about and roles_of(what.operation) and STRANGER not in SEES[what.about]:
                answers = []
                for named in (what.about, NO_LETTER if what.about == LETTER else NOBODY):
                    path = what.path.replace(what.about, named)
                    body = {**what.body, "victim_id": named} if what.body and "victim_id" in what.body else what.body
                    statements.clear()
                    sent = {**what.sent, "json": body} if what.body else what.sent
                    answer = await ask(police, "police", Role.SUPERVISOR, STRANGER, what.method, path, **sent)
                    said = {name: value for name, value in answer.json().items() if name != "instance"}
                    headers = {name for name in answer.headers if name != "traceparent"}
                    answers.append((answer.status_code, said, headers, list(statements)))
                assert answers[0] == answers[1], what.path
                assert answers[0][0] == 404 and answers[0][3]


@ON_ONE_LOOP
async def test_neither_a_tag_nor_waiting_tells_of_what_is_hidden(police: FastAPI) -> None:
    """The right ETag brings no 304, and a change of a hidden object ends no long poll for it."""
    path, loop = f"/v1/referrals/{IN_HOUSE}", asyncio.get_running_loop()
    known = await ask(police, "police", Role.OFFICER, KOLAKA, "GET", path)
    tag = {"If-None-Match": known.headers["etag"]}
    assert (await ask(police, "police", Role.OFFICER, KOLAKA, "GET", path, headers=tag)).status_code == 304
    assert told(await ask(police, "police", Role.OFFICER, STRANGER, "GET", path, headers=tag)) == "unknown-referral"

    async def waited(unit: str) -> tuple[str, float]:
        began = loop.time()
        answer = await ask(police, "police", Role.OFFICER, unit, "GET", path, headers={**tag, "Prefer": "wait=1"})
        return told(answer), loop.time() - began

    waiting = [asyncio.create_task(waited(unit)) for unit in (STRANGER, MAKASSAR)]
    while len(police.state.notifier._watches.get(IN_HOUSE, ())) < 2:
        await asyncio.sleep(0)
    changed = await ask(
        police, "police", Role.OFFICER, KOLAKA, "POST", f"{path}/remind", json={}, headers={"If-Match": "*"}
    )
    assert told(changed) == "200"
    (hidden, hidden_seconds), (seen, seen_seconds) = await asyncio.gather(*waiting)
    assert (hidden, seen) == ("unknown-referral", "200")
    assert seen_seconds < 1 <= hidden_seconds
