"""What a journey is made of: referrals asked, answered and learned of, forms, stages; for one victim or for both."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from deploy.agency_system import AgencySystem, Json, new_id
from deploy.journey_forms import ANSWERS

Report = Callable[[str, str, str], None]
"""Hears of each step that is done: the agency that did it, what it did in Indonesian, and in English."""


class JourneyBroken(Exception):
    """The journey ended, and what stands in the services is not what must stand there."""


@dataclass(frozen=True, slots=True)
class Handover:
    """One referral or transfer between two members."""

    id: str
    sender: str
    receiver: str

    @property
    def path(self) -> str:
        """Its address, the same at both."""
        return f"/v1/referrals/{self.id}"


@dataclass
class Result:
    """What a journey leaves behind."""

    case_id: str = ""
    victims: list[str] = field(default_factory=list)
    handovers: list[Handover] = field(default_factory=list)
    custody: dict[str, list[str]] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass
class Journey:
    """The journey under way."""

    systems: Mapping[str, AgencySystem]
    report: Report
    result: Result = field(default_factory=Result)

    async def refer(self, sender: str, receiver: str, victim: str, service: str, **more: Any) -> Handover:
        """Ask a desk, and wait until the request has arrived there."""
        unit = more.pop("unit")
        body = {
            "referral_id": new_id(),
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
        """The receiver acts, one action after the other; wait until the sender has learned of the last."""
        for action in actions:
            done = await self.systems[handover.receiver].act(handover.id, action, body)
        await self.learned(handover, done["version"])

    async def learned(self, handover: Handover, version: int) -> Json:
        """Wait until the sender knows this version."""
        return await self.systems[handover.sender].until(handover.path, lambda seen: bool(seen["version"] >= version))

    async def for_both(self, step: Callable[[str], Awaitable[Any]]) -> list[Any]:
        """Do the same for both victims at once."""
        return list(await asyncio.gather(*(step(victim) for victim in self.result.victims)))

    async def file(self, agency: str, about: str, *forms: str, **named: str) -> list[Json]:
        """File these forms about ``cases/…``, ``victims/…``, ``referrals/…`` or ``desks/…``, one after the other, as
        they are answered in ``journey_forms``; ``named``: earlier records. Answers the records."""
        system = self.systems[agency]
        return [await system.post(f"/v1/{about}/forms/{form}", {**ANSWERS[form], **named}) for form in forms]

    async def file_for_both(self, agency: str, *forms: str) -> None:
        """File these about both victims."""
        await self.for_both(lambda victim: self.file(agency, f"victims/{victim}", *forms))

    async def stage(self, agency: str, *stages: str) -> None:
        """The custody holder records stages, for both victims."""
        for stage in stages:
            await self.for_both(
                lambda victim, stage=stage: self.systems[agency].post(  # type: ignore[misc]
                    f"/v1/victims/{victim}/stages", {"stage": stage}
                )
            )

    async def transfer(self, sender: str, receiver: str, service: str, unit: str) -> list[Handover]:
        """Hand both victims over: asked by the one, accepted and started by the other."""

        async def one(victim: str) -> Handover:
            return await self.refer(sender, receiver, victim, service, unit=unit, kind="transfer")

        transfers: list[Handover] = await self.for_both(one)
        return transfers

    async def act_on_both(self, handovers: Iterable[Handover], *actions: str, **body: Any) -> None:
        """The receiver does the same to both."""
        await asyncio.gather(*(self.act(handover, *actions, **body) for handover in handovers))
