"""The page of one journey, as a coordinator without knowledge of ids reads it."""

from shared.domain.access import Role
from tests.support.console_pages import page_of
from tests.support.network import Network, a_victim, refer


async def test_a_better_desk_has_its_name_and_the_page_says_how_it_is_ordered(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    coordination = await network.start("coordination")
    victim = await a_victim(police)
    referral = await refer(police, victim, "kemenkes", "first-aid")
    await kemenkes.until_status(referral, "received")
    better = {"agency": "kemenkes", "unit": "rs-74.71"}
    await kemenkes.must(referral, "reject", reason="no-capacity", better_desk=better)

    def is_rejected(journey: dict[str, object]) -> bool:
        return '"rejected"' in str(journey["handovers"]).replace("'", '"')

    await coordination.until(f"/v1/journeys/{victim}", is_rejected)
    page = await page_of(network.apps["coordination"], Role.COORDINATOR, "pusat", f"/journeys/{victim}")
    named = network.apps["coordination"].state.office.units.get("kemenkes", "rs-74.71", network.clock().date()).name.id
    assert named in page.text and "rs-74.71" not in page.text
    assert "urutan dalam satu hari tidak pasti" in page.text and "the order within a day is not certain" in page.text
