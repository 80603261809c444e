"""Desks of one agency: each look is in the access log, and a desk without a part sees nothing."""

from sqlalchemy import text

from shared.domain.access import Role
from tests.support.desks import (
    KOLAKA,
    LOOK,
    MAKASSAR,
    NOTE,
    TOP,
    WHO,
    identity,
    investigation,
    looks,
    notes,
    officers,
    search,
)
from tests.support.network import Network, a_victim

# --- the access log ---------------------------------------------------------------------------------------------------


async def test_who_writes_searches_or_reads_leaves_a_row(police_alone: Network) -> None:
    owner, _ = await officers(police_alone)
    victim = await a_victim(owner)
    assert (await owner.post(f"/v1/victims/{victim}/identity", WHO)).status_code == 200
    assert await search(owner, WHO["nik"]) == [victim]
    assert await search(owner, WHO["nik"][::-1]) == []  # who finds nobody has seen nobody
    assert await identity(owner, victim) == WHO
    assert await looks(owner, victim) == [
        (KOLAKA, "care", "custody", sorted(WHO)),
        (KOLAKA, "search", "custody", ["nik"]),
        (KOLAKA, "search", "custody", ["nik"]),  # a number that is written down searches the other agencies
        (KOLAKA, "record", "custody", sorted(WHO)),
    ]


NO_LOG = {
    "sqlite": "CREATE TRIGGER no_log BEFORE INSERT ON access_log BEGIN SELECT RAISE(ABORT, 'full'); END",
    "postgresql": "ALTER TABLE access_log ADD CONSTRAINT no_log CHECK (at IS NULL) NOT VALID",
}


async def test_what_cannot_be_logged_is_not_shown_and_not_written(police_alone: Network) -> None:
    """The row of the log and what it tells of are one transaction."""
    owner, _ = await officers(police_alone)
    victim = await a_victim(owner, identity=WHO)
    referral = await investigation(owner, victim, note=NOTE)
    stranger = await police_alone.calling("police", Role.OFFICER, "polres-11.01")
    glass = await stranger.post(f"/v1/victims/{victim}/break-glass", LOOK)
    top = await police_alone.calling("police", Role.SUPERVISOR, TOP)
    engine = police_alone.apps["police"].state.database.engine
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


async def test_who_may_not_see_a_number_may_not_try_it(police_alone: Network) -> None:
    owner, asked = await officers(police_alone)
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


async def test_a_desk_that_has_rejected_tries_no_numbers(police_alone: Network) -> None:
    owner, asked = await officers(police_alone)
    victim = await a_victim(owner, identity=WHO)
    await asked.must(await investigation(owner, victim), "reject", reason="no-capacity")
    assert await search(asked, WHO["nik"]) == []


# --- notes ------------------------------------------------------------------------------------------------------------


async def test_a_note_is_for_its_desk_and_for_who_works_with_it_and_each_look_is_logged(police_alone: Network) -> None:
    owner, asked = await officers(police_alone)
    victim = await a_victim(owner)
    referral = await investigation(owner, victim, note=NOTE)
    assert await notes(asked, referral) == []  # not at work yet, and not its own
    assert await notes(owner, referral) == [NOTE]
    await asked.must(referral, "accept", note="Diterima, rekaan.")
    assert await notes(asked, referral) == [NOTE, "Diterima, rekaan."]
    stranger = await police_alone.calling("police", Role.OFFICER, "polres-11.01")
    assert await notes(stranger, referral) == "unknown-referral"
    auditor = await police_alone.calling("police", Role.AUDITOR, KOLAKA)
    assert await notes(auditor, referral) == "role-not-allowed"
    assert await looks(owner, victim) == [
        (MAKASSAR, "investigation", "work", ["note"]),
        (KOLAKA, "investigation", "custody", ["note"]),
    ]


async def test_who_has_rejected_reads_what_it_wrote_itself_and_no_more(police_alone: Network) -> None:
    owner, asked = await officers(police_alone)
    victim = await a_victim(owner)
    referral = await investigation(owner, victim, note=NOTE)
    await asked.must(referral, "reject", reason="other", note="Bukan wilayah kami, rekaan.")
    assert await notes(asked, referral) == ["Bukan wilayah kami, rekaan."]
    assert (MAKASSAR, "investigation", "author", ["note"]) in await looks(owner, victim)
    assert NOTE not in (await asked.http.get(f"/v1/referrals/{referral}/history")).text
