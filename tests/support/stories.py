"""The words of a whole journey: five services at work, and officers at desks who hand a victim on.

Real NATS, real databases, every call over HTTP with the token of an officer of that desk. Everybody is invented.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from shared.domain.access import Role
from tests.support.forms import FIELDS
from tests.support.identities import known
from tests.support.network import Client, Network, asking, problem

AGENCIES = ("police", "kemenpppa", "kemensos", "kemenkes")
ARRIVED_WITHIN = 60
"""Seconds: what was published and not acknowledged is sent again in less."""
PLAN_OF_RETURN: Mapping[str, Any] = {"safety": "safe", "family_ready": True, "agreed": True}
STAGES_OF_REHABILITATION = {stage: fields for stage, fields in FIELDS.items() if stage != "further-guidance"}
VISIT = FIELDS["further-guidance"]


@dataclass
class Desk:
    """An officer at a desk of an agency."""

    client: Client
    unit: str

    @property
    def agency(self) -> str:
        """The agency's code."""
        return self.client.code

    async def opens(self, channel: str, exploitation: str, destination: str | None = None) -> str:
        """A case is opened; answers its id."""
        case = {"unit": self.unit, "channel": channel, "exploitation": exploitation, "destination": destination}
        return str((await self.does("/v1/cases", case))["id"])

    async def registers(self, case: str, **person: Any) -> str:
        """A victim is registered; answers the pseudonym."""
        return str((await self.does(f"/v1/cases/{case}/victims", person))["id"])

    async def does(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Post what must be taken."""
        answer = await self.client.post(path, body)
        assert answer.is_success, (path, answer.text)
        return dict(answer.json())

    async def is_refused(self, path: str, body: Mapping[str, Any] | None = None) -> str:
        """Post what must not be taken; answers why."""
        return problem(await self.client.post(path, body))

    async def files(self, form: str, *, victim: Any = "", case: Any = "", referral: Any = "", **fields: Any) -> str:
        """A form is filed, about the desk where nothing else is named; answers the record's id."""
        about = f"victims/{victim}" if victim else f"cases/{case}" if case else f"referrals/{referral}"
        path = f"/v1/{about if victim or case or referral else f'desks/{self.unit}'}/forms/{form}"
        return str((await self.does(path, fields))["id"])

    async def cannot_file(self, form: str, victim: Any, **fields: Any) -> str:
        """A form about a victim is refused; answers why."""
        return await self.is_refused(f"/v1/victims/{victim}/forms/{form}", fields)

    async def enters(self, victim: str, *stages: str) -> None:
        """The journey enters stages."""
        for stage in stages:
            await self.does(f"/v1/victims/{victim}/stages", {"stage": stage})

    async def asks(self, other: "Desk", victim: str, service: str, **more: Any) -> str:
        """Another desk is asked for a service; answers the referral's id once it has arrived there."""
        receiver = {"agency": other.agency, "unit": other.unit}
        asked = await self.does(
            "/v1/referrals", asking(victim, other.agency, service, **{"receiver": receiver, **more})
        )
        await other.client.until(f"/v1/referrals/{asked['id']}", lambda seen: seen["version"] >= 2)
        return str(asked["id"])

    async def takes_on(self, referral: str, asker: "Desk") -> None:
        """The asked service is accepted and begun, and the asker knows."""
        await self.client.must(referral, "accept")
        await self.client.must(referral, "start")
        await asker.client.until_status(referral, "in-progress")

    async def hands_over(self, other: "Desk", victim: str, service: str, **more: Any) -> str:
        """The victim is transferred: from now on the other desk is responsible. Answers the referral's id."""
        referral = await self.asks(other, victim, service, kind="transfer", **more)
        await other.takes_on(referral, self)
        return referral

    async def completes(self, referral: str, asker: "Desk", outcome: str = "service-provided") -> None:
        """The work is done, and the asker knows."""
        await self.client.must(referral, "complete", outcome=outcome)
        await asker.client.until_status(referral, "completed")

    async def reads_of(self, victim: str) -> dict[str, Any]:
        """The identity fields shown to the desk; none after a refusal."""
        answer = await self.client.http.get(f"/v1/victims/{victim}/identity", params={"purpose": "care"})
        return known(answer.json()) if answer.is_success else {}

    async def closes(self, victim: str, outcome: str, colleague: "Desk | None" = None, **more: Any) -> None:
        """The journey ends; a child's journey when a colleague has confirmed it."""
        path = f"/v1/victims/{victim}/closure"
        asked = await self.does(path, {"outcome": outcome, **more})
        assert (asked["approved"] is None) == (colleague is not None)
        if colleague is not None:
            await colleague.does(f"{path}/decision", {"closure_id": asked["closure_id"], "approved": True})


@dataclass
class Story:
    """All five services at work, and who sits where."""

    network: Network
    desks: dict[str, Desk] = field(default_factory=dict)

    async def at(self, agency: str, unit: str) -> Desk:
        """The officer of a desk."""
        return Desk(await self.network.calling(agency, Role.OFFICER, unit), unit)

    async def colleague_at(self, agency: str, unit: str) -> Desk:
        """Another officer of a desk, with a system of their own."""
        second = {"person": f"second-{unit}", "client": f"second-system-{unit}"}
        return Desk(await self.network.calling(agency, Role.OFFICER, unit, **second), unit)

    async def told(self, victim: str) -> dict[str, Any]:
        """The journey as coordination tells it, once it is closed and every hand-over in it has ended."""
        path = f"/v1/journeys/{victim}"
        coordination = self.network["coordination"]
        return await coordination.until(path, lambda seen: seen["closed_at"] and not seen["live_handovers"])

    async def nothing_was_lost(self) -> None:
        """Every event has its receipt, no link has a gap, and nothing is parked."""
        for code in (*AGENCIES, "coordination"):
            operator = await self.network.operator(code)
            await every_one(self.network, operator, "/v1/links", is_whole)
            assert (await operator.get("/v1/parked"))["items"] == [], code


async def every_one(network: Network, client: Client, path: str, fits: Callable[[Any], Any]) -> list[Any]:
    """The items of a list without long poll, once all of them fit. The list is read again after each commit."""
    woken, loop = asyncio.Event(), asyncio.get_running_loop()
    listeners = network.apps[client.code].state.database.listeners

    def committed(_: Any) -> None:
        loop.call_soon_threadsafe(woken.set)

    listeners.append(committed)
    try:
        async with asyncio.timeout(ARRIVED_WITHIN):
            while True:
                items: list[Any] = (await client.get(path))["items"]
                lacking = [one for one in items if not fits(one)]
                if not lacking:
                    return items
                print(client.code, lacking)  # shown where it takes too long
                await woken.wait()
                woken.clear()
    finally:
        listeners.remove(committed)


def is_whole(link: Mapping[str, Any]) -> bool:
    """Whether all that was sent on a link has arrived, as far as its end here knows."""
    return not (link["unpublished"] or link["unconfirmed"] or link["missing"])


def responsible(journey: Mapping[str, Any]) -> Sequence[str]:
    """The units with custody, one after the other."""
    return [link["unit"] for link in journey["custody_chain"]]


@asynccontextmanager
async def everybody_at_work(network: Network) -> AsyncIterator[Story]:
    """The story's beginning."""
    for code in (*AGENCIES, "coordination"):
        await network.start(code)
    yield Story(network)
