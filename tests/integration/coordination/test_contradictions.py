"""Coordination shows people where two members contradict each other, and where a closed journey goes on."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from structlog.testing import capture_logs

from shared.contracts import events as e
from shared.contracts.codes import AgeClass, JourneyOutcome, Kind, Priority, Sex
from shared.contracts.types import Custody, UnitRef, VictimFacts
from shared.domain.access import Role
from shared.domain.anonymity import day_of
from shared.reference.office import new_id
from shared.storage.notifier import Topic
from tests.support.console_pages import page_of
from tests.support.network import Client, Network, a_victim, refer
from tests.support.wire import event, key_of, publish, subject_of, until_parked

POLICE = UnitRef(agency="police", unit="polres-74.01", region="74.01")
PPA = UnitRef(agency="kemenpppa", unit="uptd-ppa-11.71", region="11.71")
DINSOS = UnitRef(agency="kemensos", unit="dinsos-73.71", region="73.71")
SULTRA, SULSEL, ACEH = "gugus-tugas-74", "gugus-tugas-73", "gugus-tugas-11"
TAKEN = "Satuan lain sudah menjadi penanggung jawab pada urutan ini"


async def says(network: Network, code: str, data: e.EventData, to: str, linkseq: int, version: int | None) -> None:
    """A member, whose service is off, says something that its own service would never say."""
    body = event(code, to, data, linkseq, version)
    await publish(network, code, subject_of(code, to, data), body, key_of(network, code).sign(body))


async def last_said(network: Network, code: str, to: str) -> int:
    """The number of the last event that a member has sent to another."""
    links = (await (await network.operator(code)).get("/v1/links"))["items"]
    return max((int(row["last"]) for row in links if row["link"] == f"{code}>{to}"), default=0)


def a_transfer(victim: str, sender: UnitRef, receiver: UnitRef) -> e.Requested:
    """The second link of the custody chain, offered to somebody."""
    now = datetime.now(UTC)
    return e.Requested(
        referral_id=new_id(), victim_id=victim, case_id=new_id(), kind=Kind.TRANSFER, service="case-management",
        priority=Priority.ROUTINE, sender=sender, receiver=receiver, custody_seq=2, occurred_at=now,
        facts=VictimFacts(age_class=AgeClass.ADULT, sex=Sex.FEMALE), due_at=now + timedelta(days=7),
    )  # fmt: skip


async def promised_to_two(network: Network) -> tuple[str, e.Requested]:
    """The police of Kolaka transfer a victim to Banda Aceh, and offer the same link to Makassar, off their records."""
    police, kemenpppa = await network.start("police"), await network.start("kemenpppa")
    centre = await network.start("coordination")
    victim = await a_victim(police)
    transfer = await refer(police, victim, "kemenpppa", "case-management", kind="transfer", receiver=desk(PPA))
    await kemenpppa.until_status(transfer, "received")
    last = await last_said(network, "police", "kemensos")
    await network.stop("police")
    second = a_transfer(victim, POLICE, DINSOS)
    await says(network, "police", second, "kemensos", last + 1, 1)
    about: dict[str, Any] = {"referral_id": second.referral_id, "victim_id": victim}
    received = e.Received(**about, occurred_at=datetime.now(UTC))
    await says(network, "kemensos", received, "police", 1, 2)
    await kemenpppa.must(transfer, "accept")
    await centre.until(f"/v1/journeys/{victim}", lambda seen: seen["custody"]["agency"] == "kemenpppa")
    await centre.until(f"/v1/journeys/{victim}", lambda seen: statuses(seen) == ["accepted", "received"])
    return victim, second


def desk(unit: UnitRef) -> dict[str, str]:
    """The receiver of a referral."""
    return {"agency": unit.agency, "unit": unit.unit}


def statuses(seen: dict[str, Any]) -> list[str]:
    """The statuses of the hand-overs of a journey."""
    return sorted(handover["status"] for handover in seen["handovers"])


async def claims(network: Network, offer: e.Requested) -> None:
    """Makassar accepts what Banda Aceh has accepted before."""
    accepted = e.Accepted(
        referral_id=offer.referral_id,
        victim_id=offer.victim_id,
        occurred_at=datetime.now(UTC),
        custody=Custody(**dict(DINSOS), seq=2),
    )
    await says(network, "kemensos", accepted, "police", 2, 3)


async def alarmed(client: Client, **asked: str) -> list[str]:
    """The victims in the list of what people must look at."""
    return [item["victim_id"] for item in (await client.get("/v1/journeys", alarmed="true", **asked))["items"]]


async def page(network: Network, path: str, unit: str = "pusat", **asked: str) -> str:
    """A page of the console, as its text."""
    response = await page_of(network.apps["coordination"], Role.COORDINATOR, unit, path, **asked)
    assert response.status_code == 200
    return response.text


async def everything(network: Network, unit: str, victim: str) -> list[Any]:
    """What the task force of a province is answered about a victim: view and tag, lists, pages."""
    client = await network.calling("coordination", Role.COORDINATOR, unit)
    view = await client.http.get(f"/v1/journeys/{victim}")
    listed = [item for item in (await client.get("/v1/journeys"))["items"] if item["victim_id"] == victim]
    pages = [await page(network, path, unit) for path in ("/", f"/journeys/{victim}")]
    return [view.text, view.headers["etag"], listed, await alarmed(client), pages]


async def test_a_second_claim_is_an_alarm_for_who_follows_the_journey_and_for_nobody_else(network: Network) -> None:
    victim, second = await promised_to_two(network)
    centre, aceh = network["coordination"], await network.calling("coordination", Role.COORDINATOR, ACEH)
    before = await centre.get(f"/v1/journeys/{victim}")
    assert (before["contradicted"], before["contradictions"], await alarmed(centre)) == (False, [], [])
    assert "Bertentangan <" not in await page(network, f"/journeys/{victim}")
    known = [await everything(network, unit, victim) for unit in (SULTRA, SULSEL)]

    await claims(network, second)
    assert (await until_parked(network, "coordination", "custody-link-taken"))["trusted"]
    claim = {
        "reason": "custody-link-taken",
        "sender": "kemensos",
        "type": e.Accepted.type(),
        "times": 1,
        "day": str(day_of(network.clock())),
    }
    for client in (centre, aceh):  # Banda Aceh has custody
        seen = await client.get(f"/v1/journeys/{victim}")
        assert (seen["contradicted"], seen["contradictions"]) == (True, [claim])
        assert seen["custody"]["agency"] == "kemenpppa" and [one["seq"] for one in seen["custody_chain"]] == [1, 2]
        assert await alarmed(client) == [victim]
        [row] = (await client.get("/v1/journeys"))["items"]
        assert row["contradicted"]
    assert await alarmed(centre, overdue="true") == []

    for unit in ("pusat", ACEH):
        assert "⚡ Bertentangan <" in await page(network, "/", unit, show="alarmed")
        shown = await page(network, f"/journeys/{victim}", unit)
        assert TAKEN in shown and "Another desk has this place in the custody chain" in shown
        assert "Kemensos" in shown.partition(TAKEN)[2].partition("</li>")[0]
    # Kolaka handed her over, and Makassar's claim was not applied: neither follows her
    assert [await everything(network, unit, victim) for unit in (SULTRA, SULSEL)] == known
    assert all(answers[3] == [] for answers in known)


async def test_who_waits_with_a_journey_is_told_of_a_contradiction_at_once(network: Network) -> None:
    """Kemensos is at work for her and offers her custody. The offer is refused before it touches the journey."""
    police, kemensos = await network.start("police"), await network.start("kemensos")
    centre = await network.start("coordination")
    victim = await a_victim(police)
    asked = await refer(police, victim, "kemensos", "shelter-and-rehabilitation")
    await kemensos.until_status(asked, "received")
    await kemensos.must(asked, "accept")
    await police.until_status(asked, "accepted")
    await centre.until(f"/v1/journeys/{victim}", lambda seen: statuses(seen) == ["accepted"])
    await network.stop("kemensos")
    await network.stop("police")  # nobody else says anything of her from here on
    quiet = await centre.http.get(f"/v1/journeys/{victim}")

    waiting = asyncio.create_task(first_contradiction(network, victim, quiet.headers["etag"]))
    offer = a_transfer(victim, UnitRef(agency="kemensos", unit="dinsos-74.01", region="74.01"), PPA)
    await says(network, "kemensos", offer, "kemenpppa", 1, 1)
    answer = await waiting
    [contradiction] = answer.json()["contradictions"]
    assert (contradiction["reason"], contradiction["sender"]) == ("not-the-holder", "kemensos")
    known = await centre.http.get(f"/v1/journeys/{victim}", headers={"If-None-Match": answer.headers["etag"]})
    assert known.status_code == 304


async def test_a_member_that_repeats_its_claim_hides_no_other_claim(network: Network) -> None:
    victim, second = await promised_to_two(network)
    await claims(network, second)
    for number in range(1, 31):
        await says(network, "kemensos", a_transfer(victim, DINSOS, PPA), "kemenpppa", number, 1)

    def all_told(seen: dict[str, Any]) -> bool:
        told = [(one["reason"], one["times"]) for one in seen["contradictions"]]
        return told == [("custody-link-taken", 1), ("not-the-holder", 30)]

    await network["coordination"].until(f"/v1/journeys/{victim}", all_told)
    shown = await page(network, f"/journeys/{victim}")
    assert '30 kali <span class="en" lang="en">times</span>' in shown and shown.count("kali <span") == 1


async def first_contradiction(network: Network, victim: str, tag: str) -> httpx.Response:
    """The journey as soon as there is a contradiction, for who holds a request open until something changes."""
    while True:
        headers = {"Prefer": "wait=20", "If-None-Match": tag}
        answer = await network["coordination"].http.get(f"/v1/journeys/{victim}", headers=headers)
        assert answer.status_code == 200, "nothing woke the waiting request"
        if answer.json()["contradictions"]:
            return answer
        tag = answer.headers["etag"]


async def test_a_claim_that_came_before_its_request_is_an_alarm_when_the_request_comes(network: Network) -> None:
    """A retry tells people of a contradiction as an arrival does. A replay by the operator takes none away."""
    network.extra = {"log_level": "error"}
    police, kemenpppa = await network.start("police"), await network.start("kemenpppa")
    centre = await network.start("coordination")
    victim = await a_victim(police)
    transfer = await refer(police, victim, "kemenpppa", "case-management", kind="transfer", receiver=desk(PPA))
    await kemenpppa.until_status(transfer, "received")
    await kemenpppa.must(transfer, "accept")
    await centre.until(f"/v1/journeys/{victim}", lambda seen: seen["custody"] == dict(PPA))
    last = await last_said(network, "police", "kemensos")
    await network.stop("police")
    second = a_transfer(victim, POLICE, DINSOS)
    received = e.Received(referral_id=second.referral_id, victim_id=victim, occurred_at=datetime.now(UTC))
    await says(network, "kemensos", received, "police", 1, 2)
    await claims(network, second)
    operator = await network.operator("coordination")
    with network.apps["coordination"].state.notifier.watching(Topic.PARKED) as watch:
        while len((await operator.get("/v1/parked"))["items"]) < 2:
            assert await watch.next(20)
    assert (await centre.get(f"/v1/journeys/{victim}"))["contradictions"] == []

    with capture_logs() as logs:
        await says(network, "police", second, "kemensos", last + 1, 1)
        await centre.until(f"/v1/journeys/{victim}", lambda seen: seen["contradicted"])
    told = [(entry["reason"], entry["sender"]) for entry in logs if entry["event"] == "reception.contradiction"]
    assert told == [("custody-link-taken", "kemensos")]
    [waiting] = [item for item in (await operator.get("/v1/parked"))["items"] if item["resolved_at"] is None]
    with capture_logs() as logs:
        assert (await operator.http.post(f"/v1/parked/{waiting['number']}/replay")).status_code == 409
    assert [entry for entry in logs if entry["event"] == "reception.contradiction"] == []  # that is no news
    assert (await centre.get(f"/v1/journeys/{victim}"))["contradicted"]


async def test_an_end_that_a_transfer_overtakes_is_shown_as_reopened(network: Network) -> None:
    """The police end the journey while the accepting desk answers: somebody is responsible, so it goes on, marked."""
    police, kemenpppa = await network.start("police"), await network.start("kemenpppa")
    centre = await network.start("coordination")
    victim = await a_victim(police)
    transfer = await refer(police, victim, "kemenpppa", "case-management", kind="transfer", receiver=desk(PPA))
    await kemenpppa.until_status(transfer, "received")
    await centre.until(f"/v1/journeys/{victim}", lambda seen: statuses(seen) == ["received"])
    last = await last_said(network, "police", "coordination")
    await network.stop("police")
    end = e.JourneyClosed(
        victim_id=victim, outcome=JourneyOutcome.LOST_CONTACT, unit=POLICE, occurred_at=datetime.now(UTC)
    )
    await says(network, "police", end, "coordination", last + 1, None)
    ended = await centre.until(f"/v1/journeys/{victim}", lambda seen: seen["closed_at"] is not None)
    assert (ended["reopened_at"], await alarmed(centre)) == (None, [])

    await kemenpppa.must(transfer, "accept")
    seen = await centre.until(f"/v1/journeys/{victim}", lambda seen: seen["closed_at"] is None)
    today = day_of(network.clock())
    assert (seen["reopened_at"], seen["contradicted"]) == (str(today), False)
    [row] = (await centre.get("/v1/journeys", alarmed="true", open="true"))["items"]
    assert (row["victim_id"], row["reopened_at"]) == (victim, str(today))
    listed, shown = await page(network, "/", show="alarmed"), await page(network, f"/journeys/{victim}")
    assert "↺ Dibuka kembali <" in listed and "Bertentangan <" not in listed
    assert "↺ Dibuka kembali <" in shown and "Perjalanan dibuka kembali" in shown
    assert f"<time>{today:%d-%m-%Y}</time>" in shown

    before = await network.calling("coordination", Role.COORDINATOR, SULTRA)  # it handed her over
    assert (await before.get(f"/v1/journeys/{victim}"))["reopened_at"] is None
    assert await alarmed(before) == [] and "Dibuka kembali" not in await page(network, "/", SULTRA, show="open")

    done = e.JourneyClosed(
        victim_id=victim, outcome=JourneyOutcome.REINTEGRATED, unit=PPA, occurred_at=datetime.now(UTC)
    )
    last = await last_said(network, "kemenpppa", "coordination")
    await network.stop("kemenpppa")
    await says(network, "kemenpppa", done, "coordination", last + 1, None)
    again = await centre.until(f"/v1/journeys/{victim}", lambda seen: seen["closed_at"] is not None)
    assert again["reopened_at"] == str(today) and await alarmed(centre) == []  # nobody has to look any more
