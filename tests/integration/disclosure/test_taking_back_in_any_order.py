"""Data that a victim takes back stays taken back, whatever the order of events and the place of a key."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, select
from sqlmodel import col

from shared.contracts.codes import IdentityField, InformationKind
from shared.contracts.events import InformationProvided
from shared.domain.words import Speakers
from shared.messaging.broker import Incoming
from shared.reference.office import draft
from shared.victims.sealed import giving
from shared.victims.sealed import store as sealed
from shared.victims.sealed.tables import DataKeyRow
from tests.support.by_hand import deliver, parked, posted, take_back
from tests.support.identities import BY_PAPER, WHO, consent, keys_left, look
from tests.support.network import Network, a_victim, refer


def held_by(agency: str, victim: str) -> Speakers:
    """A victim that an agency has in custody."""
    return Speakers(victim, agency, agency)


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
    """The later news of the second request arrives first, and waits for that request with its key."""
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
        given = giving.seal_for_agency(
            tx, app.state.office, held_by(by, victim), referral, to, frozenset({IdentityField.NAME})
        )
        assert given is not None
        event = InformationProvided(
            referral_id=referral,
            victim_id=victim,
            occurred_at=tx.now,
            about=InformationKind.IDENTITY,
            sealed=given.sealed,
        )
        unit = app.state.office.speaker(tx.now.date())
        made = draft(event, to, unit, victim_id=victim, basis="consent", key=given.key)
        tx.emit(replace(made, sequence=1))  # as the service would

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
    """A peer that may speak of one victim names the id of another: parked, with no row overwritten."""
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
        given = giving.seal_for_agency(
            tx, office, held_by("police", known), referral, "kemenkes", frozenset({IdentityField.NAME})
        )
        assert given is not None
        event = InformationProvided(
            referral_id=referral,
            victim_id=known,
            occurred_at=tx.now,
            about=InformationKind.IDENTITY,
            sealed=given.sealed,
        )
        unit = office.speaker(tx.now.date())
        made = draft(event, "kemenkes", unit, victim_id=known, basis="vital-interest", key=given.key)
        tx.emit(replace(made, sequence=1))

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
    """A reader at the same time keeps the write-ahead log from being emptied at once; the key still disappears."""
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
