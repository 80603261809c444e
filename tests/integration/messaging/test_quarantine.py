"""Noise on the wire: bounded, sealed, with its sender named; and what is trusted and waits is told of."""

import asyncio
import hashlib
import io
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import structlog
import typer
from sqlalchemy import select
from sqlmodel import col

from shared.contracts.codes import ReceiptOutcome
from shared.contracts.envelope import Draft, write
from shared.contracts.events import EventData, ReceiptRecorded, Reminder
from shared.logs.setup import configure_logs
from shared.messaging import parked as module
from shared.messaging.broker import Outgoing
from shared.messaging.quarantine import EXCERPT, MOST_BYTES, MOST_MESSAGES, open_excerpt
from shared.reference.office import new_id
from shared.security.sealing import Unopenable
from shared.service.commands import open_parked
from shared.storage.ledger import FARTHEST
from shared.storage.tables import LedgerEntry, ParkedEvent
from tests.support.by_hand import posted
from tests.support.canary_places import backups
from tests.support.network import Network
from tests.support.tokens import trusting
from tests.support.wire import key_of, let_in, subject_of

NOISE, EACH = 150, 60_000
NAMED = "KENARI REKAAN MELATI"
REMIND = "tppo.kemensos.kemenkes.referral.reminder.74.01"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The log of every member, once ``hear`` has been called."""
    before, written = structlog.get_config(), io.StringIO()
    yield written
    structlog.configure(**before)


def hear(log: io.StringIO) -> None:
    """Let the log be heard: a service that starts configures it anew."""
    configure_logs("info", log)


def lines(log: io.StringIO, event: str) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, log.getvalue().splitlines()) if line["event"] == event]


def noise(number: int, size: int = EACH) -> bytes:
    return json.dumps({"nama": NAMED, "nik": "3171234567890123", "n": number}).encode().ljust(size, b"x")


def rows(network: Network, code: str) -> list[ParkedEvent]:
    in_order = select(ParkedEvent).order_by(col(ParkedEvent.number))
    found = network.apps[code].state.database.read(lambda s: s.scalars(in_order).all())
    return list(found)


async def listed(network: Network, code: str) -> dict[str, Any]:
    page: dict[str, Any] = await (await network.operator(code)).get("/v1/parked", limit=200)
    return page


# --- untrusted --------------------------------------------------------------------------------------------------------


async def test_noise_stays_bounded_at_both_and_its_sender_is_named(network: Network, log: io.StringIO) -> None:
    """One account sends 9 MB of unsigned noise in one second. Both members that read it keep next to nothing."""
    for code in ("kemenkes", "coordination"):
        await network.start(code)
    hear(log)
    broker = network.nats.broker("kemensos")
    await broker.connect()
    sent = [Outgoing(REMIND, new_id(), noise(number), "") for number in range(NOISE)]
    async with asyncio.timeout(60):
        while sent:  # a busy machine does not store all of it at once
            stored = set(await broker.publish(sent[:25]))
            sent = [one for one in sent if one.event_id not in stored]
    await broker.close()
    for code in ("kemenkes", "coordination"):
        with network.apps[code].state.notifier.watching("never") as watch:
            async with asyncio.timeout(60):
                while await network.apps[code].state.broker.waiting() != 0:
                    await watch.next(0.05)
        kept, page = rows(network, code), await listed(network, code)
        assert 0 < len(kept) <= MOST_MESSAGES
        assert sum(len(row.body) for row in kept) <= MOST_BYTES
        assert {(item["sender"], item["reason"], item["size"]) for item in page["items"]} == {
            ("kemensos", "unsigned", EACH)
        }
        [unkept] = page["unkept"]
        assert (unkept["sender"], unkept["messages"]) == ("kemensos", NOISE - len(kept))
        assert unkept["bytes"] == unkept["messages"] * EACH
    alarms = lines(log, "reception.sender-floods")
    assert {alarm["sender"] for alarm in alarms} == {"kemensos"} and {alarm["level"] for alarm in alarms} == {"error"}
    assert 2 <= len(alarms) <= 20  # of two members, at the first and at each doubling
    for place, content in backups(network):
        assert NAMED.encode() not in content and b"3171234567890123" not in content, place
        assert NAMED.encode().hex().encode() not in content.lower(), place


@pytest.mark.parametrize("size", [10, EXCERPT, EXCERPT + 1, EACH])
async def test_of_a_body_a_sealed_beginning_is_kept_that_the_member_alone_opens(two: Network, size: int) -> None:
    body = noise(1, size)
    let_in(two, "kemenkes", REMIND, body, NAMED)  # the signature is a header: any text
    [row] = rows(two, "kemenkes")
    assert (row.sha256, row.size, row.signature) == (hashlib.sha256(body).hexdigest(), len(body), None)
    assert NAMED.encode() not in row.body and len(row.body) <= EXCERPT + 512
    assert open_excerpt(two.apps["kemenkes"].state.office.vault, row) == body[:EXCERPT]
    with pytest.raises(Unopenable):
        open_excerpt(two.apps["police"].state.office.vault, row)


async def test_a_message_is_kept_once_and_a_quiet_sender_has_room_beside_a_loud_one(two: Network) -> None:
    for number in range(NOISE):
        let_in(two, "kemenkes", REMIND, noise(number, 100), None)
        let_in(two, "kemenkes", REMIND, noise(number, 100), None)
    assert len(rows(two, "kemenkes")) == MOST_MESSAGES
    let_in(two, "kemenkes", "tppo.police.kemenkes.referral.reminder.74.01", b"{}", None)
    let_in(two, "kemenkes", "elsewhere.3171234567890123", b"[]", None)
    *_, quiet, nobody = rows(two, "kemenkes")
    assert (quiet.sender, nobody.sender, nobody.subject) == ("police", "?", "tppo.?.?.?.?.?.?")


@pytest.mark.parametrize("code", ["kemenkes", "coordination"])
async def test_a_name_or_a_number_as_a_subject_is_in_no_column_and_no_answer(two: Network, code: str) -> None:
    if code == "coordination":
        await two.start(code, online=False)
    told = {
        "tppo.kemensos.kemenkes.kenari.melati.74.01": "tppo.kemensos.kemenkes.?.?.74.01",
        "tppo.kemensos.kenari-melati.referral.reminder.74.01": "tppo.kemensos.?.referral.reminder.74.01",
        "tppo.kemensos.kemenkes.referral.reminder.31.71234567890123": "tppo.kemensos.kemenkes.referral.reminder.?.?",
        "tppo.kemensos.kemenkes.referral.reminder.74.01.kenari": "tppo.kemensos.kemenkes.?.?.?.?",
        "tppo.kenari.kemenkes.referral.reminder.74.01": "tppo.?.kemenkes.referral.reminder.74.01",
    }
    for number, subject in enumerate(told):
        let_in(two, code, subject, noise(number, 100), None)
    assert [row.subject for row in rows(two, code)] == list(told.values())
    shown = json.dumps(await listed(two, code)).lower()
    assert not [word for word in ("kenari", "melati", "7123456") if word in shown]


async def test_what_is_untrusted_leaves_the_list_after_thirty_days(two: Network) -> None:
    for number in range(MOST_MESSAGES + 1):
        let_in(two, "kemenkes", REMIND, noise(number, 100), None)
    database = two.apps["kemenkes"].state.database
    two.clock.advance(timedelta(days=30) - timedelta(minutes=1))
    assert database.write(module.forget_parked) == 0
    assert database.read(module.next_forgotten_parked) <= two.clock() + timedelta(minutes=1)
    two.clock.advance(timedelta(minutes=1))
    assert database.write(module.forget_parked) == MOST_MESSAGES
    page = await listed(two, "kemenkes")
    assert (page["items"], page["unkept"]) == ([], [])


async def test_an_operator_on_the_host_opens_a_beginning_and_the_log_tells(
    two: Network, log: io.StringIO, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    let_in(two, "kemenkes", REMIND, b'{"nama":"' + NAMED.encode() + b"\n\xff", None)
    told = {"database_url": two.database_url("kemenkes"), **trusting("kemenkes", two.secrets)}
    for name, value in told.items():
        monkeypatch.setenv(f"ESTAFET_{name.upper()}", str(value))
    open_parked("services.kemenkes.main", 1)
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1] == r'{"nama":"KENARI REKAAN MELATI\n\\xff'
    assert "reception.excerpt-opened" in printed.err and NAMED not in printed.err
    with pytest.raises(typer.Exit):
        open_parked("services.kemenkes.main", 2)


# --- trusted, and waiting ---------------------------------------------------------------------------------------------


def tell(network: Network, data: EventData, linkseq: int | None, at: datetime | None = None) -> str:
    """Kemensos tells kemenkes something, signed. Answers the id of the event."""
    victim = getattr(data, "victim_id", None)
    draft = Draft(new_id(), data, "kemenkes", "dinsos-74.01", "74.01", victim, 1)
    body = write(draft, "kemensos", linkseq, at or network.clock())
    let_in(network, "kemenkes", subject_of("kemensos", "kemenkes", data), body, key_of(network, "kemensos").sign(body))
    return draft.id


def a_reminder(network: Network) -> Reminder:
    return Reminder(referral_id=new_id(), victim_id=new_id(), occurred_at=network.clock())


async def test_what_waits_for_thirty_days_is_told_once_with_its_sender_and_stays_listed(
    two: Network, log: io.StringIO
) -> None:
    hear(log)
    database = two.apps["kemenkes"].state.database
    tell(two, a_reminder(two), 1)
    two.clock.advance(timedelta(days=29))
    tell(two, a_reminder(two), 2)
    database.write(module.forget_parked)
    assert lines(log, "reception.waits-too-long") == []
    assert database.read(module.next_forgotten_parked) <= two.clock() + timedelta(days=1)
    two.clock.advance(timedelta(days=1))
    for _ in range(2):
        database.write(module.forget_parked)
    [alarm] = lines(log, "reception.waits-too-long")
    assert (alarm["sender"], alarm["messages"], alarm["level"]) == ("kemensos", 1, "error")
    two.clock.advance(timedelta(days=3650))
    database.write(module.forget_parked)
    assert len(lines(log, "reception.waits-too-long")) == 2
    assert [item["told_at"] is not None for item in (await listed(two, "kemenkes"))["items"]] == [True, True]


async def test_a_sender_with_too_many_that_wait_is_told_and_none_of_them_is_lost(
    two: Network, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    hear(log)
    monkeypatch.setattr(module, "MOST_WAITING", 5)
    for number in range(1, 8):
        tell(two, a_reminder(two), number)
        two.apps["kemenkes"].state.database.write(module.forget_parked)
    [alarm] = lines(log, "reception.waits-too-long")
    assert (alarm["sender"], alarm["messages"]) == ("kemensos", 5)
    assert len((await listed(two, "kemenkes"))["items"]) == 7


# --- numbers ----------------------------------------------------------------------------------------------------------


def recorded(network: Network, event_id: str) -> bool:
    """Whether kemenkes has an event in its ledger."""
    database = network.apps["kemenkes"].state.database
    found = database.read(lambda s: s.scalars(select(LedgerEntry).where(col(LedgerEntry.event_id) == event_id)).first())
    return found is not None


def answers(network: Network) -> list[str]:
    """The events for which kemenkes has sent a receipt to kemensos."""
    return [json.loads(message.body)["data"]["event_id"] for message in posted(network, "kemenkes", "kemensos")]


@pytest.mark.parametrize("beyond", [1, 2**62])
async def test_a_number_far_ahead_is_not_recorded_and_comes_again_when_its_time_is_there(
    two: Network, beyond: int
) -> None:
    first = tell(two, a_reminder(two), 7)
    nearest = tell(two, a_reminder(two), 7 + FARTHEST)
    far = tell(two, a_reminder(two), 7 + 2 * FARTHEST + beyond)
    assert [recorded(two, one) for one in (first, nearest, far)] == [True, True, False]
    assert answers(two) == [first, nearest]
    item, *_ = (await listed(two, "kemenkes"))["items"]
    assert (item["reason"], item["trusted"], item["sender"]) == ("number-far-ahead", False, "kemensos")
    [link] = (await (await two.operator("kemenkes")).get("/v1/links"))["items"][-1:]
    assert (link["link"], link["last"]) == ("kemensos>kemenkes", 7 + FARTHEST)


async def test_a_numbered_type_without_a_number_is_parked_and_stays_so(two: Network) -> None:
    tell(two, a_reminder(two), None)
    [item] = (await listed(two, "kemenkes"))["items"]
    assert (item["reason"], item["trusted"]) == ("number-missing", True)
    replayed = await (await two.operator("kemenkes")).post(f"/v1/parked/{item['number']}/replay")
    assert replayed.status_code == 409


async def test_an_unnumbered_type_with_a_number_is_parked(two: Network) -> None:
    receipt = ReceiptRecorded(event_id=new_id(), sha256="0" * 64, linkseq=1, outcome=ReceiptOutcome.APPLIED)
    tell(two, receipt, 1)
    [item] = (await listed(two, "kemenkes"))["items"]
    assert item["reason"] == "number-not-expected"
