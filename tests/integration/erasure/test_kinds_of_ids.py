"""An id names things of one kind. No id of a case, a record or another victim empties what is kept of a victim."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from shared.contracts.codes import BreakGlassReason
from shared.contracts.events import BreakGlassOpened, ErasureRequested
from shared.domain.access import Role
from shared.domain.ids import BROUGHT
from shared.reference.office import new_id
from shared.victims.sealed import forgetting
from shared.victims.sealed.may_forget import NotToForget
from shared.victims.sealed.tables import BlindIndexRow, DataKeyRow, SealedRow
from tests.support.by_hand import deliver, parked, posted, request_of, said
from tests.support.forms import file
from tests.support.identities import BY_PAPER, NOTE, WHO, found_by, keys_left, look
from tests.support.ids import next_ids
from tests.support.network import Client, Network, a_victim, erase, problem, refer

KOLAKA, BANDA_ACEH = "polres-74.01", "polres-11.01"
REPORT = {
    "lp_number": "LP/B/7/XI/2026",
    "reported_by": "officer",
    "region": "74.01",
    "place": "port",
    "account": "Rekaan.",
}
ACEH_CASE = {"unit": BANDA_ACEH, "channel": "spkt", "exploitation": "online-scam"}


async def held(network: Network, code: str, victim: str, unit: str | None = None) -> Client:
    head = await network.calling(code, Role.SUPERVISOR, unit)
    assert (await head.post(f"/v1/victims/{victim}/legal-holds", {"basis": "trial"})).status_code == 201
    return head


def rows_of(network: Network, code: str, victim: str) -> tuple[int, int, int]:
    """How many data keys, sealed texts and index entries lie under a victim."""

    def count(session: Any) -> tuple[int, int, int]:
        subject = f"victim:{victim}"
        return (
            len(session.scalars(select(DataKeyRow).where(col(DataKeyRow.subject_id) == subject)).all()),
            len(session.scalars(select(SealedRow).where(col(SealedRow.subject_id) == subject)).all()),
            len(session.scalars(select(BlindIndexRow).where(col(BlindIndexRow.victim_id) == victim)).all()),
        )

    counted: tuple[int, int, int] = network.apps[code].state.database.read(count)
    return counted


def erasure_of(network: Network, by: str, to: str, victim: str, **more: Any) -> Any:
    desk = network.apps[by].state.office.speaker(network.clock().date())
    named = {"erasure_id": new_id(), "victim_id": victim, "unit": desk, "occurred_at": network.clock(), **more}
    return said(network, by, to, ErasureRequested(**named))


# --- over the wire: TRUST 2, steps 1 to 6 -----------------------------------------------------------------------------


@pytest.mark.parametrize("stranger", ["kemenkes", "coordination"])
async def test_two_events_of_a_stranger_empty_no_victim_under_a_legal_hold(two: Network, stranger: str) -> None:
    """TRUST 2, steps 1 to 5: the case of the stranger's request is the id of a victim of the police."""
    police = two["police"]
    if stranger == "coordination":
        await two.start("coordination", online=False)
    victim = await a_victim(police, identity=WHO)
    head = await held(two, "police", victim)
    before = rows_of(two, "police", victim)
    another = new_id()
    request = request_of(two, stranger, "police", another, {"name": "Rekaan Saja"}, case_id=victim)
    deliver(two, request, erasure_of(two, stranger, "police", another), to="police")
    assert ("id-of-another-kind", False, True) in parked(two, "police")
    assert await look(police, victim) == WHO and rows_of(two, "police", victim) == before
    assert await found_by(police, WHO["nik"]) == [victim]
    glass = await head.post(f"/v1/victims/{victim}/break-glass", {"reason": "court-order", "minutes": 5})
    assert glass.status_code == 201 and await look(head, victim, "legal") == WHO


async def test_a_victim_with_the_id_of_a_case_does_not_empty_the_case_file(two: Network) -> None:
    """TRUST 2, step 6: every agency that ever got a request knows the id of the case."""
    police = two["police"]
    victim = await a_victim(police)
    case = (await police.get(f"/v1/victims/{victim}"))["case_id"]
    report = await file(police, f"cases/{case}", "police-report", **REPORT)
    request = request_of(two, "kemenkes", "police", case, {"name": "Rekaan Saja"})
    deliver(two, request, erasure_of(two, "kemenkes", "police", case), to="police")
    assert ("id-of-another-kind", False, True) in parked(two, "police")
    read = await police.get(f"/v1/records/{report['id']}", purpose="investigation")
    assert read["sealed"] == {"lp_number": REPORT["lp_number"], "account": REPORT["account"]}


async def test_keys_lie_apart_where_an_id_is_known_by_hearsay_as_two_kinds(two: Network) -> None:
    """A false word that came first keeps no true one out, and their texts never meet."""
    police, kemenkes = two["police"], two["kemenkes"]
    victim = await a_victim(police, identity=WHO)
    case = (await police.get(f"/v1/victims/{victim}"))["case_id"]
    kemensos = await two.start("kemensos", online=False)
    assert kemensos is not police
    false = request_of(two, "kemensos", "kemenkes", case, {"name": "Rekaan Saja"}, service="first-aid")
    deliver(two, false)
    asked = await refer(police, victim, "kemenkes", "first-aid")
    deliver(two, *posted(two))
    await kemenkes.must(asked, "accept")
    known = await look(kemenkes, victim)
    assert known == {"name": WHO["name"], "born_on": WHO["born_on"]}
    deliver(two, erasure_of(two, "kemensos", "kemenkes", case))
    assert await look(kemenkes, victim) == known


@pytest.mark.parametrize("field", sorted({field for fields in BROUGHT.values() for field in fields} - {"record_id"}))
async def test_an_id_that_we_made_is_parked_as_any_other_kind(two: Network, field: str) -> None:
    """The id of a batch is none of these kinds."""
    police = two["police"]
    await a_victim(police)
    case = (await police.post("/v1/cases", {**ACEH_CASE, "unit": KOLAKA})).json()["id"]
    ours, victim = new_id(), new_id()
    with next_ids(ours):
        taken = await police.post(f"/v1/cases/{case}/batches", {"people": [{}]})
    assert taken.status_code == 200, taken.text
    if field == "erasure_id":
        word = erasure_of(two, "kemenkes", "police", victim, erasure_id=ours)
    elif field == "break_glass_id":
        word = a_glass(two, victim, ours)
    else:
        named = {"victim_id": ours} if field == "victim_id" else {field: ours}
        word = request_of(two, "kemenkes", "police", named.pop("victim_id", victim), {"name": "Rekaan"}, **named)
    deliver(two, word, to="police")
    assert [reason for reason, _, _ in parked(two, "police")] == ["id-of-another-kind"]


def a_glass(network: Network, victim: str, ident: str) -> Any:
    desk = network.apps["kemenkes"].state.office.speaker(network.clock().date())
    now = network.clock()
    opened = BreakGlassOpened(
        break_glass_id=ident,
        victim_id=victim,
        unit=desk,
        reason=BreakGlassReason.COURT_ORDER,
        until=now,
        occurred_at=now,
    )
    return said(network, "kemenkes", "police", opened)


# --- over HTTP: TRUST 2, step 7, and TRUST 7 --------------------------------------------------------------------------


async def test_nobody_opens_a_case_under_the_id_of_a_victim(two: Network) -> None:
    """TRUST 2, step 7: a Polres would open a "case" with the id of a victim, and erase somebody in it."""
    kolaka = await two.calling("police", Role.OFFICER, KOLAKA)
    victim = await a_victim(kolaka, identity=WHO)
    await held(two, "police", victim, KOLAKA)
    aceh = await two.calling("police", Role.OFFICER, BANDA_ACEH)
    assert (await aceh.http.get(f"/v1/victims/{victim}")).status_code == 404
    assert problem(await aceh.post("/v1/cases", {**ACEH_CASE, "case_id": victim})) == "invalid-request"
    own = await a_victim(aceh, BANDA_ACEH)
    await erase(two, "police", own, BANDA_ACEH)
    assert await look(kolaka, victim) == WHO


async def test_the_file_of_a_case_stays_while_a_court_needs_one_of_its_victims(two: Network) -> None:
    police = two["police"]
    first = await a_victim(police, identity=WHO)
    case = (await police.get(f"/v1/victims/{first}"))["case_id"]
    second = (await police.post(f"/v1/cases/{case}/victims", {"age_class": "adult", "sex": "male"})).json()["id"]
    report = await file(police, f"cases/{case}", "police-report", **REPORT)
    await erase(two, "police", second)
    head = await held(two, "police", second)
    await erase(two, "police", first)
    assert (await police.get(f"/v1/records/{report['id']}", purpose="investigation"))["sealed"]
    assert (await head.post(f"/v1/victims/{second}/legal-holds/lifting")).status_code == 200


async def test_a_case_that_is_another_agencys_opens_no_victim_to_any_desk(two: Network) -> None:
    """TRUST 7: an officer of a hospital tries to open a "case" under the case id of the police."""
    police = two["police"]
    victim = await a_victim(police, identity=WHO)
    case = (await police.get(f"/v1/victims/{victim}"))["case_id"]
    await refer(police, victim, "kemenkes", "first-aid", receiver={"agency": "kemenkes", "region": "73.71"})
    deliver(two, *posted(two))
    other = await two.calling("kemenkes", Role.OFFICER, "rs-74.01")
    paths = [f"/v1/victims/{victim}{of}" for of in ("", "/access-report", "/disclosures", "/records")]
    assert {(await other.http.get(path)).status_code for path in paths} == {404}
    body = {"case_id": case, "unit": "rs-74.01", "channel": "emergency", "exploitation": "sexual"}
    refused = await other.post("/v1/cases", body)
    assert (refused.status_code, problem(refused)) == (422, "invalid-request")
    assert {(await other.http.get(path)).status_code for path in paths} == {404}


async def test_a_request_that_names_a_case_of_ours_shows_its_victim_to_no_desk_that_opened_the_case(
    two: Network,
) -> None:
    """TRUST 7, the other way: the victim's case is another agency's word, and counts for nothing here."""
    aceh = await two.calling("police", Role.OFFICER, BANDA_ACEH)
    case = (await aceh.post("/v1/cases", ACEH_CASE)).json()["id"]
    victim = new_id()
    deliver(two, request_of(two, "kemenkes", "police", victim, case_id=case), to="police")
    assert (await aceh.http.get(f"/v1/victims/{victim}")).status_code == 404
    assert victim not in str(await aceh.get(f"/v1/cases/{case}"))
    head = await two.calling("police", Role.SUPERVISOR, BANDA_ACEH)
    refused = await head.post(f"/v1/victims/{victim}/legal-holds", {"basis": "trial"})
    assert (refused.status_code, problem(refused)) == (404, "unknown-victim")


# --- the function that destroys keys ----------------------------------------------------------------------------------


async def test_forget_itself_refuses_a_word_without_a_right(two: Network) -> None:
    police, kemenkes = two["police"], two["kemenkes"]
    victim = await a_victim(police, identity=WHO)
    asked = await refer(police, victim, "kemenkes", "first-aid")
    deliver(two, *posted(two))
    await kemenkes.must(asked, "accept", note=NOTE)
    assert (await kemenkes.post(f"/v1/victims/{victim}/identity", BY_PAPER)).status_code == 200

    def refused(code: str, by: set[str], only: list[str] | None = None) -> str:
        app = two.apps[code]
        with pytest.raises(NotToForget) as raised:
            app.state.database.write(lambda tx: forgetting.forget(tx, app.state.office, victim, by, only))
        return raised.value.reason

    assert refused("police", {"kemenkes"}) == "our-custody"
    assert refused("kemenkes", {"kemensos"}) == refused("kemenkes", {"kemensos"}, [asked]) == "not-theirs"
    own = f"own:victim:{victim}"
    assert refused("kemenkes", {"police"}, [own]) == "not-theirs"
    for code in ("police", "kemenkes"):
        await held(two, code, victim)
        assert refused(code, {code}) == refused(code, {"police"}, [asked]) == "legal-hold"
    case = (await police.get(f"/v1/victims/{victim}"))["case_id"]
    for code in ("police", "kemenkes"):  # a victim of it is held; it is no case of ours
        with pytest.raises(NotToForget):
            two.apps[code].state.database.write(lambda tx: forgetting.forget_case(tx, case))
    assert keys_left(two, "police") and keys_left(two, "kemenkes")
