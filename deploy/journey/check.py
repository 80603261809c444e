"""Whether the services tell the same story when the journey has ended."""

import asyncio
from collections.abc import Mapping
from typing import Any

from deploy.client.agency_system import Json
from deploy.journey.steps import Handover, Journey, JourneyBroken
from deploy.journey.story import ENDED, HOME, KOLAKA

CUSTODY = [
    ("police", f"polres-{KOLAKA}"),
    ("kemenpppa", f"uptd-ppa-{KOLAKA}"),
    ("kemensos", f"dinsos-{KOLAKA}"),
    ("kemensos", f"dinsos-{HOME}"),
]
"""The custody chain of both victims: (agency, desk) in their order."""


async def verify(journey: Journey) -> None:
    """Check that both sides agree on every referral, and that coordination shows the same journeys.

    Raises JourneyBroken or TimeoutError.
    """
    agreed = await asyncio.gather(*(_both_sides_agree(journey, handover) for handover in journey.result.handovers))
    coordination = journey.systems["coordination"]
    for victim in journey.result.victims:
        told = {view["id"]: _standing(view) for view in agreed if view["victim_id"] == victim}

        def is_whole(seen: Json, told: Mapping[str, Any] = told) -> bool:
            return seen["closed_at"] is not None and told == {v["id"]: _standing(v) for v in seen["handovers"]}

        seen = await coordination.until(f"/v1/journeys/{victim}", is_whole)
        chain = [(link["agency"], link["unit"]) for link in seen["custody_chain"]]
        if chain != CUSTODY or seen["live_handovers"] != 0 or seen["outcome"] != "reintegrated":
            raise JourneyBroken(f"journey {victim} at coordination: {chain}, {seen['live_handovers']} live")
        journey.result.custody[victim] = [unit for _, unit in chain]
    journey.report(
        "coordination",
        "Kedua perjalanan ditutup; penanggung jawab Polri → KemenPPPA → Kemensos Kolaka → Kemensos Makassar",
        "both journeys closed; somebody was responsible at every moment; no referral is open",
    )


def _standing(view: Json) -> tuple[str, int]:
    return view["status"], view["version"]


async def _both_sides_agree(journey: Journey, handover: Handover) -> Json:
    here, there = (journey.systems[side] for side in (handover.receiver, handover.sender))
    decided = await here.get(handover.path)
    known = await there.until(handover.path, lambda seen: bool(seen["version"] >= decided["version"]))
    if decided["status"] not in ENDED or _standing(known) != _standing(decided):
        raise JourneyBroken(f"{handover}: {_standing(known)} at the sender, {_standing(decided)} at the receiver")
    return decided
