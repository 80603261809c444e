"""The work of the police: a report is taken, a victim screened and interviewed, a case brought to judgment."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.domain.access import Role
from shared.victims.interviews import store as interviews
from tests.support.forms import file, refused
from tests.support.network import Client, Network, a_victim, erase, problem, refer

KOLAKA, MAKASSAR = "polres-74.01", "polres-73.71"
REPORT = {
    "lp_number": "LP/B/1/XI/2026/SPKT/CONTOH",
    "reported_by": "officer",
    "region": "74.01",
    "place": "port",
    "account": "Uraian rekaan.",
}
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


async def a_case(police: Client, **facts: Any) -> tuple[str, str]:
    """A case with a victim; answers the ids of both."""
    victim = await a_victim(police, **facts)
    return str((await police.get(f"/v1/victims/{victim}"))["case_id"]), victim


# --- a report ---------------------------------------------------------------------------------------------------------


async def test_a_report_is_taken_once_and_corrected_afterwards(network: Network) -> None:
    police = await network.start("police", online=False)
    case, _ = await a_case(police)
    filed = await file(police, f"cases/{case}", "police-report", **REPORT)
    assert filed["facts"] == {"reported_by": "officer", "region": "74.01", "place": "port"}
    assert await refused(police, f"cases/{case}", "police-report", **REPORT) == ("already-filed", [])
    corrected = await file(
        police, f"cases/{case}", "police-report", **{**REPORT, "place": "vessel"}, corrects=filed["id"]
    )
    first, second = (await police.get(f"/v1/cases/{case}/records"))["items"]
    assert (first["corrected_by"], second["corrects"]) == (corrected["id"], filed["id"])
    whole = await police.get(f"/v1/records/{corrected['id']}", purpose="investigation")
    assert whole["sealed"] == {"lp_number": REPORT["lp_number"], "account": REPORT["account"]}


async def test_a_form_that_is_wrong_names_the_field_and_stores_nothing(network: Network) -> None:
    police = await network.start("police", online=False)
    case, victim = await a_case(police)
    about = f"cases/{case}"
    for wrong, said in (
        ({"region": "99.99"}, ("unknown-region", ["region"])),
        ({"incident_on": "2026-02-30"}, ("no-such-day", ["incident_on"])),
        ({"incident_on": "2099-01-01"}, ("no-such-day", ["incident_on"])),
        ({"place": "moon"}, ("invalid-request", ["place"])),
        ({"lp_number": ""}, ("invalid-request", ["lp_number"])),
        ({"lp_numbr": "LP/1"}, ("invalid-request", ["lp_numbr"])),
        ({"occurred_at": "2999-01-01T00:00:00Z"}, ("occurred-in-the-future", ["occurred_at"])),
        ({"corrects": "0193f0a2-7a10-7000-8000-0000000000ff"}, ("unknown-record", ["corrects"])),
    ):
        assert await refused(police, about, "police-report", **{**REPORT, **wrong}) == said
    assert await refused(police, about, "spdp", spdp_number="SPDP/1") == ("form-not-yet", [])
    assert await refused(police, f"victims/{victim}", "screening", decision="presumed-victim") == (
        *("why-required", ["why"]),
    )


# --- screening --------------------------------------------------------------------------------------------------------


SCAMMED = {
    "acts": ["recruited", "transported"],
    "deceptive_recruitment": ["job-not-as-promised", "wage-not-as-promised"],
    "exploitation": ["made-to-do-crimes", "no-wage"],
    "coercion_at_destination": ["papers-kept", "beaten", "ransom"],
}


async def test_the_answers_suggest_and_a_person_decides(network: Network) -> None:
    police = await network.start("police", online=False)
    _, victim = await a_case(police)
    about = f"victims/{victim}"
    agreed = await file(police, about, "screening", **SCAMMED, decision="presumed-victim")
    assert agreed["form_version"] == "2026-1"
    facts = agreed["facts"]
    assert (facts["suggests"], facts["elements"]) == ("presumed-victim", ["act", "means", "purpose"])
    assert (facts["grade_coercion_at_destination"], facts["grade_coercive_recruitment"]) == ("strong", "none")
    otherwise = {**SCAMMED, "decision": "not-found"}
    assert await refused(police, about, "screening", **otherwise) == ("why-required", ["why"])
    decided = await file(police, about, "screening", **otherwise, why="Alasan rekaan.")
    assert (decided["facts"]["decision"], decided["facts"]["suggests"]) == ("not-found", "presumed-victim")


@pytest.mark.parametrize(
    ("age", "suggested"), [("child", "presumed-victim"), ("unknown", "presumed-victim"), ("adult", "undecided")]
)
async def test_a_child_needs_no_means(network: Network, age: str, suggested: str) -> None:
    police = await network.start("police", online=False)
    _, victim = await a_case(police, age_class=age)
    answers = {"acts": ["harboured"], "exploitation": ["sex-with-others"], "decision": suggested}
    filed = await file(police, f"victims/{victim}", "screening", **answers)
    assert filed["facts"]["suggests"] == suggested


async def test_nobody_waits_for_first_aid_until_they_are_screened(network: Network) -> None:
    """First aid is given before a screening, and after one that found nothing."""
    police = await network.start("police", online=False)
    for screened in (False, True):
        _, victim = await a_case(police)
        if screened:
            await file(police, f"victims/{victim}", "screening", decision="not-found")
        await refer(police, victim, "kemenkes", "first-aid", priority="stat")


# --- the case ---------------------------------------------------------------------------------------------------------


async def until_judgment(police: Client, case: str, **judgment: Any) -> None:
    """Every step up to the judgment."""
    await file(police, f"cases/{case}", "police-report", **REPORT)
    for form, field in (
        ("investigation-opened", "order_number"),
        ("spdp", "spdp_number"),
        ("file-complete", "p21_number"),
        ("trial-opened", "court_number"),
    ):
        await file(police, f"cases/{case}", form, **{field: "1/CONTOH/2026"})
    await file(police, f"cases/{case}", "judgment", judgment_number="1/Pid.Sus/2026", **judgment)


async def test_restitution_is_due_fourteen_days_after_the_judgment(network: Network) -> None:
    police = await network.start("police", online=False)
    case, _ = await a_case(police)
    await until_judgment(police, case, verdict="convicted", restitution_ordered=True)
    [clock] = (await police.get("/v1/clocks", clock="restitution"))["items"]
    assert (clock["about"], clock["kind"], clock["basis"]) == (case, "case", "UU 21/2007 Ps 48")
    days = datetime.fromisoformat(clock["due_at"]) - datetime.fromisoformat(clock["started_at"])
    assert 14 * DAY < days <= 15 * DAY
    await file(police, f"cases/{case}", "restitution-paid", amount=5_000_000, in_full=False)
    assert len((await police.get("/v1/clocks", clock="restitution"))["items"]) == 1  # a part is not all of it
    await file(police, f"cases/{case}", "restitution-paid", amount=95_000_000, in_full=True)
    assert (await police.get("/v1/clocks", clock="restitution"))["items"] == []


async def test_what_was_not_ordered_is_not_due(network: Network) -> None:
    police = await network.start("police", online=False)
    case, _ = await a_case(police)
    await until_judgment(police, case, verdict="acquitted", restitution_ordered=False)
    assert (await police.get("/v1/clocks", clock="restitution"))["items"] == []
    assert await refused(police, f"cases/{case}", "restitution-paid", amount=1, in_full=True) == ("form-not-yet", [])
    other, _ = await a_case(police)
    await until_judgment(police, other, verdict="convicted", restitution_ordered=False)
    wrong = {"judgment_number": "2", "verdict": "acquitted", "restitution_ordered": True}
    filed = next(r for r in (await police.get(f"/v1/cases/{other}/records"))["items"] if r["form"] == "judgment")
    assert await refused(police, f"cases/{other}", "judgment", **wrong, corrects=filed["id"]) == (
        *("not-convicted", ["restitution_ordered"]),
    )


async def test_the_prosecutor_hears_within_a_week(network: Network) -> None:
    police = await network.start("police", online=False)
    case, _ = await a_case(police)
    await file(police, f"cases/{case}", "police-report", **REPORT)
    await file(police, f"cases/{case}", "investigation-opened", order_number="SP.Sidik/1")
    assert [clock["clock"] for clock in (await police.get("/v1/clocks"))["items"]] == ["spdp"]
    await file(police, f"cases/{case}", "spdp", spdp_number="SPDP/1")
    assert (await police.get("/v1/clocks"))["items"] == []


async def test_the_lpsk_is_asked_within_a_day_of_temporary_protection(network: Network) -> None:
    police, kemenpppa = await network.start("police"), await network.start("kemenpppa")
    opened = {"unit": "uptd-ppa-74.01", "channel": "uptd", "exploitation": "forced-labour"}
    case = (await kemenpppa.post("/v1/cases", opened)).json()["id"]
    woman = {"age_class": "adult", "sex": "female"}
    victim = (await kemenpppa.post(f"/v1/cases/{case}/victims", woman)).json()["id"]
    asked = await refer(kemenpppa, victim, "police", "temporary-protection")
    await police.until_status(asked, "received")
    await police.must(asked, "accept")
    await police.must(asked, "start")
    [clock] = (await police.get("/v1/clocks", clock="request-to-lpsk"))["items"]
    due, start = (datetime.fromisoformat(clock[name]) for name in ("due_at", "started_at"))
    assert (clock["about"], due - start) == (victim, 24 * HOUR)
    await file(police, f"victims/{victim}", "lpsk-request", letter_number="B/1/CONTOH")
    assert (await police.get("/v1/clocks", clock="request-to-lpsk"))["items"] == []
    await kemenpppa.until_status(asked, "in-progress")
    assert (await kemenpppa.get("/v1/clocks", clock="request-to-lpsk"))["items"] == []  # it is the police who owe it


# --- interviews -------------------------------------------------------------------------------------------------------


async def an_officer(police: Client, desk: str, *modules: str, until: str = "2099-12-31") -> str:
    """An investigator of a desk, trained in these; answers their id."""
    officer = (await file(police, f"desks/{desk}", "officer", name="Penyidik Rekaan", nrp="00000000"))["id"]
    for module in modules:
        await file(police, f"desks/{desk}", "officer-training", officer=officer, module=module, valid_until=until)
    return str(officer)


ASKED = {"companion": "social-worker", "recorded": True}


async def test_only_who_is_trained_for_it_interviews_a_victim(network: Network) -> None:
    police = await network.start("police", online=False)
    _, woman = await a_case(police)
    _, child = await a_case(police, age_class="unknown")
    untrained = await an_officer(police, KOLAKA)
    lapsed = await an_officer(police, KOLAKA, "victim-centred", until="2026-11-01")
    trained = await an_officer(police, KOLAKA, "victim-centred")
    with_children = await an_officer(police, KOLAKA, "victim-centred", "child")
    for victim, officer in ((woman, untrained), (woman, lapsed), (child, trained)):
        said = await refused(police, f"victims/{victim}", "interview", officer=officer, **ASKED)
        assert said == ("officer-not-trained", ["officer"])
    for victim, officer in ((woman, trained), (child, with_children)):
        await file(police, f"victims/{victim}", "interview", officer=officer, **ASKED)
    nobody = "0193f0a2-7a10-7000-8000-0000000000ff"
    said = await refused(police, f"victims/{woman}", "interview", officer=nobody, **ASKED, reason="Rekaan.")
    assert said == ("unknown-record", ["officer"])


async def test_a_second_interview_needs_a_reason_at_every_desk(network: Network) -> None:
    """Kolaka interviews; the case moves to Makassar, and what was told comes with it."""
    _, kemenpppa = await network.start("police"), await network.start("kemenpppa")
    kolaka = await network.calling("police", Role.OFFICER, KOLAKA)
    makassar = await network.calling("police", Role.OFFICER, MAKASSAR)
    victim = await a_victim(kolaka)
    about = f"victims/{victim}"
    officer = await an_officer(kolaka, KOLAKA, "victim-centred")
    told = "Keterangan rekaan: dijanjikan kerja di restoran."
    await file(kolaka, about, "interview", officer=officer, **ASKED, statement=told)
    inside = {"agency": "police", "unit": MAKASSAR}
    moved = await refer(kolaka, victim, "police", "investigation", kind="transfer", receiver=inside)
    await makassar.must(moved, "accept")
    assert (await makassar.get(f"/v1/victims/{victim}/identity", purpose="interview"))["statement"] == told

    theirs = await an_officer(makassar, MAKASSAR, "victim-centred")
    said = await refused(makassar, about, "interview", officer=theirs, **ASKED)
    assert said == ("interview-reason-required", ["reason"])
    await file(makassar, about, "interview", officer=theirs, **ASKED, reason="Tersangka baru (rekaan).")

    # another agency that takes her on hears how often, with the request, and of those that follow
    asked = await refer(makassar, victim, "kemenpppa", "case-management")
    await kemenpppa.until_status(asked, "received")
    assert await interviews_known(network, "kemenpppa", victim) == 0
    await kemenpppa.must(asked, "accept")
    assert await interviews_known(network, "kemenpppa", victim) == 2
    await file(makassar, about, "interview", officer=theirs, **ASKED, reason="Alasan rekaan lagi.")
    await makassar.must(asked, "remind")
    await kemenpppa.until(f"/v1/referrals/{asked}", lambda seen: seen["asks"] == 1)
    assert await interviews_known(network, "kemenpppa", victim) == 3


async def interviews_known(network: Network, code: str, victim: str) -> int:
    database = network.apps[code].state.database
    return len(database.read(lambda session: interviews.ids_of(session, victim)))


# --- who reads it -----------------------------------------------------------------------------------------------------


async def test_what_a_desk_wrote_down_is_read_by_it_and_by_who_is_responsible_and_every_look_is_logged(
    network: Network,
) -> None:
    await network.start("police", online=False)
    kolaka, makassar, aceh = [
        await network.calling("police", Role.OFFICER, unit) for unit in (KOLAKA, MAKASSAR, "polres-11.01")
    ]
    victim = await a_victim(kolaka)
    filed = await file(kolaka, f"victims/{victim}", "screening", decision="not-found", remarks="Catatan rekaan.")
    path = f"/v1/records/{filed['id']}"
    assert (await kolaka.get(path, purpose="investigation"))["sealed"] == {"remarks": "Catatan rekaan."}
    assert problem(await aceh.http.get(path, params={"purpose": "investigation"})) == "unknown-record"

    inside = {"agency": "police", "unit": MAKASSAR}
    asked = await refer(kolaka, victim, "police", "investigation", receiver=inside)
    assert problem(await makassar.http.get(path, params={"purpose": "investigation"})) == "unknown-record"
    await makassar.must(asked, "accept")
    seen = await makassar.get(path, purpose="investigation")
    assert (seen["facts"]["decision"], seen["sealed"]) == ("not-found", {})  # at work: what was decided, no more

    report = await kolaka.get(f"/v1/victims/{victim}/access-report")
    assert [(look["fields"], look["right"], look["unit"]) for look in report["looks"]] == [
        (["screening"], "custody", KOLAKA)
    ]


async def test_what_was_written_down_goes_with_the_person(network: Network) -> None:
    """After the erasure nobody can read a form; the texts of the case go with its last victim."""
    police = await network.start("police", online=False)
    case, first = await a_case(police)
    second = (await police.post(f"/v1/cases/{case}/victims", {"age_class": "adult", "sex": "male"})).json()["id"]
    report = await file(police, f"cases/{case}", "police-report", **REPORT)
    records = [
        await file(police, f"victims/{victim}", "screening", decision="not-found", remarks="Catatan rekaan.")
        for victim in (first, second)
    ]

    async def readable(record: dict[str, Any]) -> bool:
        return bool((await police.get(f"/v1/records/{record['id']}", purpose="investigation"))["sealed"])

    assert [await readable(record) for record in (*records, report)] == [True, True, True]
    await erase(network, "police", first)
    assert [await readable(record) for record in (*records, report)] == [False, True, True]
    await erase(network, "police", second)
    assert [await readable(record) for record in (*records, report)] == [False, False, False]


async def test_the_form_is_shown_as_it_is_drawn(network: Network) -> None:
    police = await network.start("police", online=False)
    forms = {form["code"]: form for form in (await police.get("/v1/forms"))["items"]}
    report = forms["police-report"]
    assert (report["label"], report["operation"], report["about"]) == ("Laporan polisi", "file_police_report", "case")
    number, reporter, *_ = report["fields"]
    assert (number["label"], number["kind"], number["sealed"]) == ("Nomor laporan polisi (LP)", "words", True)
    assert {option["code"]: option["label"] for option in reporter["options"]}["victim"] == "Korban"


async def test_coordination_hears_that_a_form_was_filed_and_nothing_of_what_stands_in_it(network: Network) -> None:
    police, coordination = await network.start("police"), await network.start("coordination")
    _, victim = await a_case(police)
    await file(police, f"victims/{victim}", "screening", decision="not-found", remarks="Catatan rekaan.")
    seen = await coordination.until(
        f"/v1/journeys/{victim}",
        lambda journey: "id.tppo.record.filed.v1" in [event["type"] for event in journey["events"]],
    )
    assert "Catatan" not in str(seen) and "not-found" not in str(seen)
