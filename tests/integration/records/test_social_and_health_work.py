"""The work of KemenPPPA, Kemensos and Kemenkes: assessed and agreed, through seven stages, examined and treated."""

from typing import Any

from services.kemenkes.forms import FORMS
from services.kemenpppa.forms import DOMAINS
from services.kemensos.stages import STAGES
from shared.domain.access import Role
from tests.support.forms import FIELDS, file, refused
from tests.support.network import Client, Network, a_victim, problem, refer

KOLAKA = "74.01"


async def found_by(agency: Client, unit: str, channel: str) -> tuple[str, str]:
    """A case with one victim that an agency has found itself; answers the ids of both."""
    opened = {"unit": unit, "channel": channel, "exploitation": "forced-labour"}
    case = (await agency.post("/v1/cases", opened)).json()["id"]
    made = await agency.post(f"/v1/cases/{case}/victims", {"age_class": "adult", "sex": "female"})
    return str(case), str(made.json()["id"])


# --- KemenPPPA --------------------------------------------------------------------------------------------------------


ASSESSED: dict[str, Any] = {**dict.fromkeys(DOMAINS, "some"), "medical": "urgent", "legal_details": "Uraian rekaan."}
PLAN: dict[str, Any] = {"services": ["health", "legal"], "agreed": True, "review_on": "2099-01-31"}


async def test_a_plan_follows_the_assessment_and_is_agreed_with_the_victim(network: Network) -> None:
    kemenpppa = await network.start("kemenpppa", online=False)
    case, victim = await found_by(kemenpppa, f"uptd-ppa-{KOLAKA}", "sapa-129")
    intake = {"reported_by": "victim", "region": KOLAKA, "risk": "high", "complaint": "Pengaduan rekaan."}
    await file(kemenpppa, f"cases/{case}", "intake", **intake)
    about = f"victims/{victim}"
    assert await refused(kemenpppa, about, "service-plan", **PLAN) == ("form-not-yet", [])
    assert await refused(kemenpppa, about, "assessment", medical="some") == (
        "invalid-request",
        [code for code in DOMAINS if code != "medical"],
    )
    assessed = await file(kemenpppa, about, "assessment", **ASSESSED)
    assert assessed["facts"]["medical"] == "urgent" and "legal_details" not in assessed["facts"]
    not_agreed = {**PLAN, "agreed": False}
    assert await refused(kemenpppa, about, "service-plan", **not_agreed) == ("plan-not-agreed", ["agreed"])
    assert (await file(kemenpppa, about, "service-plan", **PLAN))["facts"]["services"] == ["health", "legal"]
    await file(kemenpppa, about, "companion", name="Pendamping Rekaan", same_sex=True)
    await file(kemenpppa, about, "case-conference", victim_took_part=True, present="Rekaan", decided="Rekaan")
    await file(kemenpppa, about, "legal-aid", organisation="LBH Rekaan")
    await file(kemenpppa, about, "lpsk-request", letter_number="B/1/CONTOH")


async def test_an_early_warning_is_answered_by_the_desk_that_received_it(network: Network) -> None:
    await network.start("kemenpppa", online=False)
    here, there = [
        await network.calling("kemenpppa", Role.OFFICER, f"uptd-ppa-{region}") for region in (KOLAKA, "73.71")
    ]
    desk = f"desks/uptd-ppa-{KOLAKA}"
    alert = await file(here, desk, "prevention-alert", region=KOLAKA, modus="Modus rekaan: lowongan di luar negeri.")
    answer = {"alert": alert["id"], "action": "campaign"}
    refusal = await there.post(f"/v1/{desk}/forms/prevention-answer", answer)
    assert problem(refusal) == "not-your-unit"
    assert await refused(here, desk, "prevention-answer", alert=desk_id(alert), action="campaign") == (
        *("unknown-record", ["alert"]),
    )
    await file(here, desk, "prevention-answer", **answer)


def desk_id(record: dict[str, Any]) -> str:
    """The id of a record that there is not: nearly this one's."""
    return str(record["id"])[:-1] + ("0" if record["id"][-1] != "0" else "1")


# --- Kemensos ---------------------------------------------------------------------------------------------------------


async def test_the_seven_stages_follow_each_other_and_none_is_skipped(network: Network) -> None:
    kemensos = await network.start("kemensos", online=False)
    _, victim = await found_by(kemensos, f"dinsos-{KOLAKA}", "social-office")
    about = f"victims/{victim}"
    assert [stage.code for stage in STAGES] == list(FIELDS) and len(STAGES) == 7
    for stage, following in zip(STAGES, [*STAGES[1:], None], strict=True):
        if following is not None:
            assert (await refused(kemensos, about, following.code, **FIELDS[following.code]))[0] == "form-not-yet"
        await file(kemensos, about, stage.code, **FIELDS[stage.code])
    await file(
        kemensos, about, "further-guidance", visited_on="2026-02-28", feels="worried", risk="some"
    )  # again and again, until the end
    records = (await kemensos.get(f"/v1/victims/{victim}/records"))["items"]
    assert [record["form"] for record in records] == [*FIELDS, "further-guidance"]


# --- Kemenkes ---------------------------------------------------------------------------------------------------------


EXAMINED = {"condition": "outpatient", "agreed": True, "findings": "Hasil rekaan."}


async def test_who_is_referred_is_examined_and_treated_and_nobody_else_reads_it(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    victim = await a_victim(police)
    asked = await refer(police, victim, "kemenkes", "examination-and-treatment")
    await kemenkes.until_status(asked, "received")
    about = f"/v1/referrals/{asked}/forms"
    assert problem(await kemenkes.post(f"{about}/examination", EXAMINED)) == "not-responsible"  # not taken on yet
    await kemenkes.must(asked, "accept")
    assert (
        problem(await kemenkes.post(f"{about}/treatment", {"result": "improved", "treatment": "x"})) == "form-not-yet"
    )
    for form, fields in (
        ("examination", EXAMINED),
        ("mental-health", {"danger_to_self": False, "findings": "Rekaan"}),
        ("treatment", {"result": "improved", "treatment": "Rekaan"}),
    ):
        filed = await kemenkes.post(f"{about}/{form}", fields)
        assert filed.status_code == 201, filed.text
    records = (await kemenkes.get(f"/v1/victims/{victim}/records"))["items"]
    assert [(record["form"], record["about"]) for record in records] == [
        (form, asked) for form in ("examination", "mental-health", "treatment")
    ]
    hospital = await network.calling("kemenkes", Role.OFFICER, f"rs-{KOLAKA}")
    whole = await hospital.get(f"/v1/records/{records[0]['id']}", purpose="medical")
    assert whole["sealed"] == {"findings": "Hasil rekaan."}
    # the police asked for it, and read nothing of it
    assert problem(await police.http.get(f"/v1/records/{records[0]['id']}", params={"purpose": "legal"})) == (
        "unknown-record"
    )
    await file(hospital, f"desks/rs-{KOLAKA}", "facility", kind="ppt-hospital", abilities=["emergency", "forensic"])


def test_no_form_of_a_hospital_says_what_kind_of_victim_a_patient_is() -> None:
    """A form that could reach a national record holds no word of trafficking."""
    words = repr([(form.code, form.label, form.fields) for form in FORMS]).lower()
    assert not [word for word in ("traffick", "perdagangan", "tppo", "korban", "victim") if word in words]
