"""Desks that work on paper: a letter is printed, and its code is checked against the ledger."""

import base64
import hashlib
import re
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import segno
from sqlalchemy import update

from shared.casework.letters.tables import LetterRow
from shared.contracts import events as e
from shared.contracts.codes import LetterKind
from shared.domain.access import Role
from shared.domain.letters import code_of
from shared.reference.office import draft
from shared.storage.unit_of_work import Transaction
from tests.support.forms import HANDED_OVER, a_person, file
from tests.support.identities import consent
from tests.support.letters import CARE, LETTER, SLIP, WHO, looks, on_paper, printed, until_heard
from tests.support.network import Client, Network, a_victim, problem, refer

# --- printed ----------------------------------------------------------------------------------------------------------


async def test_a_letter_says_what_the_service_needs_and_the_look_is_logged(
    network: Network, asked: tuple[Client, Client, str]
) -> None:
    police, kemenkes, referral = asked
    code = await printed(police, referral)
    said = await on_paper(police, code)
    for words in ("Surat Rujukan", "Kepolisian Negara Republik Indonesia", "Polres Kolaka", "RSUD rujukan Kolaka",
                  "Pemeriksaan dan pengobatan", "Paling lambat dimulai", "UU 21/2007", "WITA", "RAHASIA", referral,
                  "Melati Contoh Rekaan", "28 Februari 2001", "+628000000004"):  # fmt: skip
        assert words in said, words
    assert "Jalan Rekaan" not in said and "Cerita" not in said  # the hospital needs neither
    assert looks(network, "police") == [("care", ["born_on", "name", "phone"])]

    slip = await on_paper(police, await printed(police, referral, SLIP))
    for words in ("Lembar Jawaban Rujukan", "Diterima", "Ditolak", "Tidak ada kapasitas", "Nama dan jabatan"):
        assert words in slip, words
    assert "Melati" not in slip and len(looks(network, "police")) == 1

    # a hospital that has not accepted yet sees the letter without the identity
    await until_heard(police, kemenkes, referral)
    assert "Melati" not in await on_paper(kemenkes, code) and looks(network, "kemenkes") == []
    await kemenkes.must(referral, "accept")
    assert "Melati" in await on_paper(kemenkes, code)
    assert looks(network, "kemenkes") == [("care", ["born_on", "name", "phone"])]


async def test_nothing_is_printed_for_others_that_may_not_be_given_any_more(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    victim = await a_victim(police, identity=WHO)
    await consent(police, victim, fields=["name"])
    referral = await refer(police, victim, "kemenkes", CARE, basis="consent")
    await kemenkes.until_status(referral, "received")
    code = await printed(police, referral)
    said = await on_paper(police, code)
    assert "Melati Contoh Rekaan" in said and "28 Februari 2001" not in said
    assert (await police.post(f"/v1/victims/{victim}/consents/withdrawal")).status_code in (200, 201)
    refused = await police.http.get(f"/v1/letters/{code}/pdf", params={"purpose": "care"})
    assert problem(refused) == "no-consent"


async def test_a_letter_is_printed_by_the_desk_whose_it_is(network: Network, asked: tuple[Client, Client, str]) -> None:
    police, kemenkes, referral = asked
    path = f"/v1/referrals/{referral}/letters"
    assert problem(await kemenkes.post(path, {"kind": LETTER})) == "not-your-move"
    assert problem(await kemenkes.post(path, {"kind": "record"})) == "invalid-request"
    assert (await kemenkes.post(path, {"kind": SLIP})).status_code == 201
    stranger = await network.calling("police", Role.OFFICER, "polres-11.01")
    code = await printed(police, referral)
    assert problem(await stranger.post(path, {"kind": LETTER})) == "unknown-referral"
    assert problem(await stranger.http.get(f"/v1/letters/{code}/pdf", params={"purpose": "care"})) == "unknown-letter"
    key = "cetak-sekali"
    once = [(await police.post(path, {"kind": LETTER}, key=key)).json()["code"] for _ in range(2)]
    assert once[0] == once[1] != code
    await kemenkes.must(referral, "reject", reason="no-capacity")
    assert problem(await kemenkes.post(path, {"kind": SLIP})) == "referral-ended"


async def test_who_has_taken_somebody_over_prints_no_more_than_the_service_needs(network: Network) -> None:
    """A desk of the same agency, which is responsible by now and may see all of it."""
    kemensos = await network.start("kemensos", online=False)
    victim = await a_person(kemensos)
    assert (await kemensos.post(f"/v1/victims/{victim}/identity", WHO)).status_code == 200
    desk = {"agency": "kemensos", "unit": "dinsos-74.02"}
    transfer = await refer(kemensos, victim, "kemensos", "shelter-and-rehabilitation", kind="transfer", receiver=desk)
    code = await printed(kemensos, transfer)
    taker = await network.calling("kemensos", Role.OFFICER, "dinsos-74.02")
    await taker.must(transfer, "accept")
    said = await on_paper(taker, code)
    assert "Surat Pelimpahan" in said and "Jalan Rekaan 7" in said and "Cerita rekaan" not in said


async def test_a_record_of_handover_is_printed_for_both_to_sign(network: Network) -> None:
    kemensos = await network.start("kemensos", online=False)
    victim = await a_person(kemensos)
    named = await kemensos.post(f"/v1/victims/{victim}/identity", {"name": WHO["name"], "address": WHO["address"]})
    assert named.status_code == 200
    happened = {
        "occurred_at": "2026-11-01T09:30:00+08:00",
        "note": "Ditulis di pelabuhan.",
        "condition_details": "Uraian panjang rekaan. " * 40,
    }
    filed = await file(kemensos, f"victims/{victim}", "handover", **HANDED_OVER, leg="port", **happened)
    made = await kemensos.post(f"/v1/records/{filed['id']}/letters")
    assert made.status_code == 201, made.text
    code = made.json()["code"]
    said = await on_paper(kemensos, code)
    for words in ("Berita Acara Serah Terima", "Yang menyerahkan", "Yang menerima", "Satu tas rekaan", "Sehat",
                  "1 November 2026 pukul 09.30 WITA", "Nusa Tenggara Timur", "Melati Contoh Rekaan", "Bandara rekaan",
                  "Kementerian Sosial atau sentranya"):  # fmt: skip
        assert words in said, words
    assert "Jalan Rekaan" not in said
    assert looks(network, "kemensos")[-2:] == [("care", ["handover"]), ("care", ["name"])]
    checked = await kemensos.get(f"/v1/letters/{code}")
    assert (checked["issued"], checked["tells"], checked["standing"]) == ("proven", "proven", "current")
    assert checked["record_id"] == filed["id"]

    await file(kemensos, f"victims/{victim}", "handover", **HANDED_OVER, leg="port", corrects=filed["id"])
    assert (await kemensos.get(f"/v1/letters/{code}"))["standing"] == "superseded"
    assert "PERHATIAN" in await on_paper(kemensos, code)
    assert problem(await kemensos.post(f"/v1/records/{filed['id']}/letters")) == "unknown-record"
    plan = {"destination": "53.01", "safety": "safe", "family_ready": True, "agreed": True}
    other = await file(kemensos, f"victims/{victim}", "repatriation-plan", **plan)
    assert problem(await kemensos.post(f"/v1/records/{other['id']}/letters")) == "form-not-printed"


# --- checked ----------------------------------------------------------------------------------------------------------


async def test_a_holder_of_the_paper_checks_it_in_their_own_ledger(
    network: Network, asked: tuple[Client, Client, str]
) -> None:
    police, kemenkes, referral = asked
    code = await printed(police, referral)
    await until_heard(police, kemenkes, referral)
    for copied in (code, code.lower().replace("-", "")):
        found = await kemenkes.get(f"/v1/letters/{copied}")
        assert (found["issued"], found["tells"], found["standing"]) == ("proven", "proven", "current")
        assert (found["code"], found["kind"], found["referral_id"]) == (code, LETTER, referral)
        assert found["unit"] == {"agency": "police", "unit": "polres-74.01", "region": "74.01"}
    elsewhere = await network.calling("kemenkes", Role.OFFICER, "rs-11.01")
    found = await elsewhere.get(f"/v1/letters/{code}")
    assert found["issued"] == "proven" and found["referral_id"] is found["victim_id"] is None

    await kemenkes.must(referral, "accept")
    assert (await kemenkes.get(f"/v1/letters/{code}"))["standing"] == "superseded"
    await police.until_status(referral, "accepted")
    assert (await police.get(f"/v1/letters/{code}"))["standing"] == "superseded"


async def test_a_forged_or_mistyped_code_is_told_apart(network: Network, asked: tuple[Client, Client, str]) -> None:
    police, _, referral = asked
    code = await printed(police, referral)
    last = "A" if code[-1] != "A" else "B"
    assert problem(await police.http.get(f"/v1/letters/{code[:-1]}{last}")) == "letter-code-mistyped"
    assert problem(await police.http.get(f"/v1/letters/{code_of(7)}")) == "unknown-letter"


# --- somebody with a telephone and no account -------------------------------------------------------------------------


async def scanned(network: Network, code: str, path: str, **query: str) -> tuple[int, str]:
    """An agency's page in a browser without any token: its status, and its words in one line."""
    transport = httpx.ASGITransport(network.apps[code])
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{code}") as browser:
        page = await browser.get(path, params=query)
    assert page.headers["content-type"].startswith("text/html") and page.headers["cache-control"] == "no-store"
    [style] = re.findall("<style>(.*?)</style>", page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = page.headers["content-security-policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';") and "unsafe" not in policy
    return page.status_code, " ".join(re.sub("<[^>]*>", " ", page.text.replace(style, "")).split())


async def test_the_square_code_opens_a_page_that_says_whether_the_letter_holds(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    network.extra = {"public_url": "https://police.example"}
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    victim = await a_victim(police, identity=WHO)
    referral = await refer(police, victim, "kemenkes", CARE)
    code = await printed(police, referral)
    drawn: list[str] = []

    def make(text: str, **how: Any) -> segno.QRCode:
        drawn.append(text)
        return make_qr(text, **how)

    make_qr = segno.make_qr
    monkeypatch.setattr(segno, "make_qr", make)
    await on_paper(police, code)
    assert set(drawn) == {f"https://police.example/surat/{code}"}

    await until_heard(police, kemenkes, referral)
    path = f"/surat/{code}"
    for agency in ("police", "kemenkes"):
        status, said = await scanned(network, agency, path)
        assert status == 200 and "Surat ini tercatat dan masih berlaku" in said
        assert "Polres Kolaka, Kepolisian Negara Republik Indonesia" in said and code in said
        for secret in (*WHO.values(), victim, referral):
            assert secret not in said
    for written in (code, code.lower().replace("-", "")):
        assert await scanned(network, "police", "/surat", kode=written) == await scanned(network, "police", path)
    assert await scanned(network, "police", path, utm_source="wa") == await scanned(network, "police", path)

    await kemenkes.must(referral, "accept")
    assert "Surat ini tercatat, tetapi isinya bukan yang terbaru" in (await scanned(network, "kemenkes", path))[1]


async def test_the_page_tells_a_forgery_from_a_slip_of_the_pen_and_repeats_neither(network: Network) -> None:
    await network.start("police", online=False)
    assert (await scanned(network, "police", "/surat"))[0] == 200
    assert (await scanned(network, "police", f"/surat/{code_of(7)}"))[0] == 404
    assert "Surat ini tidak tercatat di sini" in (await scanned(network, "police", f"/surat/{code_of(7)}"))[1]
    for written in ("Mawar Contoh Rekaan", "K3M9-QXD7-R2TA", "<b>Mawar", "7401010101010001", "A" * 2000):
        for path, query in ((f"/surat/{quote(written, safe='')}", {}), ("/surat", {"kode": written})):
            status, said = await scanned(network, "police", path, **query)
            assert status == 404 and "Kode ini salah tulis" in said and written not in said and "Mawar" not in said


async def test_what_was_changed_in_the_ledger_proves_nothing(network: Network) -> None:
    police = await network.start("police", online=False)
    referral = await refer(police, await a_victim(police), "kemenkes", CARE)
    code = await printed(police, referral)
    database = network.apps["police"].state.database

    def forge(tx: Transaction) -> None:  # as somebody could who writes the file: a row, and no signed word of it
        tx.session.execute(update(LetterRow).values(event_id=referral))

    database.write(forge)
    found = await police.get(f"/v1/letters/{code}")
    assert (found["issued"], found["tells"]) == ("not-here", "proven")
    assert "Catatan surat ini tidak terbukti" in (await scanned(network, "police", f"/surat/{code}"))[1]


async def test_a_stranger_to_the_referral_prints_nothing_of_it(
    network: Network, asked: tuple[Client, Client, str]
) -> None:
    """A third agency's word of a letter is kept aside, and its code is unknown here."""
    police, kemenkes, referral = asked
    kemensos = await network.start("kemensos")
    seen = await police.get(f"/v1/referrals/{referral}")
    office = network.apps["kemensos"].state.office
    unit = office.our_unit("dinsos-74.01", network.clock().date())
    about = {"victim_id": seen["victim_id"], "referral_id": referral, "version": 1}
    said = e.LetterIssued(code=code_of(7), kind=LetterKind.REPLY_SLIP, unit=unit, occurred_at=network.clock(), **about)
    network.apps["kemensos"].state.database.write(
        lambda tx: tx.emit(draft(said, "kemenkes", unit, victim_id=seen["victim_id"]))
    )
    own = await refer(kemensos, await a_person(kemensos), "kemenkes", "first-aid")  # comes after it on the link
    await kemenkes.until_status(own, "received")
    assert problem(await kemenkes.http.get(f"/v1/letters/{code_of(7)}")) == "unknown-letter"
    operator = await network.operator("kemenkes")
    assert [item["reason"] for item in (await operator.get("/v1/parked"))["items"]] == ["not-theirs-to-say"]
