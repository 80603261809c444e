"""The steps of the example journey: refer, act, file forms, record stages, for one victim or for both."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from deploy.client.agency_system import AgencySystem, Json
from deploy.journey.forms import ANSWERS

Report = Callable[[str, str, str], None]
"""Called for each step done: the agency's code, a text in Indonesian, the same in English."""


class JourneyBroken(Exception):
    """The journey ended with a wrong state in the services."""


@dataclass(frozen=True, slots=True)
class Handover:
    """One referral or transfer between two members."""

    id: str
    sender: str
    receiver: str

    @property
    def path(self) -> str:
        """Its path, the same at sender and receiver."""
        return f"/v1/referrals/{self.id}"


@dataclass
class Result:
    """The ids of a finished journey: case, victims, hand-overs; victim → units of the custody chain; seconds taken."""

    case_id: str = ""
    victims: list[str] = field(default_factory=list)
    handovers: list[Handover] = field(default_factory=list)
    custody: dict[str, list[str]] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass
class Journey:
    """A journey in progress: the members' systems (member → system), the progress report, the result so far."""

    systems: Mapping[str, AgencySystem]
    report: Report
    result: Result = field(default_factory=Result)

    async def refer(self, sender: str, receiver: str, victim: str, service: str, **more: Any) -> Handover:
        """Refer a victim to a desk, and wait until the request arrives there. ``more``: ``unit`` and other fields."""
        unit = more.pop("unit")
        body = {
            "victim_id": victim,
            "service": service,
            "receiver": {"agency": receiver, "unit": unit},
            "basis": "vital-interest",
            **more,
        }
        created = await self.systems[sender].post("/v1/referrals", body)
        handover = Handover(created["id"], sender, receiver)
        self.result.handovers.append(handover)
        await self.systems[receiver].until(handover.path, lambda seen: seen["version"] >= 2)
        return handover

    async def act(self, handover: Handover, *actions: str, **body: Any) -> None:
        """Let the receiver act, one action after the other, and wait until the sender knows of the last."""
        for action in actions:
            done = await self.systems[handover.receiver].act(handover.id, action, body)
        await self.learned(handover, done["version"])

    async def learned(self, handover: Handover, version: int) -> Json:
        """Wait until the sender knows this version of a referral."""
        return await self.systems[handover.sender].until(handover.path, lambda seen: bool(seen["version"] >= version))

    async def for_both(self, step: Callable[[str], Awaitable[Any]]) -> list[Any]:
        """Do a step for both victims concurrently."""
        return list(await asyncio.gather(*(step(victim) for victim in self.result.victims)))

    async def file(self, agency: str, about: str, *forms: str, **named: str) -> list[Json]:
        """File these forms, one after the other, with the contents of ``deploy.journey.forms``. Returns the records.

        ``about``: ``cases/…``, ``victims/…``, ``referrals/…`` or ``desks/…``; ``named``: fields with earlier records.
        """
        system = self.systems[agency]
        return [await system.post(f"/v1/{about}/forms/{form}", {**ANSWERS[form], **named}) for form in forms]

    async def file_for_both(self, agency: str, *forms: str) -> None:
        """File these forms about both victims."""
        await self.for_both(lambda victim: self.file(agency, f"victims/{victim}", *forms))

    async def stage(self, agency: str, *stages: str) -> None:
        """Let the custody holder record stages for both victims."""
        for stage in stages:
            await self.for_both(
                lambda victim, stage=stage: self.systems[agency].post(  # type: ignore[misc]
                    f"/v1/victims/{victim}/stages", {"stage": stage}
                )
            )

    async def transfer(self, sender: str, receiver: str, service: str, unit: str, **more: Any) -> list[Handover]:
        """Request a transfer of both victims. The receiver has yet to accept and start. ``more``: as ``refer``."""

        async def one(victim: str) -> Handover:
            return await self.refer(sender, receiver, victim, service, unit=unit, kind="transfer", **more)

        transfers: list[Handover] = await self.for_both(one)
        return transfers

    async def act_on_both(self, handovers: Iterable[Handover], *actions: str, **body: Any) -> None:
        """Let the receiver do the same actions on all these hand-overs, concurrently."""
        await asyncio.gather(*(self.act(handover, *actions, **body) for handover in handovers))
