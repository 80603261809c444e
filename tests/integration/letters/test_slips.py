"""A slip comes back on paper and is entered later, with the time at which it was signed."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from shared.casework.letters.tables import LetterRow
from shared.domain.access import Role
from shared.domain.letters import code_of
from shared.storage.tables import LedgerEntry
from tests.support.letters import CARE, SLIP, printed, slip_of, until_heard
from tests.support.network import Client, Network, a_victim, problem, refer, until_told

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def test_a_slip_that_is_entered_three_days_later_keeps_both_times(
    network: Network, asked: tuple[Client, Client, str]
) -> None:
    police, kemenkes, referral = asked
    code = await printed(police, referral, SLIP)
    await until_heard(police, kemenkes, referral)
    signed = network.clock() + HOUR
    network.clock.advance(3 * DAY)
    desk = await network.calling("kemenkes", Role.OFFICER, "rs-74.01")
    slip = slip_of(code.lower(), signed, answer="rejected", reason="other", note="Ruang penuh rekaan.")
    answered = await desk.post(f"/v1/referrals/{referral}/paper-answer", slip)
    assert (answered.status_code, answered.json()["status"]) == (200, "rejected"), answered.text

    await police.until_status(referral, "rejected")
    for side in (police, kemenkes):
        history = (await side.get(f"/v1/referrals/{referral}/history"))["items"]
        [told] = [item for item in history if item["type"] == "id.tppo.referral.rejected.v1"]
        assert datetime.fromisoformat(told["data"]["occurred_at"]) == signed
        assert datetime.fromisoformat(told["recorded_at"]) - signed > 2 * DAY
        assert datetime.fromisoformat(told["time"]) - signed > 2 * DAY
        assert "Petugas Rekaan" not in str(history)
    letters = network.apps["police"].state.database.read(lambda session: session.scalars(select(LetterRow)).all())
    assert [letter.event_id for letter in letters] == [told["causation_id"]]
    [note] = (await desk.get(f"/v1/referrals/{referral}/notes", purpose="care"))["items"]
    assert code in note["text"] and "Petugas Rekaan" in note["text"] and "Ruang penuh rekaan." in note["text"]


async def test_a_slip_that_is_none_of_this_referral_answers_nothing(
    network: Network, asked: tuple[Client, Client, str]
) -> None:
    police, kemenkes, referral = asked
    other = await refer(police, await a_victim(police), "kemenkes", CARE)
    await kemenkes.until_status(other, "received")
    elsewhere, letter, slip = (await printed(kemenkes, other, SLIP), await printed(police, referral),
                               await printed(kemenkes, referral, SLIP))  # fmt: skip
    await until_heard(police, kemenkes, referral)
    now, path = network.clock(), f"/v1/referrals/{referral}/paper-answer"
    typo = slip[:-1] + ("A" if slip[-1] != "A" else "B")
    for body, code, field in (
        (slip_of(elsewhere, now), "unknown-letter", "/letter"),
        (slip_of(letter, now), "unknown-letter", "/letter"),
        (slip_of(code_of(7), now), "unknown-letter", "/letter"),
        (slip_of(typo, now), "letter-code-mistyped", "/letter"),
        (slip_of(slip, now + DAY), "occurred-in-the-future", "/occurred_at"),
        (slip_of(slip, now - DAY), "answer-before-request", "/occurred_at"),
        (slip_of(slip, now, answer="rejected"), "reason-required", "/reason"),
        (slip_of(slip, now, reason="duplicate"), "reason-with-acceptance", "/reason"),
        (slip_of(slip, now, answer="rejected", reason="other"), "note-required", "/note"),
        ({**slip_of(slip, now), "occurred_at": None}, "invalid-request", "/occurred_at"),
    ):
        refused = await kemenkes.post(path, body)
        assert (problem(refused), refused.json()["errors"][0]["field"]) == (code, field)
    assert problem(await police.post(path, slip_of(slip, now))) == "not-your-move"
    assert (await kemenkes.get(f"/v1/referrals/{referral}"))["status"] == "received"
    assert (await kemenkes.post(path, slip_of(slip, now))).status_code == 200
    assert problem(await kemenkes.post(path, slip_of(slip, now))) == "move-not-allowed"


@pytest.mark.parametrize("hours", [1, 3])
async def test_a_clock_that_had_run_out_is_judged_by_when_the_slip_was_signed(network: Network, hours: int) -> None:
    """In Barito Utara a desk answers within two hours. Nobody could know of the paper when they were over."""
    police, kemenpppa = await network.start("police"), await network.start("kemenpppa")
    victim = await a_victim(police, "polres-62.05", home_region="62.05")
    referral = await refer(police, victim, "kemenpppa", "case-management")
    await kemenpppa.until_status(referral, "received")
    slip = await printed(kemenpppa, referral, SLIP)
    signed = network.clock() + hours * HOUR
    network.clock.advance(4 * HOUR)
    for code in ("police", "kemenpppa"):
        await until_told(network, code, 2)
        assert ("breached", None) in told_of_clocks(network, code)

    answered = await kemenpppa.post(f"/v1/referrals/{referral}/paper-answer", slip_of(slip, signed))
    assert answered.status_code == 200, answered.text
    await police.until_status(referral, "accepted")
    for code in ("police", "kemenpppa"):  # each for its own desk, and both say the same
        assert told_of_clocks(network, code)[-1] == ("stopped", (hours < 2, signed))


def told_of_clocks(network: Network, code: str) -> list[tuple[str, Any]]:
    """A member's words about its clocks, in order: the step; for an end also the moment, and whether in time."""

    def look(session: Session) -> list[tuple[str, Any]]:
        sent = select(LedgerEntry).where(col(LedgerEntry.sent), col(LedgerEntry.type).startswith("id.tppo.clock."))
        told = []
        for entry in session.scalars(sent.order_by(col(LedgerEntry.position))):
            data = json.loads(entry.body)["data"]
            end = (data["in_time"], datetime.fromisoformat(data["occurred_at"])) if "in_time" in data else None
            told.append((entry.type.split(".")[3], end))
        return told

    found: list[tuple[str, Any]] = network.apps[code].state.database.read(look)
    return found
