"""Many people come at once: each is registered and referred, or refused with a reason, whatever becomes of others."""

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from shared.casework.people_list import registering as batches
from shared.casework.referrals import requesting
from shared.domain.access import Role
from shared.domain.referral_commands import Request
from shared.reference.office import new_id
from tests.support.lists import AID, NUNUKAN, a_ship, person, victims_of
from tests.support.network import Client, Network, erase, problem

SHELTER = {"service": "shelter-and-rehabilitation", "receiver": {"agency": "kemensos"}, "basis": "public-task"}


async def take_in(police: Client, case: str, people: list[Any], key: str | None = None, **more: Any) -> list[Any]:
    """The lines of the answer."""
    body = {"refer": [AID, SHELTER], "people": people, **more}
    answer = await police.post(f"/v1/cases/{case}/batches", body, key=key)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson"), answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def of(lines: list[Any], kind: str) -> list[Any]:
    return [line for line in lines if line["kind"] == kind]


def ten_people() -> list[Any]:
    """Ten rows of a list, of which six are wrong; the last one brings an id of its own."""
    return [
        person(1),
        person(2, role="suspected-recruiter"),
        person(3, home_region="99.99"),
        person(1),
        {"age_class": "adult", "sex": "male", "identity": {"nik": "12"}, "pekerjaan": "Buruh"},
        "Rekaan",
        person(4, refer=[{**AID, "service": "no-such"}]),
        person(5, refer=[]),
        person(6, role="suspected-recruiter", refer=[SHELTER]),
        person(7, victim_id=new_id()),
    ]


WRONG_ROWS = {
    3: ("unknown-region", ["/home_region"]),
    4: ("written-twice", ["/identity/nik"]),
    5: ("invalid-request", ["/identity/nik", "/?"]),
    6: ("invalid-request", [""]),
    7: ("no-such-route", ["/service"]),
    10: ("invalid-request", ["/victim_id"]),
}
"""Row of these ten → the problem, and the fields that it names."""


async def test_each_is_done_whole_or_refused_with_a_reason(network: Network) -> None:
    police = await network.start("police", online=False)
    case = await a_ship(police)
    lines = await take_in(police, case, ten_people())
    first, *_, last = lines
    assert (first["kind"], first["people"]) == ("batch", 10)
    assert (last["kind"], last["registered"], last["refused"], last["problem"]) == ("end", 4, 6, None)
    told = of(lines, "person")
    assert [line["row"] for line in told] == list(range(1, 11))
    assert [len(line["referrals"]) for line in told] == [2, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    assert told[1]["left_out"] == ["kemensos:shelter-and-rehabilitation"] and told[1]["role"] == "suspected-recruiter"
    refused = {line["row"]: line["problem"] for line in told if line["problem"]}
    named = {
        row: (problem["type"].rpartition(":")[2], [e["field"] for e in problem["errors"]])
        for row, problem in refused.items()
    }
    assert named == WRONG_ROWS
    assert all(problem["remedy"] for problem in refused.values()) and "Buruh" not in json.dumps(lines)

    made = [line["victim_id"] for line in told if line["victim_id"]]
    assert await victims_of(police, case) == made
    sent = (await police.get("/v1/referrals", limit=100))["items"]
    assert {r["victim_id"] for r in sent} <= set(made) and len(sent) == 4
    batch = await police.get(f"/v1/batches/{first['batch_id']}")
    assert batch["items"] == told and (batch["registered"], batch["refused"], batch["left"]) == (4, 6, 0)
    assert batch["finished_at"] is not None
    [listed] = (await police.get(f"/v1/cases/{case}/batches"))["items"]
    assert listed == {name: value for name, value in batch.items() if name != "items"}


async def test_nobody_else_is_told_who_was_suspected_and_erasure_takes_it_back(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    lines = await take_in(police, await a_ship(police), [person(1, role="suspected-recruiter"), person(2)])
    (suspect, victim), batch = of(lines, "person"), lines[0]["batch_id"]
    shown = []
    for line in (suspect, victim):
        seen = await kemenkes.until_status(line["referrals"][0], "received")
        other = await kemenkes.get(f"/v1/victims/{line['victim_id']}")
        shown.append({**seen, **other, **dict.fromkeys(("id", "victim_id", "due_at", "requested_at", "updated_at"))})
    differing = {name for name in shown[0] if shown[0][name] != shown[1][name]}
    assert differing <= {"registered_at"}
    await erase(network, "police", suspect["victim_id"])
    items = (await police.get(f"/v1/batches/{batch}"))["items"]
    assert [item["role"] for item in items] == [None, "victim"] and items[0]["left_out"] == []


async def test_progress_is_told_while_it_goes_on(network: Network) -> None:
    police = await network.start("police", online=False)
    people = [person(number) for number in range(batches.AT_ONCE * 2 + 1)]
    progress = of(await take_in(police, await a_ship(police), people), "progress")
    assert [(line["registered"], line["left"]) for line in progress] == [
        (batches.AT_ONCE, batches.AT_ONCE + 1),
        (batches.AT_ONCE * 2, 1),
        (batches.AT_ONCE * 2 + 1, 0),
    ]


async def test_checking_says_what_would_be_refused_and_does_nothing(network: Network) -> None:
    police = await network.start("police", online=False)
    case = await a_ship(police)
    lines = await take_in(police, case, [person(1), person(2, home_region="99.99")], check=True)
    assert [line["problem"] is None for line in of(lines, "person")] == [True, False]
    assert of(lines, "person")[0]["victim_id"] is None
    assert await victims_of(police, case) == []
    assert (await police.get(f"/v1/cases/{case}/batches"))["items"] == []
    assert (await police.get("/v1/referrals"))["items"] == []


async def test_what_was_cut_off_goes_on_where_it_stopped(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    police = await network.start("police", online=False)
    case, real, asked = await a_ship(police), requesting.request, 0
    people = [person(number) for number in range(batches.AT_ONCE * 3)]

    def breaking(acting: Any, command: Request, counted: bool) -> Any:
        nonlocal asked
        asked += 1
        if asked == batches.AT_ONCE * 2 + 3:  # in the middle of the second handful, after the first of its two
            raise OperationalError("", {}, Exception("the database is away"))
        return real(acting, command, counted)

    monkeypatch.setattr(requesting, "request", breaking)
    cut = await take_in(police, case, people, key="kapal-1")
    assert cut[-1]["problem"]["type"].endswith("unavailable") and cut[-1]["registered"] == batches.AT_ONCE
    assert len(await victims_of(police, case)) == batches.AT_ONCE
    unfinished = await police.get(f"/v1/batches/{cut[0]['batch_id']}")
    assert (unfinished["left"], unfinished["finished_at"]) == (batches.AT_ONCE * 2, None)

    whole = await take_in(police, case, people, key="kapal-1")
    assert whole[0] == cut[0] and whole[-1]["registered"] == len(people)
    assert of(whole, "person")[: batches.AT_ONCE] == of(cut, "person")
    assert await victims_of(police, case) == [line["victim_id"] for line in of(whole, "person")]
    assert len((await police.get("/v1/referrals", limit=200))["items"]) == len(people) * 2


async def test_the_same_list_is_taken_in_once(network: Network) -> None:
    police = await network.start("police", online=False)
    case, people = await a_ship(police), [person(number) for number in range(12)]
    answers = await asyncio.gather(*(take_in(police, case, people, key="kapal-1") for _ in range(4)))
    assert all(of(answer, "person") == of(answers[0], "person") for answer in answers)
    assert len(await victims_of(police, case)) == 12

    path, body = f"/v1/cases/{case}/batches", {"refer": [AID, SHELTER], "people": people}
    again = await police.post(path, body)
    assert problem(again) == "batch-already-taken-in" and answers[0][0]["batch_id"] in again.json()["detail"]
    other = await police.post(path, {**body, "people": people[1:]}, key="kapal-1")
    assert problem(other) == "idempotency-key-reused"
    assert len(await victims_of(police, case)) == 12


async def test_a_batch_that_cannot_be_is_refused_as_a_whole(network: Network) -> None:
    police = await network.start("police", online=False)
    case = await a_ship(police)
    path, people = f"/v1/cases/{case}/batches", [person(1)]
    for body, code, fields in (
        ({"people": []}, "invalid-request", ["/people"]),
        ({"people": people, "refer": [{**AID, "service": "no-such"}]}, "no-such-route", ["/refer/0/service"]),
        ({"people": people, "refer": [{**AID, "basis": "why-not"}]}, "invalid-request", ["/refer/0/basis"]),
        ({"people": people, "orang": 1}, "invalid-request", ["/?"]),
        ({"people": people, "occurred_at": "2999-01-01T00:00:00Z"}, "occurred-in-the-future", ["/occurred_at"]),
        ({"people": [person(1)] * 1001}, "invalid-request", ["/people"]),
    ):
        answer = await police.post(path, body)
        assert (problem(answer), [fault["field"] for fault in answer.json()["errors"]]) == (code, fields)
    large = await police.post(path, {"people": [person(1, identity={"statement": "x" * 4000})] * 300})
    assert problem(large) == "body-too-large"
    assert await victims_of(police, case) == []
    nowhere = await police.post("/v1/cases/0193f0a2-7a10-7000-8000-0000000000ff/batches", {"people": people})
    assert problem(nowhere) == "unknown-case"


TABLE = (
    "Nama;NIK;Tanggal Lahir;Jenis Kelamin;Kelompok Usia;Wilayah Asal;Peran\r\n"
    "Rekaan Satu;6503010101000001;28/02/2001;perempuan;dewasa;53.01;\r\n"
    "Rekaan Dua;6503010101000002;31/02/2001;laki-laki;dewasa;53.01;terduga perekrut\r\n"
    "Rekaan Tiga;650301;;laki-laki;anak;Nunukan;\r\n"
)


async def post_table(police: Client, case: str, table: bytes, **query: Any) -> Any:
    headers = {"Idempotency-Key": f"{hash(table)}", "Content-Type": "text/csv; charset=utf-8"}
    return await police.http.post(f"/v1/cases/{case}/batches.csv", content=table, headers=headers, params=query)


async def test_a_table_is_taken_in_and_a_refusal_names_its_column(network: Network) -> None:
    police = await network.start("police", online=False)
    case = await a_ship(police)
    refer = ["kemenkes:first-aid", "kemensos:shelter-and-rehabilitation"]
    answer = await post_table(police, case, TABLE.encode("utf-8-sig"), refer=refer, basis="vital-interest")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    one, two, three = of(lines, "person")
    assert len(one["referrals"]) == 2 and one["problem"] is None
    assert [fault["field"] for fault in two["problem"]["errors"]] == ["tanggal_lahir"]
    assert [fault["field"] for fault in three["problem"]["errors"]] == ["wilayah_asal", "nik"]
    shown = await police.get(f"/v1/victims/{one['victim_id']}/identity", purpose="investigation")
    assert (shown["name"], shown["born_on"]) == ("Rekaan Satu", "2001-02-28")


async def test_what_is_no_table_is_refused(network: Network) -> None:
    police = await network.start("police", online=False)
    case = await a_ship(police)
    for table, code in (
        (b"", "invalid-request"),
        (b"nama,pekerjaan\nRekaan,Buruh\n", "unknown-column"),
        (b"nama\n\xff\n", "malformed-csv"),
    ):
        answer = await post_table(police, case, table)
        assert problem(answer) == code and "Buruh" not in answer.text
    json_sent = await police.post(f"/v1/cases/{case}/batches.csv", {"people": []})
    assert problem(json_sent) == "unsupported-media-type"
    asked = await post_table(police, case, TABLE.encode(), refer="first-aid")
    assert (problem(asked), asked.json()["errors"][0]["field"]) == ("invalid-request", "refer")


# --- what a list may do to a desk -------------------------------------------------------------------------------------


async def refused_list(client: Client, case: str, people: list[Any], refer: list[Any]) -> str:
    """A list that is refused before anybody is registered; answers why."""
    answer = await client.post(f"/v1/cases/{case}/batches", {"refer": refer, "people": people})
    assert await victims_of(client, case) == []
    return problem(answer)


async def test_no_list_forces_a_desk_and_floods_of_urgent_patients_need_a_supervisor(police_alone: Network) -> None:
    officer = await police_alone.calling("police", Role.OFFICER, NUNUKAN)
    case = await a_ship(officer)
    crowd, urgent = [person(number) for number in range(1, 22)], {**AID, "priority": "urgent"}
    assert await refused_list(officer, case, crowd, [{**AID, "force": True}]) == "force-not-in-lists"
    assert await refused_list(officer, case, crowd, [urgent]) == "list-needs-supervisor"
    alone = [{**one, "refer": [urgent]} for one in crowd]
    assert await refused_list(officer, case, alone, []) == "list-needs-supervisor"
    assert await refused_list(officer, case, [{}] * 601, []) == "list-needs-supervisor"
    [end] = of(await take_in(officer, case, [{**person(30), "refer": [{**AID, "force": True}]}], refer=[]), "end")
    assert (end["registered"], end["refused"]) == (0, 1)
    # first aid may not wait, whatever priority a list gives it; a shelter may
    assert await refused_list(officer, case, crowd, [{**AID, "priority": "routine"}]) == "list-needs-supervisor"
    [end] = of(await take_in(officer, case, [person(number) for number in range(70, 91)], refer=[SHELTER]), "end")
    assert end["registered"] == 21
    [end] = of(await take_in(officer, case, crowd[:20], refer=[urgent]), "end")
    assert end["registered"] == 20
    head = await police_alone.calling("police", Role.SUPERVISOR, NUNUKAN)
    [end] = of(await take_in(head, case, [person(number) for number in range(40, 61)], refer=[urgent]), "end")
    assert end["registered"] == 21
