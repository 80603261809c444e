"""The acts of the agencies in the journey, one after the other. Everything in it is invented."""

import asyncio

from deploy.client.agency_system import CallRefused, Json
from deploy.client.token_source import supervisor_of
from deploy.journey.forms import REHABILITATION
from deploy.journey.steps import Handover, Journey, JourneyBroken

ENDED = {"completed", "rejected", "failed", "cancelled"}
HOME = "73.71"
KOLAKA = "74.01"

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


async def tell(journey: Journey) -> None:
    """From detection to after-care. Raises CallRefused, TimeoutError or JourneyBroken."""
    await _detected_and_identified(journey)
    management = await _to_protection(journey)
    await _treated(journey)
    await _visum(journey)
    await _cancellation_races_acceptance(journey)
    await _sheltered(journey, management)
    await _home_again(journey)


async def _detected_and_identified(journey: Journey) -> None:
    police = journey.systems["police"]
    case = {
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
        journey.result.victims.append((await police.post(path, facts))["id"])
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
        if isinstance(lost, BaseException) and not (isinstance(lost, CallRefused) and lost.code == "referral-ended"):
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
    transfers = await journey.transfer("kemensos", "kemensos", "reintegration", f"dinsos-{HOME}", basis="public-task")
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
    await journey.for_both(lambda victim: _closed(journey, victim))
    journey.report(
        "kemensos",
        "Menutup kedua perjalanan; yang mungkin anak, oleh dua orang",
        "closes both journeys; of who may be a child, by two people",
    )


async def _closed(journey: Journey, victim: str) -> None:
    path = f"/v1/victims/{victim}/closure"
    asked = await journey.systems["kemensos"].post(path, {"outcome": "reintegrated"})
    if asked["approved"] is None:
        decision = {"closure_id": asked["closure_id"], "approved": True}
        await journey.systems[supervisor_of("kemensos")].post(f"{path}/decision", decision)
