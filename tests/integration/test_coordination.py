"""Coordination follows what the agencies tell each other, and nobody's identity."""

from tests.network import Network, a_victim, refer


async def test_a_transfer_moves_custody_in_the_journey(network: Network) -> None:
    police, kemenpppa = await network.start("police"), await network.start("kemenpppa")
    coordination = await network.start("coordination")
    victim = await a_victim(police)
    seen = await coordination.until(f"/v1/journeys/{victim}", lambda j: j["registered_at"] is not None)
    assert (seen["stage"], seen["custody"]["unit"]) == ("detection", "polres-74.01")

    transfer = await refer(police, victim, "kemenpppa", "case-management", kind="transfer")
    await kemenpppa.until_status(transfer, "received")
    await kemenpppa.must(transfer, "accept")
    await kemenpppa.must(transfer, "start")
    seen = await coordination.until(f"/v1/journeys/{victim}", lambda j: j["stage"] == "protection")
    assert [(link["agency"], link["seq"]) for link in seen["custody_chain"]] == [("police", 1), ("kemenpppa", 2)]
    before = await coordination.get(f"/v1/journeys/{victim}/custody", at=seen["registered_at"])
    assert before["custody"]["agency"] == "police"
    now = await coordination.get(f"/v1/journeys/{victim}/custody")
    assert now["custody"]["unit_name"] == "UPTD PPA Kabupaten Kolaka"


async def test_a_hand_over_that_fails_for_want_of_a_rule_is_collected(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    coordination = await network.start("coordination")
    victim = await a_victim(police)
    referral = await refer(police, victim, "kemenkes", "first-aid")
    await kemenkes.until_status(referral, "received")
    await kemenkes.must(referral, "reject", reason="not-eligible", norm_gap="no-budget-rule")

    def rejected(journey: dict[str, list[dict[str, str]]]) -> bool:
        return [handover["status"] for handover in journey["handovers"]] == ["rejected"]

    await coordination.until(f"/v1/journeys/{victim}", rejected)
    [gap] = (await coordination.get("/v1/norm-gaps"))["items"]
    assert gap["norm_gap"] == "no-budget-rule" and gap["handover"]["id"] == referral
    counts = await coordination.get("/v1/counts")
    assert counts["norm_gaps"] == 1 and counts["handovers_by_status"] == {"rejected": 1}
    assert counts["by_province"] == {"74": 1}


async def test_a_sender_hears_that_its_links_are_witnessed(network: Network) -> None:
    police = await network.start("police")
    await network.start("kemenkes")
    await network.start("coordination")
    referral = await refer(police, await a_victim(police), "kemenkes", "first-aid")
    await police.until_status(referral, "received")
    with network.apps["police"].state.changes.watching("links") as watch:
        while True:
            links = {link["link"]: link for link in (await police.get("/v1/links"))["items"]}
            if links["police>kemenkes"]["witnessed"] == links["police>kemenkes"]["last"]:
                break
            assert await watch.next(20)
