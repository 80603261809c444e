"""After a withdrawal nothing new goes out on paper; and nobody takes back a newer word of the person (0036)."""

from datetime import UTC, datetime

from shared.contracts import events as e
from shared.domain.access import Role
from tests.support.claims import PPA, RS, arrive, letter
from tests.support.identities import WHO, consent, look, until_disclosure
from tests.support.letters import on_paper, printed
from tests.support.network import Network, a_victim, problem, refer

KOLAKA = "polres-74.01"


async def test_no_new_address_goes_out_on_paper_after_a_withdrawal(network: Network) -> None:
    await network.start("police")
    kemenkes = await network.start("kemenkes")
    officer = await network.calling("police", Role.OFFICER, KOLAKA)
    victim = await a_victim(officer, identity=WHO)
    await consent(officer, victim)
    referral = await refer(officer, victim, "kemenkes", "examination-and-treatment")
    await kemenkes.until_status(referral, "received")
    assert (await officer.post(f"/v1/victims/{victim}/consents/withdrawal")).status_code == 200
    hidden = "+628000000777"  # she has fled, and the police write down the new number
    assert (await officer.post(f"/v1/victims/{victim}/identity", {"phone": hidden})).status_code == 200
    told = await officer.act(referral, "provide-information", {"about": "identity"})
    assert problem(told) == "against-withdrawal"  # the wire is closed
    paper = await on_paper(officer, await printed(officer, referral))
    assert hidden not in paper and hidden.removeprefix("+") not in paper


async def test_a_former_recipient_cannot_take_back_a_consent_that_leaves_it_out(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    kemenpppa = await network.start("kemenpppa")
    victim = await a_victim(police, identity=WHO)
    first = await consent(police, victim, recipients=["kemenpppa"], purposes=["care"], fields=["name"])
    old = await refer(police, victim, "kemenpppa", "case-management", basis="consent")
    await kemenpppa.until_status(old, "received")
    await kemenpppa.must(old, "accept")
    await kemenpppa.must(old, "start")
    await kemenpppa.must(old, "complete", outcome="service-provided")
    await police.until_status(old, "completed")
    await consent(police, victim, fields=["name", "born_on", "nik", "phone"])
    await until_disclosure(police, victim, old, lambda one: one["end"] is not None)
    care = await refer(police, victim, "kemenkes", "examination-and-treatment", basis="consent")
    await kemenkes.until_status(care, "received")
    await kemenkes.must(care, "accept")
    assert isinstance(await look(kemenkes, victim), dict)
    await network.stop("kemenpppa")
    lie = e.ConsentWithdrawn(consent_id=first["id"], victim_id=victim, unit=PPA, occurred_at=datetime.now(UTC))
    arrive(network, "police", letter(network, "kemenpppa", "police", lie, 50))
    newest = max((await police.get(f"/v1/victims/{victim}/consents"))["items"], key=lambda one: one["version"])
    assert newest["withdrawn_at"] is None
    assert isinstance(await look(kemenkes, victim), dict)


async def test_a_withdrawal_of_yesterday_does_not_end_the_consent_of_today(network: Network) -> None:
    """She took it back at the hospital, whose line was down. Then she agreed anew at the police: her last word."""
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    victim = await a_victim(police, identity=WHO)
    first = await consent(police, victim)
    care = await refer(police, victim, "kemenkes", "first-aid", basis="consent")
    await kemenkes.until_status(care, "received")
    await kemenkes.must(care, "accept")
    await police.until_status(care, "accepted")
    earlier = datetime.now(UTC)
    await network.stop("kemenkes")
    await consent(police, victim)  # her newest word
    word = e.ConsentWithdrawn(consent_id=first["id"], victim_id=victim, unit=RS, occurred_at=earlier)
    arrive(network, "police", letter(network, "kemenkes", "police", word, 50))
    newest = max((await police.get(f"/v1/victims/{victim}/consents"))["items"], key=lambda one: one["version"])
    assert newest["withdrawn_at"] is None
