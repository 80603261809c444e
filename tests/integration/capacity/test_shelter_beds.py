"""A shelter's beds: for whom, how many, and never one for two."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.local.embedded_nats import EmbeddedNats
from services.kemensos.main import MEMBER
from services.kemensos.shelter import SEPARATE, WARDS, wards_for
from shared.contracts.codes import AgeClass, Sex
from shared.contracts.types import VictimFacts
from shared.domain.access import Role
from shared.domain.facts import FactsWord
from shared.storage.unit_of_work import Transaction
from shared.victims.register.facts import hear_facts
from shared.victims.register.store import load_victim
from tests.support.access_matrix import ask, told
from tests.support.databases import Databases
from tests.support.forms import DESK, NONE, OTHER, a_person, file, refused
from tests.support.network import Client, Network, offline, problem, refer


async def free(kemensos: Client, **asked: str) -> dict[str, dict[str, int]]:
    """Shelter → ward → free beds, the nearest first."""
    page = await kemensos.get("/v1/shelters", **{"region": "74.01", **asked})
    return {shelter["unit"]: {ward["ward"]: ward["free"] for ward in shelter["wards"]} for shelter in page["items"]}


async def test_a_bed_is_given_used_and_given_back(network: Network) -> None:
    kemensos = await network.start("kemensos", online=False)
    await file(kemensos, f"desks/{DESK}", "shelter-beds", **{**NONE, "female_adult": 1, "separate": 1})
    await file(kemensos, f"desks/{OTHER}", "shelter-beds", **{**NONE, "female_adult": 3})
    assert await free(kemensos, sex="female", age_class="adult") == {
        DESK: {"female-adult": 1, "separate": 1},
        OTHER: {"female-adult": 3},
    }
    one, two = await a_person(kemensos), await a_person(kemensos)
    await file(kemensos, f"victims/{one}", "bed-assigned", ward="female-adult")
    assert await refused(kemensos, f"victims/{one}", "bed-assigned", ward=SEPARATE) == ("already-has-bed", [])
    assert await refused(kemensos, f"victims/{two}", "bed-assigned", ward="female-adult") == ("no-bed-free", ["ward"])
    full = await kemensos.post(f"/v1/victims/{two}/forms/bed-assigned", {"ward": "female-adult"})
    assert OTHER in full.json()["detail"]
    assert await refused(kemensos, f"victims/{two}", "bed-released", reason="moved") == ("form-not-yet", [])
    given_back = await file(kemensos, f"victims/{one}", "bed-released", reason="went-home")
    assert await refused(kemensos, f"victims/{one}", "bed-released", reason="moved") == ("has-no-bed", [])
    await file(kemensos, f"victims/{one}", "bed-released", reason="moved", corrects=given_back["id"])
    await file(kemensos, f"victims/{two}", "bed-assigned", ward="female-adult")


async def test_who_was_put_into_the_wrong_ward_is_moved_by_a_correction(network: Network) -> None:
    kemensos = await network.start("kemensos", online=False)
    await file(kemensos, f"desks/{DESK}", "shelter-beds", **{**NONE, "female_adult": 1, "separate": 1})
    mother = await a_person(kemensos)
    wrong = await file(kemensos, f"victims/{mother}", "bed-assigned", ward="female-adult")
    await file(kemensos, f"victims/{mother}", "bed-assigned", ward=SEPARATE, corrects=wrong["id"])
    assert await free(kemensos, sex="female", age_class="adult") == {DESK: {"female-adult": 1}}


async def test_while_agencies_differ_the_stricter_word_decides_the_ward(network: Network) -> None:
    kemensos = await network.start("kemensos", online=False)
    await file(
        kemensos, f"desks/{DESK}", "shelter-beds", **{**NONE, "female_adult": 1, "female_child": 1, "separate": 1}
    )
    girl = await a_person(kemensos)

    def hear(tx: Transaction, **facts: Any) -> None:
        said = FactsWord("police", VictimFacts(**facts), tx.now)
        victim = load_victim(tx.session, girl)
        assert victim is not None
        hear_facts(tx, network.apps["kemensos"].state.office, victim, said)

    database, path = network.apps["kemensos"].state.database, f"victims/{girl}"
    database.write(partial(hear, age_class=AgeClass.CHILD, sex=Sex.FEMALE))
    assert await refused(kemensos, path, "bed-assigned", ward="female-adult") == ("ward-not-for-them", ["ward"])
    database.write(partial(hear, age_class=AgeClass.CHILD, sex=Sex.MALE))
    for ward in ("female-child", "male-child", "female-adult"):
        assert await refused(kemensos, path, "bed-assigned", ward=ward) == ("ward-not-for-them", ["ward"])
    settled = await kemensos.post(f"/v1/{path}/facts", {"age_class": "child", "basis": "document"})
    assert settled.status_code == 200
    await file(kemensos, path, "bed-assigned", ward="female-child")


async def test_beds_in_which_somebody_lies_are_not_taken_away(network: Network) -> None:
    kemensos = await network.start("kemensos", online=False)
    desk = f"desks/{DESK}"
    await file(kemensos, desk, "shelter-beds", **{**NONE, "male_child": 3})
    boys = [await a_person(kemensos, "male", age) for age in ("child", "unknown")]
    for boy in boys:
        await file(kemensos, f"victims/{boy}", "bed-assigned", ward="male-child")
    fewer = {**NONE, "male_child": 1}
    assert await refused(kemensos, desk, "shelter-beds", **fewer) == ("beds-in-use", ["male_child"])
    assert await free(kemensos, sex="male") == {DESK: {"male-child": 1}}
    await file(kemensos, desk, "shelter-beds", **{**NONE, "male_child": 2})
    assert await free(kemensos, sex="male") == {}
    await file(kemensos, desk, "shelter-beds", **{**NONE, "male_child": 4})
    assert await free(kemensos, sex="male") == {DESK: {"male-child": 2}}


async def test_whose_journey_has_ended_lies_in_no_bed(network: Network) -> None:
    kemensos = await network.start("kemensos", online=False)
    await file(kemensos, f"desks/{DESK}", "shelter-beds", **{**NONE, "female_adult": 1})
    gone, next_one = await a_person(kemensos), await a_person(kemensos)
    await file(kemensos, f"victims/{gone}", "bed-assigned", ward="female-adult")
    closed = await kemensos.post(f"/v1/victims/{gone}/closure", {"outcome": "deceased", "note": "Rekaan."})
    assert closed.status_code == 201
    assert await free(kemensos, sex="female", age_class="adult") == {DESK: {"female-adult": 1}}
    await file(kemensos, f"victims/{next_one}", "bed-assigned", ward="female-adult")


async def test_who_is_referred_to_a_shelter_gets_a_bed_there(network: Network) -> None:
    """Of the desk that was asked: the police stay responsible."""
    police, kemensos = await network.start("police"), await network.start("kemensos")
    opened = {"unit": "polres-74.01", "channel": "spkt", "exploitation": "sexual"}
    case = (await police.post("/v1/cases", opened)).json()["id"]
    made = await police.post(f"/v1/cases/{case}/victims", {"age_class": "child", "sex": "female"})
    victim = made.json()["id"]
    asked = await refer(police, victim, "kemensos", "shelter-and-rehabilitation")
    desk = (await kemensos.until_status(asked, "received"))["receiver"]["unit"]
    await file(kemensos, f"desks/{desk}", "shelter-beds", **{**NONE, "female_child": 1})
    too_early = await kemensos.post(f"/v1/victims/{victim}/forms/bed-assigned", {"ward": "female-child"})
    assert problem(too_early) == "not-responsible"
    await kemensos.must(asked, "accept")
    given = await file(kemensos, f"victims/{victim}", "bed-assigned", ward="female-child")
    assert given["unit"] == desk and await free(kemensos, sex="female", age_class="child") == {}


@pytest.mark.parametrize("sex", Sex)
@pytest.mark.parametrize("age", AgeClass)
def test_in_which_wards_somebody_may_lie(sex: Sex, age: AgeClass) -> None:
    wards = wards_for(sex, age)
    assert SEPARATE in wards and wards <= set(WARDS)
    assert {ward for ward in wards if ward.endswith("-adult")} == set() or age is AgeClass.ADULT
    assert not any(ward.startswith("male") for ward in wards) or sex is not Sex.FEMALE


async def test_a_ward_takes_only_its_own_sex_and_age_class(network: Network) -> None:
    kemensos = await network.start("kemensos", online=False)
    await file(kemensos, f"desks/{DESK}", "shelter-beds", **dict.fromkeys(NONE, 2))
    boy = await a_person(kemensos, "male", "unknown")
    for ward in ("male-adult", "female-child"):
        assert await refused(kemensos, f"victims/{boy}", "bed-assigned", ward=ward) == ("ward-not-for-them", ["ward"])
    await file(kemensos, f"victims/{boy}", "bed-assigned", ward="male-child")
    for body, fields in (({}, ["ward"]), ({"ward": "attic"}, ["ward"]), ({"ward": 1}, ["ward"])):
        assert await refused(kemensos, f"victims/{boy}", "bed-assigned", **body) == ("invalid-request", fields)
    for wrong in ({"separate": -1}, {"separate": 501}, {"separate": 1.5}, {"separate": None}):
        refusal = await refused(kemensos, f"desks/{DESK}", "shelter-beds", **{**NONE, **wrong})
        assert refusal == ("invalid-request", ["separate"])
    assert problem(await kemensos.http.get("/v1/shelters", params={"region": "99.99"})) == "unknown-region"


@pytest.fixture
async def kemensos(tmp_path: Path, secrets: Path, database_url: Databases) -> AsyncIterator[Client]:
    network = Network(tmp_path, secrets, EmbeddedNats(tmp_path / "nats", secrets), database_url)
    yield await network.start("kemensos", online=False)
    await network.stop_all()


async def test_five_beds_are_for_five_however_many_come_at_once(kemensos: Client) -> None:
    await file(kemensos, f"desks/{DESK}", "shelter-beds", **{**NONE, "male_adult": 5})
    people = [await a_person(kemensos, "male") for _ in range(20)]
    answers = await asyncio.gather(
        *(kemensos.post(f"/v1/victims/{one}/forms/bed-assigned", {"ward": "male-adult"}) for one in people)
    )
    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [409] * 15
    assert {problem(answer) for answer in answers if answer.status_code == 409} == {"no-bed-free"}
    assert await free(kemensos, sex="male", age_class="adult") == {}


async def test_one_person_gets_one_bed_however_often_it_is_asked_at_once(kemensos: Client) -> None:
    await file(kemensos, f"desks/{DESK}", "shelter-beds", **{**NONE, "male_adult": 5, "separate": 5})
    one = await a_person(kemensos, "male")
    wards = ["male-adult", SEPARATE] * 4
    answers = await asyncio.gather(
        *(kemensos.post(f"/v1/victims/{one}/forms/bed-assigned", {"ward": ward}) for ward in wards)
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("assign"), st.integers(0, 3)),
        st.tuples(st.just("release"), st.integers(0, 3)),
        st.tuples(st.just("resize"), st.integers(0, 4)),
    ),
    max_size=12,
)


@dataclass
class Ward:
    """A model of one ward: its present and past victims, and its number of beds."""

    app: FastAPI
    people: list[str] = field(default_factory=list)
    lying: set[int] = field(default_factory=set)
    was: set[int] = field(default_factory=set)
    beds: int = 0

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        return await ask(self.app, "kemensos", Role.OFFICER, DESK, "POST", path, json=body)

    async def four_people(self) -> None:
        opened = {"unit": DESK, "channel": "social-office", "exploitation": "sexual"}
        case = (await self.post("/v1/cases", opened)).json()["id"]
        known = {"age_class": "adult", "sex": "female"}
        self.people = [(await self.post(f"/v1/cases/{case}/victims", known)).json()["id"] for _ in range(4)]

    async def resize(self, beds: int) -> None:
        said = told(await self.post(f"/v1/desks/{DESK}/forms/shelter-beds", {**NONE, "female_adult": beds}))
        assert said == ("200" if beds >= len(self.lying) else "beds-in-use")
        self.beds = beds if said == "200" else self.beds

    async def assign(self, number: int) -> None:
        path = f"/v1/victims/{self.people[number]}/forms/bed-assigned"
        said = told(await self.post(path, {"ward": "female-adult"}))
        expected = "no-bed-free" if len(self.lying) >= self.beds else "200"
        assert said == ("already-has-bed" if number in self.lying else expected)
        self.lying |= {number} if said == "200" else set()
        self.was |= self.lying

    async def release(self, number: int) -> None:
        path = f"/v1/victims/{self.people[number]}/forms/bed-released"
        said = told(await self.post(path, {"reason": "moved"}))
        gone = "has-no-bed" if number in self.was else "form-not-yet"
        assert said == ("200" if number in self.lying else gone)
        self.lying -= {number}

    async def shows_its_free_beds(self) -> None:
        page = await ask(self.app, "kemensos", Role.OFFICER, DESK, "GET", "/v1/shelters",
                         params={"region": "74.01", "sex": "female", "age_class": "adult"})  # fmt: skip
        shown = [ward["free"] for shelter in page.json()["items"] for ward in shelter["wards"]]
        assert shown == ([self.beds - len(self.lying)] if self.beds > len(self.lying) else [])


@settings(max_examples=25)
@given(steps=STEPS)
def test_whatever_happens_there_are_as_many_taken_as_people_lie_there(
    steps: list[tuple[str, int]], secrets: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async def history() -> None:
        async with contextlib.AsyncExitStack() as stack:
            ward = Ward(await offline(MEMBER, tmp_path_factory.mktemp("beds"), secrets, stack))
            await ward.four_people()
            for what, number in steps:
                await {"resize": ward.resize, "assign": ward.assign, "release": ward.release}[what](number)
                await ward.shows_its_free_beds()

    asyncio.run(history())
