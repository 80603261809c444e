"""The baton runs between two agencies."""

from tests.support.network import Network, a_victim, refer


async def test_a_transfer_moves_custody_and_both_sides_know(network: Network) -> None:
    police, kemenpppa = await network.start("police"), await network.start("kemenpppa")
    victim = await a_victim(police)
    transfer = await refer(police, victim, "kemenpppa", "case-management", kind="transfer")

    arrived = await kemenpppa.until_status(transfer, "received")
    assert arrived["receiver"] == {"agency": "kemenpppa", "unit": "uptd-ppa-74.01", "region": "74.01"}

    await kemenpppa.must(transfer, "accept")
    known = await police.until_status(transfer, "accepted")
    assert known["version"] == 3
    for agency in (police, kemenpppa):
        seen = await agency.get(f"/v1/victims/{victim}")
        assert seen["custody"]["unit"] == "uptd-ppa-74.01" and seen["custody_seq"] == 2
