"""A desk without a part has no say over a victim's rights, over holds, or over those to be told."""

from typing import Any

from shared.domain.access import Role
from tests.support.desks import MAKASSAR, TOP, WHO, identity, investigation, officers
from tests.support.network import Network, a_victim, asking, erase, problem, refer


async def test_who_was_only_asked_has_no_say_over_her_rights(police_alone: Network) -> None:
    owner, _ = await officers(police_alone)
    victim = await a_victim(owner, identity=WHO)
    referral = await investigation(owner, victim)
    asked = await police_alone.calling("police", Role.SUPERVISOR, MAKASSAR)
    told: dict[str, dict[str, Any]] = {
        "consents": {"notice": "2026-1", "purposes": ["care"], "fields": ["name"], "recipients": ["kemenkes"],
                     "valid_until": "2099-01-01T00:00:00Z", "manner": "written", "agrees": True},
        "consents/withdrawal": {},
        "legal-holds": {"basis": "trial"},
        "legal-holds/lifting": {},
    }  # fmt: skip

    async def tried() -> set[str]:
        answers = [await asked.post(f"/v1/victims/{victim}/{path}", body) for path, body in told.items()]
        # nor is it told what she agreed to, to whom else her name was given, and who has looked
        for path in ("consents", "disclosures", "access-report"):
            answers.append(await asked.http.get(f"/v1/victims/{victim}/{path}"))
        return {problem(answer) if answer.status_code >= 400 else "done" for answer in answers}

    assert await tried() == {"not-responsible"}
    await asked.must(referral, "reject", reason="no-capacity")
    assert await tried() == {"not-responsible"}
    again = await investigation(owner, victim)
    await asked.must(again, "accept")
    assert await tried() == {"done"}


async def test_a_hold_is_lifted_by_the_desk_that_placed_it_or_one_above(police_alone: Network) -> None:
    owner, asked = await officers(police_alone)
    victim = await a_victim(owner, identity=WHO)
    await asked.must(await investigation(owner, victim), "accept")
    top, above, makassar = [
        await police_alone.calling("police", Role.SUPERVISOR, unit) for unit in (TOP, "polda-sulsel", MAKASSAR)
    ]
    place, lift = (f"/v1/victims/{victim}/{path}" for path in ("legal-holds", "legal-holds/lifting"))
    assert (await top.post(place, {"basis": "trial"})).status_code == 201
    assert problem(await makassar.post(lift)) == "not-your-unit"
    assert (await makassar.post(place, {"basis": "investigation"})).status_code == 201
    assert (await above.post(lift)).status_code == 200  # that of Makassar; the trial's stands
    assert problem(await top.post(f"/v1/victims/{victim}/erasure")) == "legal-hold"
    assert (await top.post(lift)).status_code == 200
    await erase(police_alone, "police", victim)
    assert await identity(owner, victim) == "no-identity"


async def test_who_has_not_accepted_refers_nobody_on(police_alone: Network) -> None:
    owner, asked = await officers(police_alone)
    victim = await a_victim(owner)
    referral = await investigation(owner, victim)
    onward = asking(victim, "kemenkes", "first-aid")
    assert problem(await asked.post("/v1/referrals", onward)) == "not-responsible"
    await asked.must(referral, "accept")
    assert (await asked.post("/v1/referrals", onward)).status_code == 201


async def test_a_desk_gives_on_what_it_may_see_itself_and_no_more(police_alone: Network) -> None:
    """The shelter needs to know of the safe house; the investigator does not learn of it."""
    owner, asked = await officers(police_alone)
    victim = await a_victim(owner, identity=WHO)
    await asked.must(await investigation(owner, victim), "accept")
    by_asked = await refer(asked, victim, "kemensos", "shelter-and-rehabilitation")
    by_owner = await refer(owner, victim, "kemensos", "shelter-and-rehabilitation", force=True)
    given = (await owner.get(f"/v1/victims/{victim}/disclosures"))["items"]
    fields = {item["referral_id"]: set(item["fields"]) for item in given}
    assert fields[by_owner] == fields[by_asked] | {"safe_house"} and "safe_house" not in fields[by_asked]


async def test_a_referral_replaces_only_one_of_the_same_victim(police_alone: Network) -> None:
    owner, asked = await officers(police_alone)
    other = await investigation(owner, await a_victim(owner))
    victim = await a_victim(owner)
    earlier = await investigation(owner, victim)
    await asked.must(earlier, "reject", reason="no-capacity")
    onward = asking(victim, "kemenkes", "first-aid")
    refused = await owner.post("/v1/referrals", {**onward, "replaces": other})
    assert (problem(refused), refused.json()["errors"][0]["field"]) == ("unknown-referral", "/replaces")
    assert (await owner.post("/v1/referrals", {**onward, "replaces": earlier})).status_code == 201
