"""Two at once: what was checked still holds when it is done, on both databases."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from deploy.local.embedded_nats import EmbeddedNats
from shared.contracts.events import Accepted, StageRecorded
from shared.domain.access import Role
from shared.storage.tables import LedgerEntry
from tests.support.databases import Databases
from tests.support.network import Client, Network, a_victim, asking, problem, refer

AT_ONCE = 8
FOUND_BY, ASKED = "polres-74.01", "polres-73.71"


@pytest.fixture
async def police(tmp_path: Path, secrets: Path, database_url: Databases) -> AsyncIterator[Network]:
    """The police alone; no broker is needed for what desks of one agency do to each other."""
    network = Network(tmp_path, secrets, EmbeddedNats(tmp_path / "nats", secrets), database_url)
    await network.start("police", online=False)
    yield network
    await network.stop_all()


async def in_house(police: Client, victim: str, kind: str) -> str:
    receiver = {"agency": "police", "unit": ASKED}
    return await refer(police, victim, "police", "investigation", kind=kind, receiver=receiver)


async def test_a_victim_is_offered_to_one_receiver_however_many_ask_at_once(police: Network) -> None:
    victim = await a_victim(police["police"])
    offer = asking(victim, "kemenpppa", "case-management", kind="transfer", force=True)
    answers = await asyncio.gather(*(police["police"].post("/v1/referrals", offer) for _ in range(AT_ONCE)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * (AT_ONCE - 1)
    assert {problem(answer) for answer in answers if answer.status_code == 409} == {"transfer-already-open"}


async def test_one_key_does_one_thing_however_often_it_comes_at_once(police: Network) -> None:
    victim = await a_victim(police["police"])
    wanted = asking(victim, "kemenkes", "first-aid", force=True)
    answers = await asyncio.gather(
        *(police["police"].post("/v1/referrals", wanted, key="satu") for _ in range(AT_ONCE))
    )
    assert {(answer.status_code, answer.text) for answer in answers} == {(201, answers[0].text)}
    assert len((await police["police"].get("/v1/referrals"))["items"]) == 1


@pytest.mark.parametrize("kind", ["transfer", "accept"])
async def test_one_key_is_never_refused_for_what_it_did_itself(police: Network, kind: str) -> None:
    """The second of the same request waits for the first, and then finds it done: it gets the same answer."""
    here = police["police"]
    victim = await a_victim(here)
    path, body = "/v1/referrals", asking(victim, "kemenpppa", "case-management", kind="transfer", force=True)
    if kind == "accept":
        path, body = f"/v1/referrals/{await in_house(here, victim, 'transfer')}/accept", {}
    answers = await asyncio.gather(*(here.post(path, body, key="satu", If_Match="*") for _ in range(AT_ONCE)))
    assert {(answer.status_code, answer.text) for answer in answers} == {(answers[0].status_code, answers[0].text)}
    assert answers[0].status_code in (200, 201)


async def test_a_referral_gets_one_answer_however_many_answer_at_once(police: Network) -> None:
    referral = await in_house(police["police"], await a_victim(police["police"]), "referral")
    seen = await police["police"].http.get(f"/v1/referrals/{referral}")
    tries = [("accept", {}), ("reject", {"reason": "no-capacity"})] * (AT_ONCE // 2)
    answers = await asyncio.gather(
        *(police["police"].act(referral, action, body, match=seen.headers["etag"]) for action, body in tries)
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * (AT_ONCE - 1)
    assert (await police["police"].get(f"/v1/referrals/{referral}"))["version"] == seen.json()["version"] + 1


async def test_who_hands_a_victim_over_does_nothing_more_in_their_name(police: Network) -> None:
    """The desk that was responsible is checked and acts in one step: nothing of it follows the acceptance."""
    former = await police.calling("police", Role.OFFICER, FOUND_BY)
    for _ in range(4):
        victim = await a_victim(police["police"])
        transfer = await in_house(police["police"], victim, "transfer")
        stage = {"stage": "protection"}
        acts = [former.post(f"/v1/victims/{victim}/stages", stage) for _ in range(AT_ONCE)]
        acts.insert(AT_ONCE // 2, police["police"].act(transfer, "accept"))
        answers = await asyncio.gather(*acts)
        assert {answer.status_code for answer in answers} <= {200, 201, 409}
        told = await asyncio.to_thread(police.apps["police"].state.database.read, lambda s, v=victim: types_of(s, v))
        recorded = sum(answer.status_code == 201 for answer in answers)
        assert (
            told.count(StageRecorded.type())
            == recorded
            == told[: told.index(Accepted.type())].count(StageRecorded.type())
        )
        assert problem(await former.post(f"/v1/victims/{victim}/stages", stage)) == "not-custody-holder"


def types_of(session: Session, victim: str) -> list[str]:
    """Event types about a victim, in ledger order. In an in-house case the receiver is coordination."""
    entries = select(col(LedgerEntry.type)).where(col(LedgerEntry.victim_id) == victim)
    return list(session.scalars(entries.order_by(col(LedgerEntry.position))))
