"""The way home: planned with the victim, handed over leg by leg with two signatures, visited until the end."""

from typing import Any

from tests.support.forms import FIELDS, HANDED_OVER, a_person, file, refused
from tests.support.network import Client, Network

HOME_PLAN: dict[str, Any] = {"destination": "53.01", "safety": "with-protection", "family_ready": True, "agreed": True}
REINTEGRATION: dict[str, Any] = {
    "needs": ["schooling", "protection"],
    "agreed": True,
    "first_visit": "2099-01-31",
    "plan": "Rencana rekaan",
}


async def through_the_stages(kemensos: Client, victim: str) -> None:
    for stage, fields in FIELDS.items():
        if stage != "further-guidance":
            await file(kemensos, f"victims/{victim}", stage, **fields)


async def test_from_the_port_to_the_village_each_leg_is_signed_by_both(network: Network) -> None:
    kemensos = await network.start("kemensos", online=False)
    about = f"victims/{await a_person(kemensos)}"
    await file(kemensos, about, "handover", **HANDED_OVER, leg="port", escort="Pengawal rekaan")
    await file(kemensos, about, "repatriation-plan", **HOME_PLAN, village="Desa rekaan")
    port = {**HANDED_OVER, "leg": "port"}
    assert await refused(kemensos, about, "handover", **port) == ("leg-out-of-order", ["leg"])
    for signature in ("giver_signed", "taker_signed"):
        unsigned = {**HANDED_OVER, "leg": "province", signature: False}
        assert await refused(kemensos, about, "handover", **unsigned) == ("not-signed", [signature])
    handed = await file(kemensos, about, "handover", **HANDED_OVER, leg="province",
                        occurred_at="2026-11-01T09:30:00+08:00", note="Ditulis di pelabuhan.")  # fmt: skip
    assert handed["occurred_at"] == "2026-11-01T01:30:00.000000Z" != handed["recorded_at"]
    assert handed["facts"] == {
        name: HANDED_OVER[name] for name in ("giver", "giver_signed", "taker", "taker_signed", "region", "condition")
    } | {"leg": "province"}
    await file(kemensos, about, "handover", **{**HANDED_OVER, "taker": "family"}, leg="village")
    assert await refused(kemensos, about, "handover", **HANDED_OVER, leg="regency") == ("leg-out-of-order", ["leg"])
    whole = await kemensos.get(f"/v1/records/{handed['id']}", purpose="care")
    assert whole["sealed"]["belongings"] == "Satu tas rekaan"


async def test_nobody_is_sent_home_unasked_or_to_where_it_is_not_safe(network: Network) -> None:
    kemensos = await network.start("kemensos", online=False)
    about = f"victims/{await a_person(kemensos)}"
    for wrong, said in (
        ({"agreed": False}, ("plan-not-agreed", ["agreed"])),
        ({"safety": "unsafe"}, ("not-safe-to-return", ["safety"])),
        ({"destination": "99.99"}, ("unknown-region", ["destination"])),
        ({"family_ready": "yes"}, ("invalid-request", ["family_ready"])),
    ):
        assert await refused(kemensos, about, "repatriation-plan", **{**HOME_PLAN, **wrong}) == said
    not_agreed = {**REINTEGRATION, "agreed": False}
    assert await refused(kemensos, about, "reintegration-plan", **not_agreed) == ("plan-not-agreed", ["agreed"])
    misshapen: list[dict[str, Any]] = [{"needs": []}, {"needs": ["car"]}, {"plan": ""}]
    for wrong_plan in misshapen:
        code, fields = await refused(kemensos, about, "reintegration-plan", **{**REINTEGRATION, **wrong_plan})
        assert (code, [field.partition("/")[0] for field in fields]) == ("invalid-request", list(wrong_plan))
    no_such_day = {**REINTEGRATION, "first_visit": "2099-02-30"}
    assert await refused(kemensos, about, "reintegration-plan", **no_such_day) == ("no-such-day", ["first_visit"])


async def test_they_are_visited_until_after_care_ends_and_not_after(network: Network) -> None:
    kemensos = await network.start("kemensos", online=False)
    victim = await a_person(kemensos)
    about, visit = f"victims/{victim}", FIELDS["further-guidance"]
    await through_the_stages(kemensos, victim)
    await file(kemensos, about, "reintegration-plan", **REINTEGRATION)
    assert await refused(kemensos, about, "after-care-end", reason="settled") == ("form-not-yet", [])
    for _ in range(2):
        await file(kemensos, about, "further-guidance", **visit, next_visit="2099-03-01")
    ended = await file(kemensos, about, "after-care-end", reason="settled")
    assert await refused(kemensos, about, "further-guidance", **visit) == ("after-care-ended", [])
    assert await refused(kemensos, about, "after-care-end", reason="settled") == ("already-filed", [])
    await file(kemensos, about, "after-care-end", reason="moved", corrects=ended["id"])
