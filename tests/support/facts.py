"""The facts of a victim as agencies state them, and as a member shows them."""

from typing import Any

from shared.contracts import events as e
from shared.contracts.codes import AgeClass, FactsBasis, Sex
from shared.contracts.types import UnitRef, VictimFacts
from shared.reference.office import new_id
from tests.support.network import WAIT, Client, Network

GIRL = {"age_class": "child", "sex": "female", "home_region": "74.01"}
MAN = VictimFacts(age_class=AgeClass.ADULT, sex=Sex.MALE, home_region="11.01")


async def known(client: Client, victim: str) -> dict[str, Any]:
    """The facts that count at a member, the agency that states them, and the differing words."""
    seen = await client.get(f"/v1/victims/{victim}")
    differ = {one["agency"]: (one["counts"], one["waiting"]) for one in seen["facts_differ"]}
    names = ("age_class", "sex", "home_region", "facts_from", "treated_as_child", "case_id")
    return {**{name: seen[name] for name in names}, "differ": differ}


async def until_known(network: Network, client: Client, victim: str, **expected: Any) -> dict[str, Any]:
    """Wait until these facts count at a member."""
    with network.apps[client.code].state.notifier.watching(victim) as watch:
        while not expected.items() <= (seen := await known(client, victim)).items():
            assert await watch.next(WAIT), seen
    return seen


def correction(
    network: Network, victim: str, desk: UnitRef, basis: FactsBasis = FactsBasis.DOCUMENT, **facts: Any
) -> e.FactsCorrected:
    """An agency's word of other facts, as one may say it on the wire."""
    return e.FactsCorrected(
        correction_id=new_id(),
        victim_id=victim,
        facts=VictimFacts.model_validate({**GIRL, **facts}),
        basis=basis,
        unit=desk,
        occurred_at=network.clock(),
    )
