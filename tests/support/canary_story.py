"""A story that fills every field about a victim with the words of the canary."""

import io
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
from pypdf import PdfReader

from shared.domain.access import Role
from shared.domain.forms import Earlier, FormSubject, Words, body_of
from tests.support.canary import Canaries
from tests.support.identities import consent, until_disclosure
from tests.support.network import Client, Network, a_victim, agree, asking, problem, refer
from tests.support.tokens import claims, signed

AGENCIES = ("police", "kemenpppa", "kemensos", "kemenkes")
STRANGER = "polres-11.01"


async def look(canaries: Canaries, client: Client, victim: str) -> None:
    """A caller with the right looks; the answer is kept."""
    answer = await client.http.get(f"/v1/victims/{victim}/identity", params={"purpose": "care"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    canaries.heard.append(answer.text)


OPENED = {"unit": "polres-74.01", "channel": "spkt", "exploitation": "online-scam"}
URGENT = {"reason": "child-at-risk", "minutes": 5}


async def all_that_can_be_told(network: Network, canaries: Canaries) -> list[str]:
    """Every way in which something about a person comes in, and every answer to who must not know."""
    for code in (*AGENCIES, "coordination"):
        await network.start(code)
    police = network["police"]
    case = (await police.post("/v1/cases", OPENED, key=canaries.name("idempotency key"))).json()["id"]
    victim = await a_victim(police, identity=canaries.identity("first"))
    second = await a_victim(police)
    await police.post(f"/v1/victims/{second}/identity", canaries.identity("second"))
    await look(canaries, police, victim)

    treated = await handed_on(network, canaries, victim)
    refusals = [json.dumps(await network["kemenpppa"].get(f"/v1/referrals/{treated}/history"))]
    refusals += await searched_and_looked_at(network, canaries, second)
    refusals += await every_move(network, canaries, second)
    refusals += await on_paper(network, canaries, second)
    for code in AGENCIES:
        refusals += await every_form(network, canaries, network[code])
    refusals += await many_at_once(police, canaries, case)
    known = {name: canaries.words[f"second {name}"] for name in ("name", "nik", "born_on")}
    known["phone"] = "+62" + canaries.words["second phone"]
    refusals += await known_again(network, second, known)
    refusals += await noted(network, canaries, case)
    third = await a_victim(police, identity=canaries.identity("third"))
    refusals += await agreed_taken_back_and_erased(network, canaries, third)
    refusals += await misplaced(network, canaries.name("misplaced"), case, victim, second)
    assert problem(await network["kemenkes"].http.get(f"/v1/victims/{second}/identity", params={"purpose": "care"}))
    refusals += await followed_by_coordination(network, victim, third)
    return refusals + await shown_to_operators(network, victim, treated)


async def handed_on(network: Network, canaries: Canaries, victim: str) -> str:
    """From the police to KemenPPPA, a hospital and a shelter, with notes. Answers the hospital's referral."""
    police, kemenpppa, kemensos, kemenkes = [network[code] for code in AGENCIES]
    transfer = await refer(police, victim, "kemenpppa", "case-management", kind="transfer", note=canaries.name("note"))
    await kemenpppa.until_status(transfer, "received")
    await kemenpppa.must(transfer, "accept", note=canaries.name("accept note"))
    await police.until_status(transfer, "accepted")
    await look(canaries, kemenpppa, victim)
    refused = await refer(kemenpppa, victim, "kemenkes", "examination-and-treatment")
    await kemenkes.until_status(refused, "received")
    await kemenkes.must(refused, "reject", reason="other", note=canaries.name("reject note"))
    treated = await refer(kemenpppa, victim, "kemenkes", "first-aid", priority="stat")
    await kemenkes.until_status(treated, "received")
    await kemenkes.must(treated, "accept")
    await look(canaries, kemenkes, victim)
    await kemenpppa.post(f"/v1/victims/{victim}/identity", {"name": canaries.name("corrected name")})
    await kemenpppa.must(treated, "provide-information", about="identity", note=canaries.name("information note"))
    await kemenkes.until(f"/v1/referrals/{treated}", lambda seen: seen["asks"] == 1)
    await look(canaries, kemenkes, victim)
    shelter = await refer(kemenpppa, victim, "kemensos", "shelter-and-rehabilitation", kind="transfer")
    await kemensos.until_status(shelter, "received")
    await kemensos.must(shelter, "accept")
    await look(canaries, kemensos, victim)
    canaries.heard.append(json.dumps(await kemenpppa.get(f"/v1/referrals/{treated}/notes", purpose="care")))
    return treated


async def searched_and_looked_at(network: Network, canaries: Canaries, victim: str) -> list[str]:
    """A search by number, and a look by break-glass, which a supervisor judges."""
    found = await network["police"].post("/v1/victim-search", {"field": "nik", "value": canaries.words["second nik"]})
    assert [item["id"] for item in found.json()["items"]] == [victim]
    stranger = await network.calling("police", Role.OFFICER, STRANGER)
    urgent = {**URGENT, "note": canaries.name("break-glass note")}
    assert (await stranger.post(f"/v1/victims/{victim}/break-glass", urgent)).status_code == 201
    await look(canaries, stranger, victim)
    head = await network.calling("police", Role.SUPERVISOR)
    [glass] = (await head.get("/v1/break-glass"))["items"]
    reviewed = await head.post(f"/v1/break-glass/{glass['id']}/review", {"verdict": "justified"})
    return [reviewed.text]


async def many_at_once(police: Client, canaries: Canaries, case: str) -> list[str]:
    """A list of people with one unreadable person, as JSON and as a table."""
    people = [{"age_class": "adult", "sex": "female", "identity": canaries.identity("fourth")},
              {"age_class": canaries.name("misread"), "sex": "female", "home_region": "99.99"}]  # fmt: skip
    table = f"nama,alamat,wilayah_asal\n{canaries.name('fifth')},{canaries.name('sixth')},74.01\n"
    csv = {"Content-Type": "text/csv", "Idempotency-Key": "tabel"}
    refusals = []
    for batch in (
        await police.post(f"/v1/cases/{case}/batches", {"people": people, "note": canaries.name("list note")}),
        await police.http.post(f"/v1/cases/{case}/batches.csv", content=table, headers=csv),
        await police.http.post(f"/v1/cases/{case}/batches.csv", content=table.replace("nama", "x"), headers=csv),
        await police.http.get(f"/v1/cases/{case}/batches"),
    ):
        refusals.append(batch.text)
        if batch.headers["content-type"] == "application/x-ndjson":
            lines = [json.loads(line) for line in batch.text.splitlines()]
            for taken_in in [line["victim_id"] for line in lines if line["kind"] == "person" and line["victim_id"]]:
                await look(canaries, police, taken_in)
    return refusals


async def noted(network: Network, canaries: Canaries, case: str) -> list[str]:
    """A case, a registration, a consent, a hold and an end, each written down later; a supervisor reads why."""
    police, at = network["police"], (network.clock() - timedelta(days=3)).isoformat()
    person = {"age_class": "adult", "sex": "female", "occurred_at": at, "note": canaries.name("registration note")}
    victim = (await police.post(f"/v1/cases/{case}/victims", person)).json()["id"]
    head, late = await network.calling("police", Role.SUPERVISOR), {"occurred_at": at}
    opened = await head.post("/v1/cases", {**OPENED, **late, "note": canaries.name("case note")})
    await consent(head, victim, **late, note=canaries.name("consent note"))
    staged = {"stage": "identification", "note": canaries.name("stage note")}
    taken = {**late, "note": canaries.name("withdrawal note")}
    held = {"basis": "trial", **late, "note": canaries.name("hold note")}
    end = {"outcome": "lost-contact", "note": canaries.name("closure note")}
    told = [opened, await police.post(f"/v1/victims/{victim}/stages", staged),
            await head.post(f"/v1/victims/{victim}/consents/withdrawal", taken),
            await head.post(f"/v1/victims/{victim}/legal-holds", held),
            await police.post(f"/v1/victims/{victim}/closure", end)]  # fmt: skip
    assert all(answer.is_success for answer in told), [answer.text for answer in told]
    for one in (await head.get("/v1/backdated"))["items"]:
        canaries.heard.append(json.dumps(await head.get(f"/v1/backdated/{one['id']}/note", purpose="care")))
    return [answer.text for answer in told]


async def agreed_taken_back_and_erased(network: Network, canaries: Canaries, victim: str) -> list[str]:
    """A victim agrees to an examination, takes that back, and is erased."""
    police, kemenkes = network["police"], network["kemenkes"]
    agreed = await consent(police, victim, fields=["name", "born_on", "phone"])
    agreeing = await refer(police, victim, "kemenkes", "examination-and-treatment", basis="consent")
    await kemenkes.until_status(agreeing, "received")
    await kemenkes.must(agreeing, "accept")
    await look(canaries, police, victim)
    await look(canaries, kemenkes, victim)
    withdrawn = await police.post(f"/v1/victims/{victim}/consents/withdrawal")
    assert await until_disclosure(police, victim, agreeing, lambda item: item["end"] == "erased")
    head = await network.calling("police", Role.SUPERVISOR)
    erased = await head.post(f"/v1/victims/{victim}/erasure")
    await agree(network, "police", victim, erased.json()["erasure_id"])
    gone = await police.http.get(f"/v1/victims/{victim}/identity", params={"purpose": "care"})
    assert problem(gone) == "no-identity"
    return [json.dumps(agreed), withdrawn.text, erased.text]


async def misplaced(network: Network, word: str, case: str, victim: str, second: str) -> list[str]:
    """The word at every wrong place, and a caller without the right: no answer may repeat the word."""
    police, coordination = network["police"], network["coordination"]
    stranger = await network.calling("police", Role.OFFICER, STRANGER)
    return [answer.text + repr(answer.headers.multi_items()) for answer in (
        await stranger.http.get(f"/v1/victims/{victim}/identity", params={"purpose": word}),
        await police.post("/v1/cases", {**OPENED, "unit": word}),
        await police.post("/v1/cases", {**OPENED, word: word}),
        await police.post(f"/v1/cases/{case}/victims", {"age_class": word, "sex": "female", "identity": {"nik": word}}),
        await police.post(f"/v1/victims/{second}/identity", {"name": word + "\0", "born_on": word}),
        await police.post("/v1/victim-search", {"field": "nik", "value": word}),
        await police.post("/v1/referrals", asking(second, word, word), key=word),
        await police.http.get(f"/v1/victims/{word}"),
        await police.http.get("/v1/referrals", params={"cursor": word, "status": word}),
        await police.http.get(f"/{word}", headers={"X-Name": word, "User-Agent": word, "traceparent": word}),
        await police.http.post("/v1/cases", content=f'{{"note": "{word}'.encode(), headers={"Idempotency-Key": "1"}),
        await coordination.http.get(f"/journeys/{word}"),
        await coordination.http.post("/masuk", data={"token": word}),
        await coordination.http.get("/v1/journeys", params={"region": word}),
    )]  # fmt: skip


async def followed_by_coordination(network: Network, victim: str, third: str) -> list[str]:
    """Coordination's view of two victims, over the interface and on its pages."""
    coordination = network["coordination"]
    await coordination.until(f"/v1/journeys/{victim}", lambda seen: len(seen["handovers"]) == 4)
    paths = ("/v1/journeys", f"/v1/journeys/{victim}", "/v1/counts")
    shown = [(await coordination.http.get(path)).text for path in paths]
    return shown + [page async for page in pages(network, "/", f"/journeys/{victim}", f"/journeys/{third}")]


async def shown_to_operators(network: Network, victim: str, treated: str) -> list[str]:
    """The pages that operators and auditors of each agency read."""
    shown = []
    for code in AGENCIES:
        operator = await network.operator(code)
        for path in ("/v1/parked", "/v1/links"):
            shown.append((await operator.http.get(path)).text)
        auditor = await network.calling(code, Role.AUDITOR)
        for path in (
            *("/v1/access-log", f"/v1/victims/{victim}/access-report"),
            f"/v1/referrals/{treated}/history",
        ):
            shown.append((await auditor.http.get(path)).text)
    return shown


async def known_again(network: Network, victim: str, known: dict[str, str]) -> list[str]:
    """KemenPPPA registers a victim of the police, and both agencies confirm it. Returns the lists and pages about
    it."""
    kemenpppa = network["kemenpppa"]
    police, theirs = [await network.calling(code, Role.SUPERVISOR) for code in ("police", "kemenpppa")]
    units, agency = network.apps["kemenpppa"].state.office.units, network.members["kemenpppa"].agency
    desk = units.desk_for("kemenpppa", "74.01", network.clock().date()).id
    opened = {"unit": desk, "channel": next(iter(agency.channels)), "exploitation": "sexual"}
    case = (await kemenpppa.post("/v1/cases", opened)).json()["id"]
    person = {"age_class": "adult", "sex": "female", "identity": known}
    again = (await kemenpppa.post(f"/v1/cases/{case}/victims", person)).json()["id"]
    page = await theirs.until("/v1/matches", lambda page: any(item["victim_id"] == again for item in page["items"]))
    [match] = [item for item in page["items"] if item["victim_id"] == again]
    assert set(match["kinds"]) == {"nik", "phone", "name-and-birth"}
    shown = [json.dumps(page)]

    def asks(page: dict[str, Any]) -> bool:
        return "this-side" in {one["turn"] for one in page["items"] if one["match_id"] == match["match_id"]}

    for side in (police, theirs):
        await side.until("/v1/matches", asks)
        said = await side.post(f"/v1/matches/{match['match_id']}/decision", {"decision": "same-person"})
        assert said.status_code == 200, said.text
        shown.append(said.text)
    linked = await police.until("/v1/matches?state=linked", lambda page: any(i["other_id"] for i in page["items"]))
    assert [one["other_id"] for one in linked["items"] if one["victim_id"] == victim] == [again]
    shown += [json.dumps(await police.get(f"/v1/victims/{victim}")), json.dumps(await theirs.get("/v1/matches"))]
    return shown + [page async for page in pages(network, f"/journeys/{victim}", f"/journeys/{again}")]


async def every_move(network: Network, canaries: Canaries, victim: str) -> list[str]:
    """Each move of a referral that takes a note, with one."""
    police, kemenkes = network["police"], network["kemenkes"]
    histories: list[str] = []
    courses: list[list[tuple[str, dict[str, Any]]]] = [
        [("start", {}), ("hold", {"reason": "awaiting-information"}), ("resume", {}),
         ("complete", {"outcome": "service-provided"})],
        [("start", {}), ("fail", {"reason": "other"})],
        [("start", {}), ("request-cancellation", {"reason": "not-needed"}), ("answer-cancellation", {"granted": True})],
    ]  # fmt: skip
    for moves in courses:
        referral = await refer(police, victim, "kemenkes", "first-aid")
        await kemenkes.until_status(referral, "received")
        await kemenkes.must(referral, "accept")
        for action, body in moves:
            mover = police if action == "request-cancellation" else kemenkes
            if mover is police:
                await police.until_status(referral, "in-progress")
            await mover.must(referral, action, note=canaries.name(f"{action} note {referral}"), **body)
            if mover is police:
                await kemenkes.until(f"/v1/referrals/{referral}", lambda seen: seen["cancellation_asked"])
        await police.until_status(referral, "completed", "failed", "cancelled")
        histories += [(await side.http.get(f"/v1/referrals/{referral}/history")).text for side in (police, kemenkes)]
        for side in (police, kemenkes):
            read = await side.http.get(f"/v1/referrals/{referral}/notes", params={"purpose": "care"})
            canaries.heard.append(read.text)
    return histories


async def paper_of(client: Client, canaries: Canaries, made: httpx.Response) -> list[str]:
    """A printed letter: its text is the answer to callers with the right. All else of the file must be silent."""
    assert made.status_code == 201, made.text
    answer = await client.http.get(f"/v1/letters/{made.json()['code']}/pdf", params={"purpose": "care"})
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    paper = PdfReader(io.BytesIO(answer.content))
    canaries.heard.append("".join("".join(page.extract_text().split()) for page in paper.pages))
    apart = [repr(paper.metadata), repr(paper.xmp_metadata), repr(paper.outline), repr(list(paper.attachments))]
    checked = await client.http.get(f"/v1/letters/{made.json()['code']}")
    return [made.text, checked.text, repr(answer.headers.multi_items()), *apart]


async def on_paper(network: Network, canaries: Canaries, victim: str) -> list[str]:
    """A letter and a slip, and the slip's answer with what stood on it."""
    police, kemenkes = network["police"], network["kemenkes"]
    referral = await refer(police, victim, "kemenkes", "examination-and-treatment")
    await kemenkes.until_status(referral, "received")
    told: list[str] = []
    for client, kind in ((police, "referral-letter"), (kemenkes, "reply-slip")):
        made = await client.post(f"/v1/referrals/{referral}/letters", {"kind": kind})
        told += await paper_of(client, canaries, made)
    assert (
        canaries.words["second name"] in canaries.heard[-2] and canaries.words["second name"] not in canaries.heard[-1]
    )
    slip = {"letter": made.json()["code"], "answer": "rejected", "reason": "other",
            "occurred_at": network.clock().isoformat(), "signed_by": canaries.name("signed by"),
            "note": canaries.name("slip note")}  # fmt: skip
    answered = await kemenkes.post(f"/v1/referrals/{referral}/paper-answer", slip)
    assert answered.status_code == 200, answered.text
    await police.until_status(referral, "rejected")
    read = await kemenkes.http.get(f"/v1/referrals/{referral}/notes", params={"purpose": "care"})
    canaries.heard.append(read.text)
    return [*told, answered.text, (await police.http.get(f"/v1/referrals/{referral}/history")).text]


FILLED: dict[str, dict[str, Any]] = {
    "screening": {"decision": "not-found"},
    "interview": {"reason": "Rekaan"},
    "shelter-beds": {"female_adult": 1},
}
"""Values that a form needs beside its example to be filed."""


async def every_form(network: Network, canaries: Canaries, client: Client) -> list[str]:
    """Each form that an agency files, with its own word in each text field; then the agency's lists of records."""
    agency, units = network.members[client.code].agency, network.apps[client.code].state.office.units
    desk = units.desk_for(client.code, "74.01", network.clock().date()).id
    opened = {"unit": desk, "channel": next(iter(agency.channels)), "exploitation": "forced-labour"}
    case = (await client.post("/v1/cases", opened)).json()["id"]
    person = {"age_class": "adult", "sex": "female"}
    victim = (await client.post(f"/v1/cases/{case}/victims", person)).json()["id"]
    subjects = {"case": f"cases/{case}", "victim": f"victims/{victim}", "desk": f"desks/{desk}"}
    filed: dict[str, str] = {}
    silent: list[str] = []
    for form in agency.forms:
        if form.about is FormSubject.REFERRAL and (form.of_service or "referral" not in subjects):
            subjects["referral"] = f"referrals/{await taken_on(network, client, form.of_service)}"
        [body] = body_of(form).model_json_schema()["examples"]
        body |= {"note": canaries.name("filing note"), **FILLED.get(form.code, {})}
        for one in form.fields:
            match one.kind:
                case Words(most):
                    body[one.code] = canaries.name(f"{form.code} {one.code}")[:most]
                case Earlier(forms):
                    body[one.code] = next(filed[code] for code in filed if code in forms)
        answer = await client.post(f"/v1/{subjects[form.about]}/forms/{form.code}", body)
        assert answer.status_code == 201, (form.code, answer.text)
        filed[form.code] = answer.json()["id"]
        whole = await client.http.get(f"/v1/records/{filed[form.code]}", params={"purpose": "care"})
        canaries.heard.append(whole.text)
        if form.delivered:
            canaries.heard.append(await delivered(network["police"], answer.json()["victim_id"], answer.json()["id"]))
        if form.printed is not None:
            printed = await client.post(f"/v1/records/{filed[form.code]}/letters")
            silent += await paper_of(client, canaries, printed)
            assert canaries.words[f"{form.code} belongings"] in canaries.heard[-1]
    listed = [subject for kind, subject in subjects.items() if kind != "referral"]
    return [*silent, *[(await client.http.get(f"/v1/{subject}/records")).text for subject in listed]]


async def delivered(asker: Client, victim: str, record: str) -> str:
    """The asking agency's view of a record, once the record has arrived."""
    arrived = f"/v1/victims/{victim}/records"
    await asker.until(arrived, lambda page: any(one["id"] == record for one in page["items"]))
    return (await asker.http.get(f"/v1/records/{record}", params={"purpose": "investigation"})).text


async def taken_on(network: Network, client: Client, service: str | None) -> str:
    """A referral that the police have sent to an agency, and it has accepted."""
    police = network["police"]
    asked = service or network.members[client.code].agency.services[0].code
    referral = await refer(police, await a_victim(police), client.code, asked)
    await client.until_status(referral, "received")
    await client.must(referral, "accept")
    return referral


async def open_doors(network: Network) -> list[str]:
    """The answers of every address without a parameter to every role."""
    answers: list[str] = []
    for code, app in network.apps.items():
        callers = [await network.calling(code, role) for role in Role]
        paths = [path for path, item in app.openapi()["paths"].items() if "get" in item and "{" not in path]
        assert "/health/ready" in paths
        for path in paths:
            answers += [(await caller.http.get(path)).text for caller in callers]
        answers += [(await callers[0].http.get(path)).text for path in ("/openapi.json", "/docs")]
    return answers


async def pages(network: Network, *paths: str) -> AsyncIterator[str]:
    """The console's pages for a signed-in coordinator."""
    app = network.apps["coordination"]
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://coordination") as browser:
        token = signed(claims("coordination", Role.COORDINATOR, "pusat", network.clock()))
        own = {"Sec-Fetch-Site": "same-origin"}
        assert (await browser.post("/masuk", data={"token": token}, headers=own)).status_code == 303
        for path in paths:
            page = await browser.get(path)
            assert page.status_code == 200 and "<html" in page.text
            yield page.text
