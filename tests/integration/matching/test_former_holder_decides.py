"""An agency that once held her does not decide for both sides, and is told no desk (cases/TRUST.md 1)."""

from sqlmodel import col

from shared.contracts import events as e
from shared.contracts.codes import SamePerson
from shared.contracts.envelope import Envelope
from shared.storage.tables import LedgerEntry
from tests.support.by_hand import said
from tests.support.claims import PPA
from tests.support.matches import at_kemenpppa, rows, until_heard, until_seen
from tests.support.network import Network, refer
from tests.support.wire import until_parked

HER = {"nik": "7371014403050007"}


async def test_a_former_holder_does_not_find_her_by_saying_both_words(network: Network) -> None:
    for code in ("coordination", "kemenpppa", "kemensos", "police"):
        await network.start(code)
    kemenpppa, kemensos = network["kemenpppa"], network["kemensos"]
    hers = await at_kemenpppa(network)
    transfer = await refer(kemenpppa, hers, "kemensos", "shelter-and-rehabilitation", kind="transfer")
    await kemensos.until_status(transfer, "received")
    await kemensos.must(transfer, "accept")
    await kemenpppa.until_status(transfer, "accepted")
    # from the shelter she is moved in secret, to a desk in another province, inside Kemensos
    inside = await kemensos.post("/v1/referrals", {
        "victim_id": hers, "service": "shelter-and-rehabilitation", "kind": "transfer", "basis": "vital-interest",
        "receiver": {"agency": "kemensos", "unit": "dinsos-73.71"}})  # fmt: skip
    await kemensos.must(inside.json()["id"], "accept")
    assert (await kemensos.post(f"/v1/victims/{hers}/identity", HER)).status_code == 200
    await until_heard(network, hers, 1)

    bait = await at_kemenpppa(network, identity=HER)
    [proposal] = await until_seen(kemenpppa, lambda items: len(items) == 1)
    assert (proposal["victim_id"], proposal["turn"], proposal["other_desk"]) == (bait, "other-side", None)
    for victim in (hers, bait):  # KemenPPPA, which means ill, says it of both
        word = e.MatchDecided(match_id=proposal["match_id"], victim_id=victim, decision=SamePerson.SAME, unit=PPA,
                              occurred_at=network.clock())  # fmt: skip
        said(network, "kemenpppa", "coordination", word)
    assert (await until_parked(network, "coordination", "not-in-custody"))["trusted"]
    await until_seen(kemenpppa, lambda items: items[0]["said"] == "same-person")
    theirs = col(LedgerEntry.link) == "coordination>kemenpppa"
    told = rows(network, "coordination", LedgerEntry, col(LedgerEntry.type) == e.MatchProposed.type(), theirs)
    assert not any(Envelope.read(one.body).data.get("other_desk") for one in told)
