"""The example journey of two victims, from detection to after-care, through the HTTP API alone.

``python -m deploy.journey`` plays it against running services; ``play`` does so for ``make run`` and the tests.
Everything in it is invented.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from deploy.agency_system import AgencySystem, Json, Refusal, new_id
from deploy.console_output import LABELS, Progress, say
from deploy.issuer.command_line import SECRETS
from deploy.journey_forms import REHABILITATION
from deploy.journey_steps import Handover, Journey, JourneyBroken, Report, Result
from deploy.token_source import token_sources
from shared.security.transport import ClientTls

ENDED = {"completed", "rejected", "failed", "cancelled"}
HOME = "73.71"
KOLAKA = "74.01"
CUSTODY = [
    ("police", f"polres-{KOLAKA}"),
    ("kemenpppa", f"uptd-ppa-{KOLAKA}"),
    ("kemensos", f"dinsos-{KOLAKA}"),
    ("kemensos", f"dinsos-{HOME}"),
]
"""The custody chain of both victims: (agency, desk) in their order."""

VICTIMS: tuple[Json, Json] = (
    {
        "age_class": "adult",
        "sex": "female",
        "home_region": HOME,
        "identity": {"name": "Melati Contoh Rekaan", "born_on": "2001-02-03", "phone": "+628000000001"},
    },
    {
        "age_class": "unknown",
        "sex": "unspecified",
        "home_region": HOME,
        "identity": {"name": "Kenanga Contoh Rekaan", "address": "Jalan Rekaan 0"},
    },
)
"""The two victims as the police register them. The second has no NIK and no known age."""


FAULTS = (Refusal, TimeoutError, JourneyBroken)
"""The exceptions with which a journey fails."""


async def play(
    urls: Mapping[str, str],
    auths: Mapping[str, httpx.Auth],
    report: Report,
    trouble: Report | None = None,
    tls: Mapping[str, ClientTls] | None = None,
) -> Result:
    """Play the journey against these services. ``urls``: member → URL; ``auths``: member → its system's tokens;
    ``tls``: member → the certificate that its system shows.

    ``report`` is called after each step; ``trouble`` when a service cannot be reached, and the call is repeated.
    Raises Refusal, TimeoutError or JourneyBroken.
    """
    began = time.monotonic()
    async with _systems(urls, auths, trouble, tls or {}) as systems:
        journey = Journey(systems, report)
        await _detected_and_identified(journey)
        management = await _to_protection(journey)
        await _treated(journey)
        await _visum(journey)
        await _cancellation_races_acceptance(journey)
        await _sheltered(journey, management)
        await _home_again(journey)
        await _verify(journey)
        journey.result.seconds = time.monotonic() - began
        return journey.result


@asynccontextmanager
async def _systems(
    urls: Mapping[str, str], auths: Mapping[str, httpx.Auth], trouble: Report | None, tls: Mapping[str, ClientTls]
) -> AsyncIterator[dict[str, AgencySystem]]:
    def hears(code: str) -> Callable[[str], None]:
        said = "tidak menjawab, dicoba lagi", "does not answer, trying again"
        return lambda what: trouble(code, *(f"{text} ({what})" for text in said)) if trouble else None

    systems = {code: AgencySystem(code, url, hears(code), auths[code], tls.get(code)) for code, url in urls.items()}
    try:
        yield systems
    finally:
        await asyncio.gather(*(system.close() for system in systems.values()))


async def _detected_and_identified(journey: Journey) -> None:
    police = journey.systems["police"]
    case = {
        "case_id": new_id(),
        "unit": f"polres-{KOLAKA}",
        "channel": "public-report",
        "exploitation": "online-scam",
        "destination": "KH",
    }
    journey.result.case_id = (await police.post("/v1/cases", case))["id"]
    journey.report(
        "police",
        "Polres Kolaka membuka kasus: lowongan kerja daring ke Kamboja",
        "Kolaka police open a case: online job offer, bound for Cambodia",
    )
    for facts in VICTIMS:
        path = f"/v1/cases/{journey.result.case_id}/victims"
        journey.result.victims.append((await police.post(path, {"victim_id": new_id(), **facts}))["id"])
    journey.report(
        "police", "Mendaftarkan dua korban; identitas tinggal di Polri", "registers two victims; names stay here"
    )
    await journey.file("police", f"cases/{journey.result.case_id}", "police-report", "investigation-opened", "spdp")
    journey.report(
        "police",
        "Mencatat laporan polisi, memulai penyidikan, mengirim SPDP",
        "files the report, opens the investigation",
    )
    await journey.file_for_both("police", "screening")
    await journey.stage("police", "identification")
    journey.report("police", "Menapis dan mengidentifikasi keduanya sebagai korban TPPO", "screens and identifies both")
    await _told_once(journey)


async def _told_once(journey: Journey) -> None:
    """The first victim tells her story once, to a trained officer; the statement travels with her."""
    desk, victim = f"desks/polres-{KOLAKA}", f"victims/{journey.result.victims[0]}"
    [officer] = await journey.file("police", desk, "officer")
    await journey.file("police", desk, "officer-training", officer=officer["id"])
    await journey.file("police", victim, "interview", officer=officer["id"])
    journey.report(
        "police", "Memeriksa korban pertama satu kali, oleh penyidik terlatih", "interviews the first victim, once"
    )


async def _to_protection(journey: Journey) -> list[Handover]:
    unit = f"uptd-ppa-{KOLAKA}"
    transfers = await journey.transfer("police", "kemenpppa", "case-management", unit)
    journey.report("police", "Melimpahkan keduanya ke UPTD PPA Kolaka", "transfers both to UPTD PPA Kolaka")
    await journey.act_on_both(transfers, "accept")
    journey.report("kemenpppa", "UPTD PPA menerima: kini penanggung jawab", "accepts: is responsible from now on")
    await journey.act_on_both(transfers, "start")
    await journey.stage("kemenpppa", "protection")
    await journey.file_for_both("kemenpppa", "assessment", "service-plan", "companion")
    journey.report(
        "kemenpppa",
        "Asesmen, rencana layanan yang disetujui korban, pendamping",
        "assesses, and plans with the victims",
    )
    return transfers


async def _treated(journey: Journey) -> None:
    kemenkes, victim = journey.systems["kemenkes"], journey.result.victims[0]
    asked = ("kemenpppa", "kemenkes", victim, "examination-and-treatment")
    first = await journey.refer(*asked, unit=f"rs-{KOLAKA}", priority="urgent")
    journey.report("kemenpppa", "Merujuk satu korban ke RSUD Kolaka", "refers one victim to Kolaka hospital")
    found = await kemenkes.get("/v1/units", agency="kemenkes", serving="74.71")
    better = {"agency": "kemenkes", "unit": found["items"][0]["unit"]}
    await journey.act(first, "reject", reason="no-capacity", better_desk=better)
    journey.report(
        "kemenkes", "Menolak: penuh; menunjuk RSUD Kendari", "rejects: no capacity; names Kendari hospital instead"
    )
    second = await journey.refer(*asked, unit=better["unit"], priority="urgent", replaces=first.id)
    journey.report("kemenpppa", "Merujuk ulang ke RSUD Kendari", "refers again, to the desk that was named")
    await journey.act(second, "accept", "start")
    await journey.file("kemenkes", f"referrals/{second.id}", "examination")
    journey.report("kemenkes", "RSUD Kendari menerima dan memeriksa", "accepts and examines")
    await journey.act(second, "hold", reason="scheduled")
    journey.report("kemenkes", "Menunda: tindakan terjadwal", "on hold: a procedure is scheduled")
    await journey.act(second, "resume")
    await journey.file("kemenkes", f"referrals/{second.id}", "mental-health", "treatment")
    await journey.act(second, "complete", outcome="service-provided")
    journey.report("kemenkes", "Melanjutkan dan menuntaskan pengobatan", "resumes and completes the treatment")


async def _visum(journey: Journey) -> None:
    """The police ask for a visum et repertum, and it is delivered sealed, to the police alone."""
    police, victim = journey.systems["police"], journey.result.victims[0]
    asked = await journey.refer(
        "kemenpppa", "police", victim, "investigation", unit=f"polres-{KOLAKA}", basis="public-task"
    )
    await journey.act(asked, "accept", "start")
    duty = {"unit": f"rs-{KOLAKA}", "basis": "legal-duty"}
    visum = await journey.refer("police", "kemenkes", victim, "visum-et-repertum", **duty)
    await journey.act(visum, "accept", "start")
    [record] = await journey.file("kemenkes", f"referrals/{visum.id}", "visum-et-repertum")
    await journey.act(visum, "complete", outcome="service-provided")
    await police.until(f"/v1/victims/{victim}/records", lambda page: record["id"] in {r["id"] for r in page["items"]})
    await journey.act(asked, "complete", outcome="service-provided")
    journey.report(
        "kemenkes",
        "Menyerahkan visum et repertum tersegel kepada penyidik saja",
        "delivers a visum to the police alone",
    )


async def _cancellation_races_acceptance(journey: Journey) -> None:
    asked = ("kemenpppa", "kemenkes", journey.result.victims[1], "first-aid")
    handover = await journey.refer(*asked, unit=f"rs-{KOLAKA}")
    sender, receiver = journey.systems["kemenpppa"], journey.systems["kemenkes"]
    cancelling = sender.act(handover.id, "request-cancellation", {"reason": "not-needed"})
    raced = await asyncio.gather(cancelling, receiver.act(handover.id, "accept"), return_exceptions=True)
    for lost in raced:
        if isinstance(lost, BaseException) and not (isinstance(lost, Refusal) and lost.code == "referral-ended"):
            raise lost
    seen = await receiver.until(handover.path, lambda view: view["asks"] == 1 and view["status"] in ENDED)
    known = await sender.until(handover.path, lambda view: view["version"] >= seen["version"])
    if known["status"] != seen["status"]:
        raise JourneyBroken(
            f"referral {handover.id}: {known['status']} at the sender, {seen['status']} at the receiver"
        )
    accepted_first = seen["version"] == 4
    journey.report(
        "kemenpppa",
        f"Membatalkan rujukan tepat saat RSUD menerima ({'terima' if accepted_first else 'batal'} dahulu): "
        "kedua pihak sepakat, batal",
        f"a cancellation races an acceptance, {'acceptance' if accepted_first else 'cancellation'} comes first: "
        "both sides agree, cancelled",
    )


async def _sheltered(journey: Journey, management: list[Handover]) -> None:
    unit = f"dinsos-{KOLAKA}"
    transfers = await journey.transfer("kemenpppa", "kemensos", "shelter-and-rehabilitation", unit)
    journey.report("kemenpppa", "Melimpahkan keduanya ke Dinas Sosial Kolaka", "transfers both to Kolaka social office")
    await journey.act_on_both(transfers, "accept")
    journey.report("kemensos", "Dinas Sosial menerima: kini penanggung jawab", "accepts: is responsible from now on")
    await journey.act_on_both(management, "complete", outcome="referred-onward")
    journey.report("kemenpppa", "Menutup pendampingannya", "completes its case management")
    await journey.act_on_both(transfers, "start")
    await journey.stage("kemensos", "social-rehabilitation")
    await journey.file("kemensos", f"desks/{unit}", "shelter-beds")
    await journey.file_for_both("kemensos", "bed-assigned", *REHABILITATION)
    journey.report(
        "kemensos", "Rumah aman dan enam tahap rehabilitasi sosial", "a bed, and six stages of social rehabilitation"
    )
    await journey.act_on_both(transfers, "complete", outcome="service-provided")
    journey.report("kemensos", "Rehabilitasi tuntas", "rehabilitation is completed")


async def _home_again(journey: Journey) -> None:
    transfers = await journey.transfer("kemensos", "kemensos", "reintegration", f"dinsos-{HOME}")
    journey.report("kemensos", "Melimpahkan ke Dinas Sosial Kota Makassar", "transfers both to Makassar, their home")
    await journey.file_for_both("kemensos", "bed-released", "repatriation-plan")
    await journey.act_on_both(transfers, "accept", "start")
    await journey.stage("kemensos", "repatriation")
    await journey.file_for_both("kemensos", "handover")
    journey.report("kemensos", "Makassar menerima; berita acara serah terima", "Makassar accepts, both sides sign")
    await journey.stage("kemensos", "reintegration", "after-care")
    await journey.file_for_both("kemensos", "reintegration-plan", "further-guidance", "after-care-end")
    await journey.act_on_both(transfers, "complete", outcome="service-provided")
    journey.report("kemensos", "Reintegrasi tuntas, bina lanjut berjalan", "reintegrated, after-care given")
    closure = {"outcome": "reintegrated"}
    await journey.for_both(lambda victim: journey.systems["kemensos"].post(f"/v1/victims/{victim}/closure", closure))
    journey.report("kemensos", "Menutup kedua perjalanan", "closes both journeys")


async def _verify(journey: Journey) -> None:
    """Check that both sides agree on every referral, and that coordination shows the same journeys.

    Raises JourneyBroken or TimeoutError.
    """
    agreed = await asyncio.gather(*(_both_sides_agree(journey, handover) for handover in journey.result.handovers))
    coordination = journey.systems["coordination"]
    for victim in journey.result.victims:
        told = {view["id"]: _standing(view) for view in agreed if view["victim_id"] == victim}

        def is_whole(seen: Json, told: Mapping[str, Any] = told) -> bool:
            return seen["closed_at"] is not None and told == {v["id"]: _standing(v) for v in seen["handovers"]}

        seen = await coordination.until(f"/v1/journeys/{victim}", is_whole)
        chain = [(link["agency"], link["unit"]) for link in seen["custody_chain"]]
        if chain != CUSTODY or seen["live_handovers"] != 0 or seen["outcome"] != "reintegrated":
            raise JourneyBroken(f"journey {victim} at coordination: {chain}, {seen['live_handovers']} live")
        journey.result.custody[victim] = [unit for _, unit in chain]
    journey.report(
        "coordination",
        "Kedua perjalanan ditutup; penanggung jawab Polri → KemenPPPA → Kemensos Kolaka → Kemensos Makassar",
        "both journeys closed; somebody was responsible at every moment; no referral is open",
    )


def _standing(view: Json) -> tuple[str, int]:
    return view["status"], view["version"]


async def _both_sides_agree(journey: Journey, handover: Handover) -> Json:
    here, there = (journey.systems[side] for side in (handover.receiver, handover.sender))
    decided = await here.get(handover.path)
    known = await there.until(handover.path, lambda seen: bool(seen["version"] >= decided["version"]))
    if decided["status"] not in ENDED or _standing(known) != _standing(decided):
        raise JourneyBroken(f"{handover}: {_standing(known)} at the sender, {_standing(decided)} at the receiver")
    return decided


def show_trouble(agency: str, indonesian: str, english: str) -> None:
    """Print that a service cannot be reached."""
    say(f"! {LABELS.get(agency, agency)} {indonesian}", english, "yellow")


def _command(
    police: Annotated[str, typer.Option(help="URL of this service.")] = "http://127.0.0.1:8001",
    kemenpppa: Annotated[str, typer.Option(help="URL of this service.")] = "http://127.0.0.1:8002",
    kemensos: Annotated[str, typer.Option(help="URL of this service.")] = "http://127.0.0.1:8003",
    kemenkes: Annotated[str, typer.Option(help="URL of this service.")] = "http://127.0.0.1:8004",
    coordination: Annotated[str, typer.Option(help="URL of this service.")] = "http://127.0.0.1:8000",
    issuer: Annotated[str, typer.Option(help="URL of the issuer of tokens.")] = "http://127.0.0.1:8005",
    secrets: Annotated[Path, typer.Option(help="The folder with the systems' keys.")] = SECRETS,
    ca: Annotated[Path | None, typer.Option(help="CA of the services' certificates, where they speak TLS.")] = None,
    certificate: Annotated[Path | None, typer.Option(help="Certificate to show.")] = None,
    key: Annotated[Path | None, typer.Option(help="Its key.")] = None,
) -> None:
    """Play the example journey of two victims, all of it invented, against running services."""
    tls = ClientTls(ca, certificate, key) if ca and certificate and key else None
    urls = {
        "police": police,
        "kemenpppa": kemenpppa,
        "kemensos": kemensos,
        "kemenkes": kemenkes,
        "coordination": coordination,
    }
    try:
        own = dict.fromkeys(urls, tls) if tls else None
        result = asyncio.run(play(urls, token_sources(issuer, secrets), Progress(), show_trouble, own))
    except FAULTS as error:
        say(f"✗ Perjalanan gagal: {error}", "the journey failed", "bold red")
        raise typer.Exit(1) from None
    for victim in result.victims:
        say(f"  {coordination}/journeys/{victim}", "a journey")


def main() -> None:
    """The command line."""
    typer.run(_command)


if __name__ == "__main__":
    main()
