"""At one agency, between its desks: who looks leaves a row in the access log, and who has no part has no say."""

from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from deploy.embedded_nats import EmbeddedNats
from shared.domain.access import Role
from shared.domain.commands import Identity
from shared.storage.agency_tables import IdempotencyRow
from tests.support.network import Client, Network, a_victim, asking, erase, problem, refer

KOLAKA, MAKASSAR, TOP = "polres-74.01", "polres-73.71", "bareskrim"
WHO = {"name": "Dahlia Contoh Rekaan", "nik": "7401010101010007", "safe_house": "Rumah rekaan 7"}
NOTE = "Catatan rekaan: ia memakai nama lain."
LOOK: dict[str, Any] = {"reason": "life-in-danger", "minutes": 30, "note": "Catatan rekaan: ada yang menunggunya."}


@pytest.fixture
async def police(tmp_path: Path, secrets: Path, database_url: Callable[[str], str]) -> AsyncIterator[Network]:
    """The police alone; no broker is needed for what desks of one agency do to each other."""
    network = Network(tmp_path, secrets, EmbeddedNats(tmp_path / "nats", secrets), database_url)
    await network.start("police", online=False)
    yield network
    await network.stop_all()


async def officers(police: Network) -> tuple[Client, Client]:
    """The desk that finds her, and one that it asks to investigate."""
    return await police.calling("police", Role.OFFICER, KOLAKA), await police.calling("police", Role.OFFICER, MAKASSAR)


async def investigation(owner: Client, victim: str, **more: Any) -> str:
    return await refer(
        owner, victim, "police", "investigation", receiver={"agency": "police", "unit": MAKASSAR}, **more
    )


async def looks(client: Client, victim: str) -> list[tuple[str, str, str, list[str]]]:
    """The rows of the access report: unit, purpose, right, fields."""
    rows = (await client.get(f"/v1/victims/{victim}/access-report"))["looks"]
    return [(row["unit"], row["purpose"], row["right"], row["fields"]) for row in rows]


async def identity(client: Client, victim: str) -> dict[str, Any] | str:
    answer = await client.http.get(f"/v1/victims/{victim}/identity", params={"purpose": "care"})
    if answer.status_code != 200:
        return problem(answer)
    return {name: value for name, value in answer.json().items() if value is not None}


async def search(client: Client, nik: str) -> list[str]:
    answer = await client.post("/v1/victim-search", {"field": "nik", "value": nik})
    return [item["id"] for item in answer.json()["items"]]


# --- the access log ---------------------------------------------------------------------------------------------------


async def test_who_writes_searches_or_reads_leaves_a_row(police: Network) -> None:
    owner, _ = await officers(police)
    victim = await a_victim(owner)
    assert (await owner.post(f"/v1/victims/{victim}/identity", WHO)).status_code == 200
    assert await search(owner, WHO["nik"]) == [victim]
    assert await search(owner, WHO["nik"][::-1]) == []  # who finds nobody has seen nobody
    assert await identity(owner, victim) == WHO
    assert await looks(owner, victim) == [
        (KOLAKA, "care", "custody", sorted(WHO)),
        (KOLAKA, "search", "custody", ["nik"]),
        (KOLAKA, "record", "custody", sorted(WHO)),
    ]


NO_LOG = {
    "sqlite": "CREATE TRIGGER no_log BEFORE INSERT ON access_log BEGIN SELECT RAISE(ABORT, 'full'); END",
    "postgresql": "ALTER TABLE access_log ADD CONSTRAINT no_log CHECK (at IS NULL) NOT VALID",
}


async def test_what_cannot_be_logged_is_not_shown_and_not_written(police: Network) -> None:
    """The row of the log and what it tells of are one transaction."""
    owner, _ = await officers(police)
    victim = await a_victim(owner, identity=WHO)
    referral = await investigation(owner, victim, note=NOTE)
    stranger = await police.calling("police", Role.OFFICER, "polres-11.01")
    glass = await stranger.post(f"/v1/victims/{victim}/break-glass", LOOK)
    top = await police.calling("police", Role.SUPERVISOR, TOP)
    engine = police.apps["police"].state.database.engine
    with engine.begin() as connection:
        connection.execute(text(NO_LOG[engine.dialect.name]))
    path = f"/v1/victims/{victim}/identity"
    for answer in (
        await owner.http.get(path, params={"purpose": "care"}),
        await owner.post(path, {"name": "Nama Baru Rekaan"}),
        await owner.post("/v1/victim-search", {"field": "nik", "value": WHO["nik"]}),
        await owner.http.get(f"/v1/referrals/{referral}/notes", params={"purpose": "care"}),
        await stranger.http.get(path, params={"purpose": "emergency"}),
        await top.http.get(f"/v1/break-glass/{glass.json()['id']}/note"),
    ):
        assert answer.status_code == 500
        assert not any(said in answer.text for said in (WHO["name"], victim, NOTE, LOOK["note"]))
    with engine.begin() as connection:
        undo = {"sqlite": "DROP TRIGGER no_log", "postgresql": "ALTER TABLE access_log DROP CONSTRAINT no_log"}
        connection.execute(text(undo[engine.dialect.name]))
    assert await identity(owner, victim) == WHO
    assert await notes(owner, referral) == [NOTE]
    [told] = (await top.get("/v1/break-glass"))["items"]
    assert told["looks"] == 0  # what was not shown was no look


# --- numbers ----------------------------------------------------------------------------------------------------------


async def test_who_may_not_see_a_number_may_not_try_it(police: Network) -> None:
    owner, asked = await officers(police)
    victim = await a_victim(owner, identity=WHO)
    referral = await investigation(owner, victim)
    assert await search(asked, WHO["nik"]) == []  # nobody works for her there yet
    await asked.must(referral, "accept")
    assert await search(asked, WHO["nik"]) == [victim]
    await asked.must(referral, "start")
    await asked.must(referral, "complete", outcome="service-provided")
    assert await search(asked, WHO["nik"]) == []  # the work is done
    assert [row for row in await looks(owner, victim) if row[0] == MAKASSAR] == [
        (MAKASSAR, "search", "work", ["nik"])
    ]  # only what was found was seen


async def test_a_desk_that_has_rejected_tries_no_numbers(police: Network) -> None:
    owner, asked = await officers(police)
    victim = await a_victim(owner, identity=WHO)
    await asked.must(await investigation(owner, victim), "reject", reason="no-capacity")
    assert await search(asked, WHO["nik"]) == []


# --- notes ------------------------------------------------------------------------------------------------------------


async def notes(client: Client, referral: str) -> list[str] | str:
    answer = await client.http.get(f"/v1/referrals/{referral}/notes", params={"purpose": "investigation"})
    if answer.status_code != 200:
        return problem(answer)
    assert answer.headers["cache-control"] == "no-store"
    return [item["text"] for item in answer.json()["items"]]


async def test_a_note_is_for_its_desk_and_for_who_works_with_it_and_each_look_is_logged(police: Network) -> None:
    owner, asked = await officers(police)
    victim = await a_victim(owner)
    referral = await investigation(owner, victim, note=NOTE)
    assert await notes(asked, referral) == []  # not at work yet, and not its own
    assert await notes(owner, referral) == [NOTE]
    await asked.must(referral, "accept", note="Diterima, rekaan.")
    assert await notes(asked, referral) == [NOTE, "Diterima, rekaan."]
    stranger = await police.calling("police", Role.OFFICER, "polres-11.01")
    assert await notes(stranger, referral) == "unknown-referral"
    auditor = await police.calling("police", Role.AUDITOR, KOLAKA)
    assert await notes(auditor, referral) == "role-not-allowed"
    assert await looks(owner, victim) == [
        (MAKASSAR, "investigation", "work", ["note"]),
        (KOLAKA, "investigation", "custody", ["note"]),
    ]


async def test_who_has_rejected_reads_what_it_wrote_itself_and_no_more(police: Network) -> None:
    owner, asked = await officers(police)
    victim = await a_victim(owner)
    referral = await investigation(owner, victim, note=NOTE)
    await asked.must(referral, "reject", reason="other", note="Bukan wilayah kami, rekaan.")
    assert await notes(asked, referral) == ["Bukan wilayah kami, rekaan."]
    assert (MAKASSAR, "investigation", "author", ["note"]) in await looks(owner, victim)
    assert NOTE not in (await asked.http.get(f"/v1/referrals/{referral}/history")).text


# --- a say ------------------------------------------------------------------------------------------------------------


async def test_who_was_only_asked_has_no_say_over_her_rights(police: Network) -> None:
    owner, _ = await officers(police)
    victim = await a_victim(owner, identity=WHO)
    referral = await investigation(owner, victim)
    asked = await police.calling("police", Role.SUPERVISOR, MAKASSAR)
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


async def test_a_hold_is_lifted_by_the_desk_that_placed_it_or_one_above(police: Network) -> None:
    owner, asked = await officers(police)
    victim = await a_victim(owner, identity=WHO)
    await asked.must(await investigation(owner, victim), "accept")
    top, above, makassar = [
        await police.calling("police", Role.SUPERVISOR, unit) for unit in (TOP, "polda-sulsel", MAKASSAR)
    ]
    place, lift = (f"/v1/victims/{victim}/{path}" for path in ("legal-holds", "legal-holds/lifting"))
    assert (await top.post(place, {"basis": "trial"})).status_code == 201
    assert problem(await makassar.post(lift)) == "not-your-unit"
    assert (await makassar.post(place, {"basis": "investigation"})).status_code == 201
    assert (await above.post(lift)).status_code == 200  # that of Makassar; the trial's stands
    assert problem(await top.post(f"/v1/victims/{victim}/erasure")) == "legal-hold"
    assert (await top.post(lift)).status_code == 200
    await erase(police, "police", victim)
    assert await identity(owner, victim) == "no-identity"


async def test_who_has_not_accepted_refers_nobody_on(police: Network) -> None:
    owner, asked = await officers(police)
    victim = await a_victim(owner)
    referral = await investigation(owner, victim)
    onward = asking(victim, "kemenkes", "first-aid")
    assert problem(await asked.post("/v1/referrals", onward)) == "not-responsible"
    await asked.must(referral, "accept")
    assert (await asked.post("/v1/referrals", onward)).status_code == 201


async def test_a_desk_gives_on_what_it_may_see_itself_and_no_more(police: Network) -> None:
    """Whoever shelters her needs to know of the safe house; who investigates does not know of it."""
    owner, asked = await officers(police)
    victim = await a_victim(owner, identity=WHO)
    await asked.must(await investigation(owner, victim), "accept")
    by_asked = await refer(asked, victim, "kemensos", "shelter-and-rehabilitation")
    by_owner = await refer(owner, victim, "kemensos", "shelter-and-rehabilitation", force=True)
    given = (await owner.get(f"/v1/victims/{victim}/disclosures"))["items"]
    fields = {item["referral_id"]: set(item["fields"]) for item in given}
    assert fields[by_owner] == fields[by_asked] | {"safe_house"} and "safe_house" not in fields[by_asked]


async def test_a_referral_replaces_only_one_of_the_same_victim(police: Network) -> None:
    owner, asked = await officers(police)
    other = await investigation(owner, await a_victim(owner))
    victim = await a_victim(owner)
    earlier = await investigation(owner, victim)
    await asked.must(earlier, "reject", reason="no-capacity")
    onward = asking(victim, "kemenkes", "first-aid")
    refused = await owner.post("/v1/referrals", {**onward, "replaces": other})
    assert (problem(refused), refused.json()["errors"][0]["field"]) == ("unknown-referral", "/replaces")
    assert (await owner.post("/v1/referrals", {**onward, "replaces": earlier})).status_code == 201


async def test_one_clients_key_is_not_anothers(police: Network) -> None:
    owner, asked = await officers(police)
    body = {"channel": "spkt", "exploitation": "sexual"}
    mine = await owner.post("/v1/cases", {"unit": KOLAKA, **body}, key="satu")
    theirs = await asked.post("/v1/cases", {"unit": MAKASSAR, **body}, key="satu")
    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert mine.json()["id"] != theirs.json()["id"]


async def test_a_key_is_for_one_address(police: Network) -> None:
    """Of two victims who are told the same, the second is not given the answer for the first."""
    owner, _ = await officers(police)
    one, other = [await a_victim(owner) for _ in range(2)]
    stage = {"stage": "protection"}
    assert (await owner.post(f"/v1/victims/{one}/stages", stage, key="tahap")).status_code == 201
    reused = await owner.post(f"/v1/victims/{other}/stages", stage, key="tahap")
    assert problem(reused) == "idempotency-key-reused"
    assert (await owner.get(f"/v1/victims/{other}"))["stage"] == "detection"


async def test_what_is_kept_of_a_post_cannot_be_guessed_from_it(police: Network) -> None:
    """A NIK has few digits: a plain hash of what was sent could be tried out. The keyed one differs at each agency."""
    owner, _ = await officers(police)
    path = f"/v1/victims/{await a_victim(owner)}/identity"
    assert (await owner.post(path, {"nik": WHO["nik"]})).status_code == 200
    sent = Identity(nik=WHO["nik"]).model_dump_json()
    guesses = {sha256(f"{lead}{sent}".encode()).hexdigest() for lead in ("", path, f"{path}\n")}
    rows = police.apps["police"].state.database.read(lambda s: s.scalars(select(IdempotencyRow)).all())
    assert rows and not guesses & {row.fingerprint for row in rows}
