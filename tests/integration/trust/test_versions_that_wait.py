"""Versions that wait for an earlier one apply when it comes, however many they are."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from shared.contracts import events as e
from shared.contracts.codes import HoldReason
from shared.storage.tables import ParkedEvent
from tests.support.claims import arrive, letter
from tests.support.network import Client, Network, a_victim, refer

WAITING = 400
"""More than the stack of Python holds, if each one applied inside of the one before."""


async def test_hundreds_of_versions_that_wait_for_one_apply_when_it_comes(
    network: Network, police: Client, kemenpppa: Client
) -> None:
    """None of them is called ``apply-failed`` on the way, which is the word for a fault of this service."""
    victim = await a_victim(police)
    await network.stop("kemenpppa")
    referral = await refer(police, victim, "kemenpppa", "case-management")
    named: dict[str, Any] = {"referral_id": referral, "victim_id": victim, "occurred_at": datetime.now(UTC)}
    pause = [e.Held(**named, reason=HoldReason.AWAITING_INFORMATION), e.Resumed(**named)]
    said = [e.Received(**named), e.Accepted(**named), e.Started(**named), *pause * (WAITING // 2)]
    letters = [letter(network, "kemenpppa", "police", one, 50 + v, v) for v, one in enumerate(said, 2)]
    arrive(network, "police", *letters[1:], letters[0])

    def parked(session: Session) -> set[tuple[str, bool]]:
        rows = session.scalars(select(ParkedEvent)).all()
        return {(row.reason, row.resolved_at is not None) for row in rows}

    assert network.apps["police"].state.database.read(parked) == {("version-gap", True)}
    assert (await police.get(f"/v1/referrals/{referral}"))["version"] == len(said) + 1
