"""Situations of members towards a victim, each brought about by the honest work of real services."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from shared.reference.office import new_id
from tests.support.network import Network, a_victim, refer
from tests.support.post import Post

AGENCIES = ("police", "kemenpppa", "kemenkes", "kemensos")


@dataclass(frozen=True)
class Told:
    """The victim, the case and the referral that an event of a situation names; the two sides of the referral."""

    victim: str
    case: str
    referral: str
    sender: str
    receiver: str

    def other_side(self, by: str) -> str:
        """The side of the referral that is not ``by``."""
        return self.receiver if by == self.sender else self.sender


@dataclass
class Stories:
    """Members at work, and the post between them. Each story is about a victim of its own, found by the police."""

    network: Network
    post: Post

    async def found(self) -> tuple[str, str]:
        """The police find a victim; answers victim and case."""
        police = self.network["police"]
        victim = await a_victim(police)
        return victim, str((await police.get(f"/v1/victims/{victim}"))["case_id"])

    async def asks(self, by: str, victim: str, to: str, service: str, **more: Any) -> str:
        """One member asks another, which answers that it has received the request."""
        referral = await refer(self.network[by], victim, to, service, **more)
        self.post.goes_round()
        return referral

    async def acts(self, by: str, referral: str, action: str) -> None:
        """A member moves a referral, and everybody hears it."""
        await self.network[by].must(referral, action, **WITH.get(action, {}))
        self.post.goes_round()

    async def asked_for_a_service(self, *actions: str) -> Told:
        """The police ask Kemenkes for first aid, and Kemenkes acts."""
        victim, case = await self.found()
        referral = await self.asks("police", victim, "kemenkes", "first-aid")
        for action in actions:
            await self.acts("police" if action == "request-cancellation" else "kemenkes", referral, action)
        return Told(victim, case, referral, "police", "kemenkes")

    async def on_its_way(self) -> Told:
        """The request has reached coordination, and not yet Kemenkes."""
        victim, case = await self.found()
        self.post.goes_round()
        referral = await refer(self.network["police"], victim, "kemenkes", "first-aid")
        self.post.delivers([letter for letter in self.post.collects() if letter[0] == "coordination"])
        return Told(victim, case, referral, "police", "kemenkes")

    async def refused_once_and_taken_on_once(self) -> Told:
        """Kemenkes refuses first aid and takes on the treatment; the event names the refusal."""
        told = await self.asked_for_a_service("reject")
        other = await self.asks("police", told.victim, "kemenkes", "examination-and-treatment")
        await self.acts("kemenkes", other, "accept")
        return told

    async def offered_a_transfer(self, *actions: str) -> Told:
        """The police offer KemenPPPA the custody, and KemenPPPA acts."""
        victim, case = await self.found()
        referral = await self.asks("police", victim, "kemenpppa", "case-management", kind="transfer")
        for action in actions:
            await self.acts("police" if action == "request-cancellation" else "kemenpppa", referral, action)
        return Told(victim, case, referral, "police", "kemenpppa")

    async def handed_on_twice(self) -> Told:
        """KemenPPPA has taken custody and hands it on to Kemensos; the event names the second transfer."""
        told = await self.offered_a_transfer("accept")
        second = await self.asks("kemenpppa", told.victim, "kemensos", "shelter-and-rehabilitation", kind="transfer")
        await self.acts("kemensos", second, "accept")
        return Told(told.victim, told.case, second, "kemenpppa", "kemensos")

    async def came_back(self) -> Told:
        """Kemensos has had custody, gave it to KemenPPPA and has it again; the event names the last transfer."""
        victim, case = await self.found()
        for by, to, service in (
            ("police", "kemensos", "shelter-and-rehabilitation"),
            ("kemensos", "kemenpppa", "case-management"),
            ("kemenpppa", "kemensos", "shelter-and-rehabilitation"),
        ):
            referral = await self.asks(by, victim, to, service, kind="transfer")
            for action in ("accept", "start", "complete"):  # the same is not asked twice while it goes on
                await self.acts(to, referral, action)
        return Told(victim, case, referral, "kemenpppa", "kemensos")

    async def in_a_case_of_another(self) -> Told:
        """KemenPPPA opens a case of its own, and names a victim of the police in it."""
        told = await self.asked_for_a_service()
        case = {"unit": "uptd-ppa-74.01", "channel": "uptd", "exploitation": "online-scam"}
        opened = await self.network["kemenpppa"].post("/v1/cases", case)
        assert opened.status_code == 201, opened.text
        self.post.goes_round()
        return replace(told, case=opened.json()["id"])

    async def unheard(self) -> Told:
        """Nobody has heard of the victim, the case or the referral."""
        return Told(new_id(), new_id(), new_id(), "police", "kemenkes")


WITH: Mapping[str, Mapping[str, str]] = {
    "reject": {"reason": "no-capacity"},
    "hold": {"reason": "scheduled"},
    "complete": {"outcome": "service-provided"},
    "fail": {"reason": "no-show"},
    "request-cancellation": {"reason": "not-needed"},
}
"""Action → what it says beside."""
STORIES: Mapping[str, Callable[[Stories], Awaitable[Told]]] = {
    "requested": Stories.on_its_way,
    "received": Stories.asked_for_a_service,
    "accepted": lambda s: s.asked_for_a_service("accept"),
    "in-progress": lambda s: s.asked_for_a_service("accept", "start"),
    "on-hold": lambda s: s.asked_for_a_service("accept", "start", "hold"),
    "completed": lambda s: s.asked_for_a_service("accept", "start", "complete"),
    "failed": lambda s: s.asked_for_a_service("accept", "start", "fail"),
    "rejected": lambda s: s.asked_for_a_service("reject"),
    "cancelled": lambda s: s.asked_for_a_service("request-cancellation"),
    "refused once, taken on once": Stories.refused_once_and_taken_on_once,
    "transfer offered": Stories.offered_a_transfer,
    "transfer refused": lambda s: s.offered_a_transfer("reject"),
    "transfer taken back": lambda s: s.offered_a_transfer("request-cancellation"),
    "transferred": lambda s: s.offered_a_transfer("accept"),
    "transferred twice": Stories.handed_on_twice,
    "transferred back": Stories.came_back,
    "case of another": Stories.in_a_case_of_another,
    "unheard": Stories.unheard,
}


@asynccontextmanager
async def all_told(network: Network) -> AsyncIterator[Mapping[str, Told]]:
    """Every story told once, among members that no broker connects: story → its ids."""
    for code in (*AGENCIES, "coordination"):
        await network.start(code, online=False)
    stories = Stories(network, Post(network))
    yield {name: await story(stories) for name, story in STORIES.items()}
    await network.stop_all()
