"""The facts that came with the custody are the new holder's: their giver changes them no more (cases/TRUST.md 8)."""

from shared.contracts import events as e
from shared.contracts.codes import AgeClass, FactsBasis, Sex
from shared.contracts.types import VictimFacts
from tests.support.claims import POLRES, arrive, letter
from tests.support.network import Client, Network, taken_on

AGES = ("age_class", "treated_as_child", "facts_from")


async def test_a_former_holder_makes_no_child_an_adult(
    network: Network, police: Client, kemenpppa: Client, child: str
) -> None:
    """Only the police have said that she is a child. No second person there stands behind the new word."""
    kemenkes = await network.start("kemenkes")
    await taken_on(police, kemenpppa, child, "case-management", kind="transfer")
    before = await kemenpppa.get(f"/v1/victims/{child}")
    assert [before[name] for name in AGES] == ["child", True, "police"]

    lie = e.FactsCorrected(
        correction_id=child,
        victim_id=child,
        facts=VictimFacts(age_class=AgeClass.ADULT, sex=Sex.FEMALE),
        basis=FactsBasis.DOCUMENT,
        unit=POLRES,
        occurred_at=network.clock(),
    )
    await network.stop("police")
    arrive(network, "kemenpppa", letter(network, "police", "kemenpppa", lie, 50))
    seen = await kemenpppa.get(f"/v1/victims/{child}")
    assert [seen[name] for name in AGES] == ["child", True, "kemenpppa"]
    assert [(one["agency"], one["facts"]["age_class"], one["counts"]) for one in seen["facts_differ"]] == [
        ("kemenpppa", "child", True), ("police", "adult", False)
    ]  # fmt: skip
    await taken_on(kemenpppa, kemenkes, child, "examination-and-treatment")
    assert (await kemenkes.get(f"/v1/victims/{child}"))["treated_as_child"] is True

    settled = await kemenpppa.post(f"/v1/victims/{child}/facts", {"age_class": "child", "basis": "age-assessment"})
    assert settled.status_code == 200, settled.text
    assert (await kemenpppa.get(f"/v1/victims/{child}"))["facts_differ"] == []
