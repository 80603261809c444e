"""Identities travel sealed, on a legal basis, to the agencies that need them.

Real NATS, both databases."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from shared.domain.access import Role
from shared.security.sealing import Unopenable
from shared.storage.tables import OutboxEntry
from shared.victims.sealed.tables import SealedRow
from tests.support.identities import PATIENT, WHO, consent, everything_in, found_by, look, until_disclosure
from tests.support.network import Network, a_victim, asking, problem, refer


async def test_a_hospital_is_given_what_it_needs_and_sees_it_while_it_works(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    await network.start("coordination")
    victim = await a_victim(police, identity=WHO)
    referral = await refer(police, victim, "kemenkes", "examination-and-treatment", note="Catatan rekaan petugas.")
    await kemenkes.until_status(referral, "received")
    assert await look(kemenkes, victim) == "no-identity"  # nobody works for her yet

    await kemenkes.must(referral, "accept")
    assert await look(kemenkes, victim) == {name: WHO[name] for name in PATIENT}
    assert await look(police, victim) == WHO
    for action in ("start", "complete"):
        await kemenkes.must(referral, action, **({"outcome": "service-provided"} if action == "complete" else {}))
    assert await look(kemenkes, victim) == "no-identity"  # the work is done

    [given] = (await police.get(f"/v1/victims/{victim}/disclosures"))["items"]
    assert (given["agency"], set(given["fields"]), given["basis"]) == ("kemenkes", PATIENT, "vital-interest")
    # each look is in the log of who was asked, with its right and its fields
    report = await kemenkes.get(f"/v1/victims/{victim}/access-report")
    assert [(row["right"], set(row["fields"]), row["purpose"]) for row in report["looks"]] == [
        ("work", PATIENT, "care")
    ]
    for code in ("police", "kemenkes", "coordination"):
        kept = everything_in(network, code)
        assert not [value for value in (*WHO.values(), "Catatan rekaan petugas.") if value in kept], code


async def test_what_is_learned_later_is_given_later(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    victim = await a_victim(police)
    referral = await refer(police, victim, "kemenkes", "first-aid")
    await kemenkes.until_status(referral, "received")
    await kemenkes.must(referral, "accept")
    assert await look(kemenkes, victim) == "no-identity"  # nobody knew who she is

    recorded = await police.post(f"/v1/victims/{victim}/identity", {"name": WHO["name"], "address": WHO["address"]})
    assert recorded.status_code == 200
    await police.until_status(referral, "accepted")
    await police.must(referral, "provide-information", about="identity")
    await kemenkes.until(f"/v1/referrals/{referral}", lambda seen: seen["asks"] == 1)
    assert await look(kemenkes, victim) == {"name": WHO["name"]}


async def test_a_transfer_gives_the_new_holder_what_its_service_needs_and_the_old_one_sees_no_more(
    network: Network,
) -> None:
    police, kemenpppa = await network.start("police"), await network.start("kemenpppa")
    victim = await a_victim(police, identity=WHO)
    transfer = await refer(police, victim, "kemenpppa", "case-management", kind="transfer")
    await kemenpppa.until_status(transfer, "received")
    await kemenpppa.must(transfer, "accept")
    await police.until_status(transfer, "accepted")
    assert await look(kemenpppa, victim) == {name: value for name, value in WHO.items() if name != "safe_house"}
    assert await look(police, victim) == "no-identity"
    # and finds her by the number it was given, which the old one may not try any more
    assert [await found_by(client, WHO["nik"]) for client in (kemenpppa, police)] == [[victim], []]


async def test_a_number_finds_whom_it_was_given_for_as_long_as_it_may_be_seen(network: Network) -> None:
    """A hospital finds its patient by the NIK that the police gave, until the consent to that is withdrawn."""
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    victim = await a_victim(police, identity=WHO)
    await consent(police, victim, fields=["name", "nik"])
    asked = {"basis": "consent"}
    referral = await refer(police, victim, "kemenkes", "examination-and-treatment", **asked)
    await kemenkes.until_status(referral, "received")
    assert await found_by(kemenkes, WHO["nik"]) == []
    await kemenkes.must(referral, "accept")
    await kemenkes.must(referral, "start")
    assert await found_by(kemenkes, WHO["nik"]) == [victim]
    await police.until_status(referral, "in-progress")
    await police.must(referral, "provide-information", about="identity")  # the same once more
    await kemenkes.until(f"/v1/referrals/{referral}", lambda seen: seen["asks"] == 1)
    assert await found_by(kemenkes, WHO["nik"]) == [victim]
    head = await network.calling("kemenkes", Role.SUPERVISOR)
    await head.post(f"/v1/victims/{victim}/legal-holds", {"basis": "trial"})
    await police.post(f"/v1/victims/{victim}/consents/withdrawal")
    await until_disclosure(police, victim, referral, lambda item: item["end"] == "stopped")
    assert await found_by(kemenkes, WHO["nik"]) == []  # kept for a court, and shown to nobody at work


async def test_without_a_basis_nothing_is_given(network: Network) -> None:
    police = await network.start("police")
    victim = await a_victim(police, identity=WHO)

    async def refused(**changes: Any) -> str:
        body = asking(victim, "kemenkes", "first-aid", **{"basis": "consent", **changes})
        return problem(await police.post("/v1/referrals", body))

    assert await refused() == "no-consent"
    assert await refused(basis="child-protection") == "not-a-child"
    await consent(police, victim, recipients=["kemensos"])
    assert await refused() == "no-consent"  # she agreed to another
    await consent(police, victim, valid_until=(network.clock() + timedelta(hours=1)).isoformat())
    network.clock.advance(timedelta(hours=2))
    assert await refused() == "no-consent"  # it is over
    assert problem(await police.post("/v1/referrals", asking(victim, "kemenkes", "first-aid", basis=None))) == (
        "invalid-request"
    )


async def test_a_key_that_was_meant_for_another_opens_nothing(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    victim = await a_victim(police, identity=WHO)
    referral = await refer(police, victim, "kemenkes", "first-aid")
    await kemenkes.until_status(referral, "received")
    kept = network.apps["police"].state.database.read(
        lambda s: s.scalars(
            select(OutboxEntry).where(col(OutboxEntry.peer) == "kemenkes", col(OutboxEntry.key).is_not(None))
        ).one()
    )
    for code in ("police", "kemensos"):
        if code not in network.apps:
            await network.start(code)
        with pytest.raises(Unopenable):
            network.apps[code].state.office.vault.open_key(kept.key)
    own = network.apps["kemenkes"].state.office.vault
    for position in range(20, len(kept.key) - 4, 40):  # whatever bit is turned
        turned = kept.key[:position] + ("A" if kept.key[position] != "A" else "B") + kept.key[position + 1 :]
        with pytest.raises(Unopenable):
            own.open_key(turned)
    rows = network.apps["kemenkes"].state.database.read(lambda s: s.scalars(select(SealedRow)).all())
    [row] = [row for row in rows if row.source == referral]
    assert base64.urlsafe_b64decode(row.sealed.split(".")[0] + "==").startswith(b'{"alg":"dir"')
