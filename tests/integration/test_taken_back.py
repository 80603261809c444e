"""What a person takes back stays taken back: in whatever order word of it comes, by whatever way, wherever it lies."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, select
from sqlmodel import col

from deploy.embedded_nats import EmbeddedNats
from shared.contracts.codes import DisclosureEnd, IdentityField, InformationKind
from shared.contracts.envelope import Envelope
from shared.contracts.events import DisclosureEnded, ErasureRequested, InformationProvided
from shared.domain.access import Role
from shared.messaging.broker import Incoming
from shared.service import sealed
from shared.service.erasure import Answer, note
from shared.service.office import draft, new_id
from shared.storage.privacy_tables import DataKeyRow
from shared.storage.tables import LedgerEntry, OutboxEntry, ParkedEvent
from tests.integration.test_trust import (
    WHO,
    consent,
    given_and_received,
    keys_left,
    look,
    until_disclosure,
    until_forgotten,
)
from tests.support.network import Client, Network, a_victim, asking, erase, problem, refer

NAMED = {"name": WHO["name"], "born_on": WHO["born_on"]}
"""What Kemenkes is told for first aid."""
BY_PAPER = {"name": "Melati Contoh Rekaan"}
"""What a hospital writes down by itself."""


# --- by hand: the events of one member, given to another in an order of our own ---------------------------------------


@pytest.fixture
async def two(tmp_path: Path, secrets: Path, database_url: Callable[[str], str]) -> AsyncIterator[Network]:
    """The police and Kemenkes with no broker between them: the test is the post."""
    network = Network(tmp_path, secrets, EmbeddedNats(tmp_path / "nats", secrets), database_url)
    for code in ("police", "kemenkes"):
        await network.start(code, online=False)
    yield network
    await network.stop_all()


def posted(network: Network, by: str = "police", to: str = "kemenkes") -> list[Incoming]:
    """What a member has sent another so far, as it would arrive if it were published now, keys and all."""
    columns = (OutboxEntry.subject, LedgerEntry.body, LedgerEntry.signature, OutboxEntry.key)
    sent = (
        select(*map(col, columns))
        .join(LedgerEntry, col(LedgerEntry.event_id) == col(OutboxEntry.event_id))
        .where(col(OutboxEntry.peer) == to)
        .order_by(col(OutboxEntry.position))
    )
    rows = network.apps[by].state.database.read(lambda s: s.execute(sent).all())
    return [Incoming(subject, body, signature, None, key) for subject, body, signature, key in rows]  # type: ignore[arg-type]


def deliver(network: Network, *messages: Incoming, to: str = "kemenkes") -> None:
    app = network.apps[to]
    for message in messages:
        app.state.database.write(lambda tx, m=message: app.state.reception(tx, [m]))


def parked(network: Network, code: str = "kemenkes") -> list[tuple[str, bool, bool]]:
    """Of everything that was ever parked: why, whether it has been applied since, whether a key is kept with it."""
    rows = network.apps[code].state.database.read(lambda s: s.scalars(select(ParkedEvent)).all())
    return [(row.reason, row.resolved_at is not None, row.key is not None) for row in rows]


async def take_back(network: Network, how: str, victim: str) -> None:
    """The police take back what they gave: the consent is withdrawn, or the person erased."""
    if how == "erasure":
        await erase(network, "police", victim)
    else:
        answer = await network["police"].post(f"/v1/victims/{victim}/consents/withdrawal")
        assert answer.status_code == 200, answer.text


HOW = pytest.mark.parametrize("how", ["withdrawal", "erasure"])


@HOW
async def test_word_that_overtakes_the_request_waits_for_it(two: Network, how: str) -> None:
    """A broker may hand over the request last: it was pulled by a process that died, and comes again."""
    police = two["police"]
    victim = await a_victim(police, identity=WHO)
    await consent(police, victim)
    await refer(police, victim, "kemenkes", "first-aid", basis="consent")
    [request] = posted(two)
    assert request.key
    await take_back(two, how, victim)
    _, *later = posted(two)
    deliver(two, *later)
    assert ("not-theirs-to-say", False, False) in parked(two)
    deliver(two, request)
    assert all(applied for _, applied, _ in parked(two))
    assert keys_left(two, "kemenkes") == 0
    deliver(two, request)  # and once more
    assert keys_left(two, "kemenkes") == 0


@HOW
async def test_a_key_that_comes_after_word_to_destroy_it_is_not_kept(two: Network, how: str) -> None:
    """Kemenkes knows her by a first request already, so that it obeys at once; then the second request comes."""
    police = two["police"]
    victim = await a_victim(police, identity=WHO)
    await consent(police, victim)
    await refer(police, victim, "kemenkes", "first-aid", basis="consent")
    await refer(police, victim, "kemenkes", "examination-and-treatment", basis="consent")
    first, second = posted(two)
    deliver(two, first)
    assert keys_left(two, "kemenkes") == 1
    await take_back(two, how, victim)
    deliver(two, *posted(two)[2:])
    assert keys_left(two, "kemenkes") == 0
    deliver(two, second)
    assert keys_left(two, "kemenkes") == 0
    assert len((await two["kemenkes"].get("/v1/referrals"))["items"]) == 2


async def test_what_was_asked_on_another_basis_is_given_though_a_consent_was_withdrawn_since(two: Network) -> None:
    police = two["police"]
    victim = await a_victim(police, identity=WHO)
    await consent(police, victim)
    await refer(police, victim, "kemenkes", "first-aid", basis="consent")
    await refer(police, victim, "kemenkes", "examination-and-treatment", basis="vital-interest")
    first, second = posted(two)
    deliver(two, first)
    await take_back(two, "withdrawal", victim)
    deliver(two, *posted(two)[2:], second)
    assert keys_left(two, "kemenkes") == 1


@HOW
async def test_a_key_that_waits_beside_a_parked_event_is_destroyed(two: Network, how: str) -> None:
    """What is told later with the second request comes before it, and waits for it with its key."""
    police = two["police"]
    victim = await a_victim(police, identity=WHO)
    await consent(police, victim)
    await refer(police, victim, "kemenkes", "first-aid", basis="consent")
    asked = await refer(police, victim, "kemenkes", "examination-and-treatment", basis="consent")
    first, second = posted(two)
    deliver(two, first)
    told = informing(two, victim, asked)
    deliver(two, told)
    assert parked(two) == [("unknown-referral", False, True)]
    await take_back(two, how, victim)
    deliver(two, *posted(two)[3:])
    assert parked(two)[0] == ("unknown-referral", False, False)
    deliver(two, second)
    assert keys_left(two, "kemenkes") == 0


def informing(network: Network, victim: str, referral: str, by: str = "police", to: str = "kemenkes") -> Incoming:
    """A member tells who she is a second time, with a request that has been sent."""
    app = network.apps[by]

    def tell(tx: Any) -> None:
        given = sealed.give(tx, app.state.office, victim, referral, to, frozenset({IdentityField.NAME}))
        assert given is not None
        event = InformationProvided(
            referral_id=referral,
            victim_id=victim,
            occurred_at=tx.now,
            about=InformationKind.IDENTITY,
            sealed=given.sealed,
        )
        unit = app.state.office.speaker(tx.now.date())
        tx.emit(
            draft(event, to, unit, victim_id=victim, sequence=1, basis="consent", key=given.key)
        )  # as the service would

    app.state.database.write(tell)
    return posted(network, by, to)[-1]


async def test_who_erases_keeps_no_key_that_waits_either(two: Network) -> None:
    """A hospital tells the police who she is, with a request that has not come yet; the police erase her."""
    police, kemenkes = two["police"], two["kemenkes"]
    victim = await a_victim(police)
    asked = await refer(police, victim, "kemenkes", "first-aid")
    deliver(two, *posted(two))
    await kemenkes.must(asked, "accept")
    assert (await kemenkes.post(f"/v1/victims/{victim}/identity", BY_PAPER)).status_code == 200
    onward = await refer(kemenkes, victim, "police", "investigation")
    deliver(two, informing(two, victim, onward, "kemenkes", "police"), to="police")
    assert parked(two, "police") == [("unknown-referral", False, True)]
    await take_back(two, "erasure", victim)
    assert parked(two, "police") == [("unknown-referral", False, False)]


@HOW
async def test_what_waits_to_be_sent_goes_without_its_key(two: Network, how: str) -> None:
    police = two["police"]
    victim = await a_victim(police, identity=WHO)
    await consent(police, victim)
    await refer(police, victim, "kemenkes", "first-aid", basis="consent")
    assert [message.key is not None for message in posted(two)] == [True]
    await take_back(two, how, victim)
    assert not any(message.key for message in posted(two))


async def test_nobody_is_told_of_another_victim_through_a_request_of_its_own(two: Network) -> None:
    """A peer that may speak of one victim says the id of another: it is parked, and nothing is written over."""
    police, kemenkes = two["police"], two["kemenkes"]
    known = await a_victim(police, identity={"name": "Benar Rekaan"})
    asked = await refer(police, known, "kemenkes", "first-aid")
    deliver(two, *posted(two))
    await kemenkes.must(asked, "accept")
    other = await a_victim(police, identity={"name": "Palsu Rekaan"})
    referral = await refer(police, other, "kemenkes", "first-aid")
    deliver(two, *posted(two)[1:])
    app = two.apps["police"]

    def forge(tx: Any) -> None:
        office = app.state.office
        source = sealed.own_source(known)
        sealed.put(tx, office, known, source, sealed.IDENTITY, {"name": "Palsu Rekaan"})
        tx.session.flush()
        given = sealed.give(tx, office, known, referral, "kemenkes", frozenset({IdentityField.NAME}))
        assert given is not None
        event = InformationProvided(
            referral_id=referral,
            victim_id=known,
            occurred_at=tx.now,
            about=InformationKind.IDENTITY,
            sealed=given.sealed,
        )
        unit = office.speaker(tx.now.date())
        tx.emit(draft(event, "kemenkes", unit, victim_id=known, sequence=1, basis="vital-interest", key=given.key))

    app.state.database.write(forge)
    deliver(two, posted(two)[-1])
    assert parked(two)[-1][:2] == ("id-of-another-victim", False)
    assert await look(kemenkes, known) == {"name": "Benar Rekaan"}


async def test_what_came_with_a_request_that_nobody_has_accepted_changes_nothing_that_is_shown(two: Network) -> None:
    police, kemenkes = two["police"], two["kemenkes"]
    victim = await a_victim(police, identity={"name": "Benar Rekaan"})
    asked = await refer(police, victim, "kemenkes", "first-aid")
    deliver(two, *posted(two))
    await kemenkes.must(asked, "accept")
    assert (await police.post(f"/v1/victims/{victim}/identity", {"name": "Lain Rekaan"})).status_code == 200
    second = await refer(police, victim, "kemenkes", "examination-and-treatment")
    deliver(two, *posted(two)[1:])
    assert await look(kemenkes, victim) == {"name": "Benar Rekaan"}
    await kemenkes.must(second, "accept")
    assert await look(kemenkes, victim) == {"name": "Lain Rekaan"}


async def test_the_files_of_a_database_hold_no_key_that_was_destroyed(two: Network) -> None:
    """Also when somebody was reading meanwhile, who keeps the write-ahead log from being emptied at once."""
    police, database = two["police"], two.apps["police"].state.database
    if database.engine.dialect.name != "sqlite":
        return  # PostgreSQL keeps it until the storage key is replaced: decision 0020
    victim = await a_victim(police, identity=WHO)
    [key] = database.read(lambda s: s.scalars(select(col(DataKeyRow.wrapped))).all())

    def lies_in() -> list[str]:
        file = Path(str(make_url(str(database.engine.url)).database))
        return [path.name for path in file.parent.glob(f"{file.name}*") if str(key).encode() in path.read_bytes()]

    assert lies_in()
    with database.engine.connect() as reader:
        reader.exec_driver_sql("SELECT count(*) FROM data_keys").fetchone()
        await take_back(two, "erasure", victim)
        assert lies_in()
        reader.rollback()
    await police.post("/v1/cases", {"unit": "polres-74.01", "channel": "spkt", "exploitation": "sexual"})
    assert lies_in() == []
    assert await look(police, victim) == "no-identity"


# --- over the broker --------------------------------------------------------------------------------------------------


async def hospital(network: Network, **known: Any) -> tuple[Client, Client, str, str]:
    """A hospital at work for somebody whom the police found: both, the victim and the referral."""
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    victim = await a_victim(police, **known)
    referral = await refer(police, victim, "kemenkes", "first-aid")
    await kemenkes.until_status(referral, "received")
    await kemenkes.must(referral, "accept")
    return police, kemenkes, victim, referral


async def test_an_erasure_reaches_who_wrote_down_by_itself_what_nobody_gave_it(network: Network) -> None:
    _, kemenkes, victim, _ = await hospital(network)
    assert (await kemenkes.post(f"/v1/victims/{victim}/identity", BY_PAPER)).status_code == 200
    assert await look(kemenkes, victim) == BY_PAPER
    await take_back(network, "erasure", victim)
    await until_forgotten(network, "kemenkes", victim)
    assert await look(kemenkes, victim) == "no-identity"


def say_erase(network: Network, code: str, to: str, victim: str, erasure_id: str | None = None) -> None:
    """A member tells another to erase somebody, whether that is its to say or not."""
    app = network.apps[code]

    def tell(tx: Any) -> None:
        unit = app.state.office.speaker(tx.now.date())
        asked = ErasureRequested(erasure_id=erasure_id or new_id(), victim_id=victim, unit=unit, occurred_at=tx.now)
        note(tx, code, asked, Answer(DisclosureEnd.ERASED, None, ()))
        tx.emit(draft(asked, to, unit, victim_id=victim))

    app.state.database.write(tell)


async def test_a_peer_has_erased_what_it_gave_and_not_what_we_found_ourselves(network: Network) -> None:
    """The police found her and have handed her over; a hospital has told them who she is, and asks for an erasure."""
    police, kemenkes, victim, _ = await hospital(network, identity=WHO)
    kemenpppa = await network.start("kemenpppa")
    onward = await refer(kemenkes, victim, "police", "investigation", basis="vital-interest")
    await police.until_status(onward, "received")
    transfer = await refer(police, victim, "kemenpppa", "case-management", kind="transfer")
    await kemenpppa.until_status(transfer, "received")
    await kemenpppa.must(transfer, "accept")
    await police.until_status(transfer, "accepted")
    before = keys_left(network, "police")
    with network.apps["kemenkes"].state.changes.watching(victim) as watch:
        say_erase(network, "kemenkes", "police", victim)
        assert await watch.next(20)  # its answer
    left = network.apps["police"].state.database.read(lambda s: s.scalars(select(col(DataKeyRow.id))).all())
    assert f"own:{victim}" in left and before >= len(left)
    glass = await police.post(f"/v1/victims/{victim}/break-glass", {"reason": "court-order", "minutes": 5})
    assert glass.status_code == 201 and await look(police, victim) == WHO


async def test_what_a_hospital_wrote_for_two_goes_when_both_have_said_so(network: Network) -> None:
    police, kemenkes, victim, _ = await hospital(network, identity=WHO)
    kemenpppa = await network.start("kemenpppa")
    transfer = await refer(police, victim, "kemenpppa", "case-management", kind="transfer")
    await kemenpppa.until_status(transfer, "received")
    await kemenpppa.must(transfer, "accept")
    second = await refer(kemenpppa, victim, "kemenkes", "examination-and-treatment")
    await kemenkes.until_status(second, "received")
    await kemenkes.must(second, "accept")
    assert (await kemenkes.post(f"/v1/victims/{victim}/identity", {"phone": "+628000000010"})).status_code == 200
    erasure = new_id()
    with network.apps["police"].state.changes.watching(victim) as watch:
        say_erase(network, "police", "kemenkes", victim, erasure)
        assert await watch.next(20)
    assert (await look(kemenkes, victim))["phone"] == "+628000000010"  # type: ignore[index]
    say_erase(network, "kemenpppa", "kemenkes", victim, erasure)
    await until_forgotten(network, "kemenkes", victim)
    assert await look(kemenkes, victim) == "no-identity"


async def test_what_a_hold_keeps_is_shown_to_nobody_though_they_are_still_at_work(network: Network) -> None:
    police, kemenkes, victim, referral = await hospital(network, identity=WHO)
    assert (await kemenkes.post(f"/v1/victims/{victim}/identity", BY_PAPER)).status_code == 200
    head = await network.calling("kemenkes", Role.SUPERVISOR)
    assert (await head.post(f"/v1/victims/{victim}/legal-holds", {"basis": "trial"})).status_code == 201
    await take_back(network, "erasure", victim)
    kept = await until_disclosure(police, victim, referral, lambda item: item["end"] is not None)
    assert (kept["end"], kept["kept_because"]) == ("stopped", "legal-hold")
    assert (await kemenkes.get(f"/v1/referrals/{referral}"))["status"] == "accepted"
    assert await look(kemenkes, victim) == "no-identity"
    onward = asking(victim, "kemenpppa", "case-management", basis="vital-interest")
    assert (await kemenkes.post("/v1/referrals", onward)).status_code == 201  # and given on to nobody
    assert [item for item in await given_and_received(kemenkes, victim) if item["given"]] == []

    assert (await head.post(f"/v1/victims/{victim}/legal-holds/lifting")).status_code == 200
    assert keys_left(network, "kemenkes") == 0
    await until_disclosure(police, victim, referral, lambda item: item["end"] == "erased")


async def test_what_only_responsibility_keeps_is_not_given_on_and_goes_with_it(network: Network) -> None:
    """Handed to KemenPPPA on her consent, which she withdraws: it goes on knowing who she is, for itself alone."""
    police, kemenpppa = await network.start("police"), await network.start("kemenpppa")
    kemensos = await network.start("kemensos")
    victim = await a_victim(police, identity=WHO)
    await consent(police, victim, purposes=["care"], recipients=["kemenpppa"])
    transfer = await refer(police, victim, "kemenpppa", "case-management", kind="transfer", basis="consent")
    await kemenpppa.until_status(transfer, "received")
    await kemenpppa.must(transfer, "accept")
    await police.until_status(transfer, "accepted")
    await take_back(network, "withdrawal", victim)
    kept = await until_disclosure(police, victim, transfer, lambda item: item["end"] is not None)
    assert (kept["end"], kept["kept_because"]) == ("stopped", "custody")
    assert await look(kemenpppa, victim) == NAMED

    onward = await refer(kemenpppa, victim, "kemensos", "shelter-and-rehabilitation", kind="transfer")
    await kemensos.until_status(onward, "received")
    await kemensos.must(onward, "accept")
    assert await look(kemensos, victim) == "no-identity"  # they ask her themselves
    ended = await until_disclosure(police, victim, transfer, lambda item: item["end"] == "erased")
    assert ended["kept_because"] is None
    assert keys_left(network, "kemenpppa") == 0


async def test_nobody_answers_for_another_what_became_of_what_it_was_given(network: Network) -> None:
    """Kemensos says that it has erased what Kemenkes was given: it is not noted as Kemenkes' word."""
    police, _, victim, referral = await hospital(network, identity=WHO)
    await network.start("kemensos")
    head = await network.calling("kemenkes", Role.SUPERVISOR)
    await head.post(f"/v1/victims/{victim}/legal-holds", {"basis": "trial"})
    await take_back(network, "erasure", victim)
    await until_disclosure(police, victim, referral, lambda item: item["end"] == "stopped")
    app = network.apps["kemensos"]
    [cause] = [row for row in ledger_of(network, "police") if row.type == "id.tppo.erasure.requested.v1"][:1]

    def answer(tx: Any) -> None:
        unit = app.state.office.speaker(tx.now.date())
        ended = DisclosureEnded(
            cause_id=erasure_of(cause),
            victim_id=victim,
            end=DisclosureEnd.ERASED,
            fields=tuple(IdentityField),
            occurred_at=tx.now,
        )
        tx.emit(draft(ended, "police", unit, victim_id=victim))

    with network.apps["police"].state.changes.watching(victim) as watch:
        app.state.database.write(answer)
        assert await watch.next(20)
    [item] = await given_and_received(police, victim)
    assert item["end"] == "stopped"


def ledger_of(network: Network, code: str) -> list[LedgerEntry]:
    database = network.apps[code].state.database
    return list(database.read(lambda s: s.scalars(select(LedgerEntry).order_by(col(LedgerEntry.position))).all()))


def erasure_of(entry: LedgerEntry) -> str:
    return str(Envelope.read(entry.body).data["erasure_id"])


async def test_only_who_is_responsible_hands_responsibility_over(network: Network) -> None:
    _, kemenkes, victim, _ = await hospital(network)
    offer = asking(victim, "kemenpppa", "case-management", kind="transfer")
    refused = await kemenkes.post("/v1/referrals", offer)
    assert problem(refused) == "not-custody-holder"
