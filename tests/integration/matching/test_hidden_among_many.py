"""Invented victims with her number do not hide her, and nobody tells match tokens of a stranger (TRUST 11)."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from services.coordination import same_tokens
from services.coordination.tables import CustodyRow, MatchTokenRow, ProposalRow
from shared.contracts import events as e
from shared.contracts.codes import MatchState
from shared.domain.access import Role
from shared.domain.matching import COMMON
from shared.reference.office import draft
from shared.victims.matching import match_tokens
from tests.support.matches import at_kemenpppa, rows, until_heard, until_seen
from tests.support.network import Client, Network, a_victim
from tests.support.wire import until_parked

HER = {"nik": "7371014403050007", "name": "Seruni Contoh Rekaan", "born_on": "2005-03-04", "phone": "081200000077"}
STRANGER, HONEST = "polres-11.01", "polres-74.01"


async def invented(network: Network, identity: dict[str, str], count: int = COMMON) -> None:
    """One officer registers invented victims with her identifiers."""
    officer = await network.calling("police", Role.OFFICER, STRANGER)
    for _ in range(count):
        await until_heard(network, await a_victim(officer, STRANGER, identity=identity), 1)


async def honest(network: Network, role: Role = Role.OFFICER) -> Client:
    return await network.calling("police", role, HONEST)


@pytest.mark.parametrize("what", ["phone", "name"])
async def test_eight_invented_victims_do_not_hide_her(three: Network, what: str) -> None:
    known = {"phone": HER["phone"]} if what == "phone" else {"name": HER["name"], "born_on": HER["born_on"]}
    hers = await at_kemenpppa(three, identity=HER)
    await until_heard(three, hers, 1)
    await invented(three, known)
    met = await a_victim(await honest(three), HONEST, identity=known)
    [found] = await until_seen(await honest(three), lambda items: bool(items))
    assert (found["victim_id"], found["strength"]) == (met, "possible")


async def test_a_number_under_too_many_people_is_proposed_to_supervisors_and_is_an_alarm(
    network: Network, capsys: pytest.CaptureFixture[str]
) -> None:
    network.extra = {"log_level": "warning"}
    for code in ("coordination", "police", "kemenpppa"):
        await network.start(code)
    hers = await at_kemenpppa(network, identity=HER)
    await until_heard(network, hers, 1)
    await invented(network, HER)
    met = await a_victim(await honest(network), HONEST, identity=HER)
    head = await honest(network, Role.SUPERVISOR)
    [found] = await until_seen(head, lambda items: bool(items))
    assert (found["victim_id"], found["people"], found["strength"]) == (met, COMMON + 2, "strong")
    assert (found["other_id"], found["other_desk"]) == (None, None)
    assert (await (await honest(network)).get("/v1/matches"))["items"] == []
    there = await network.calling("kemenpppa", Role.SUPERVISOR)
    await until_seen(there, lambda items: COMMON + 2 in {item["people"] for item in items})
    seen = (await network["kemenpppa"].get("/v1/matches"))["items"]
    assert all(item["people"] is None for item in seen)

    alarms = (await network["coordination"].get("/v1/match-alarms"))["items"]
    assert [(one["unit"], one["count"]["at_least"]) for one in alarms if one["reason"] == "number-of-many"] == [
        (HONEST, COMMON + 2), (STRANGER, 0)
    ]  # fmt: skip
    assert HER["nik"] not in json.dumps(alarms) and hers not in json.dumps(alarms)
    warned = [json.loads(line) for line in capsys.readouterr().err.splitlines() if "number-of-many" in line]
    assert COMMON + 2 in {line["count"] for line in warned if line["event"] == "match.number-of-many"}
    raised = [(line["unit"], line["count"]) for line in warned if line["event"] == "match.alarm"]
    assert raised == [(STRANGER, COMMON + 1), (HONEST, COMMON + 2)]


def stored(victims: range, agency: str, unit: str, token: str) -> list[Any]:
    """Registrations at one desk with one match token, as coordination keeps them."""
    made: list[Any] = []
    for number in victims:
        victim = f"0193f0a2-7a10-7000-8000-{number:012}"
        made.append(MatchTokenRow(victim_id=victim, agency=agency, token=token))
        made.append(
            CustodyRow(
                victim_id=victim,
                seq=1,
                agency=agency,
                unit=unit,
                region="74.01",
                since=datetime(2026, 1, 1, tzinfo=UTC),
                told_since=datetime(2026, 1, 1, tzinfo=UTC),
            )
        )
    return made


async def test_however_many_one_desk_invents_each_other_desk_is_found(three: Network) -> None:
    database, token = three.apps["coordination"].state.database, f"1.nik.{'a' * 40}"
    flood = stored(range(1, 301), "kemensos", "dinsos-11", token)
    real = stored(range(900, 901), "kemenpppa", "uptd-ppa-73.71", token)
    mine = stored(range(950, 951), "police", HONEST, token)
    database.write(lambda tx: tx.session.add_all([*flood, *real, *mine]))

    def look(session: Session) -> same_tokens.Met:
        return same_tokens.met(session, mine[0].victim_id, {token: {"police"}})

    found = database.read(look)
    assert real[0].victim_id in found.victims and len(found.victims) == COMMON + 1
    assert found.people([token]) == 302


async def test_however_many_desks_one_agency_invents_people_at_each_other_agency_is_found(three: Network) -> None:
    """With ids that sort before hers."""
    database, token = three.apps["coordination"].state.database, f"1.nik.{'a' * 40}"
    flood: list[Any] = []
    for number in range(1, same_tokens.ENOUGH + 3):
        flood += stored(range(number, number + 1), "kemensos", f"dinsos-{number}", token)
    real = stored(range(900, 901), "kemenpppa", "uptd-ppa-73.71", token)
    mine = stored(range(950, 951), "police", HONEST, token)
    database.write(lambda tx: tx.session.add_all([*flood, *real, *mine]))

    def look(session: Session) -> same_tokens.Met:
        return same_tokens.met(session, mine[0].victim_id, {token: {"police"}})

    found = database.read(look)
    assert real[0].victim_id in found.victims and len(found.victims) == same_tokens.ENOUGH


@pytest.mark.parametrize("invented_at", [COMMON, COMMON * 3])
async def test_telephone_name_and_birth_at_many_desks_hide_nobody(three: Network, invented_at: int) -> None:
    """Each of the two alone shows nobody then. Both together are proposed to supervisors, and an alarm."""
    database = three.apps["coordination"].state.database
    phone, name = (f"1.{kind}.{'a' * 40}" for kind in ("phone", "name-and-birth"))
    flood: list[Any] = []
    for number in range(1, invented_at + 1):
        registered = stored(range(number, number + 1), "kemensos", f"dinsos-{number}", phone)
        named = MatchTokenRow(victim_id=registered[0].victim_id, agency="kemensos", token=name)
        flood += [*registered, named]
    real = stored(range(900, 901), "kemenpppa", "uptd-ppa-73.71", phone)
    hers = real[0].victim_id
    real.append(MatchTokenRow(victim_id=hers, agency="kemenpppa", token=name))
    other = stored(range(901, 902), "kemenpppa", "uptd-ppa-74.01", phone)  # whoever shares the telephone alone
    mine = stored(range(950, 951), "police", HONEST, phone)
    database.write(lambda tx: tx.session.add_all([*flood, *real, *other, *mine]))

    def look(*tokens: str) -> same_tokens.Met:
        told = {one: {"police"} for one in tokens}
        found: same_tokens.Met = database.read(lambda session: same_tokens.met(session, mine[0].victim_id, told))
        return found

    alone = look(phone)
    assert (alone.victims, alone.alarm) == (set(), None)
    both = look(phone, name)
    assert hers in both.victims and other[0].victim_id not in both.victims
    assert both.people([phone]) == invented_at + 3 and both.alarm is not None


async def test_an_agency_without_a_part_in_a_victim_tells_no_match_tokens_of_it(three: Network) -> None:
    """With them it could have a stranger taken for a victim of its own."""
    theirs = await a_victim(three["police"], identity=HER)
    await until_heard(three, theirs, 1)
    hers = await at_kemenpppa(three, identity=HER)
    await until_seen(three["police"], lambda items: bool(items))
    office, database = three.apps["kemenpppa"].state.office, three.apps["kemenpppa"].state.database
    unit = office.speaker(three.clock().date())
    told = e.TokensTold(victim_id=theirs, occurred_at=three.clock())
    database.write(lambda tx: tx.emit(draft(told, "coordination", unit, victim_id=theirs)))
    assert (await until_parked(three, "coordination", "not-in-custody"))["trusted"]
    [kept] = rows(three, "coordination", ProposalRow)
    assert {kept.first_id, kept.second_id} == {theirs, hers}
    page = await three["police"].get("/v1/matches")
    assert [item["state"] for item in page["items"]] == [MatchState.OPEN]
    tellers = select(col(MatchTokenRow.agency)).where(col(MatchTokenRow.victim_id) == theirs).distinct()
    coordination = three.apps["coordination"].state.database
    assert coordination.read(lambda session: list(session.scalars(tellers))) == ["police"]


async def test_nobody_gives_her_number_to_a_victim_of_another_agency(three: Network) -> None:
    """KemenPPPA tells the match tokens of her under the pseudonym of somebody else, whom the police found."""
    theirs = await a_victim(three["police"])
    hers = await a_victim(three["police"], identity=HER)
    await until_heard(three, hers, 1)
    app = three.apps["kemenpppa"]
    app.state.database.write(lambda tx: match_tokens.tell(tx, app.state.office, theirs, HER))
    met = await at_kemenpppa(three, identity={"nik": HER["nik"]})
    [found] = await until_seen(three["kemenpppa"], lambda items: bool(items))
    assert found["victim_id"] == met
    proposals = [{row.first_id, row.second_id} for row in rows(three, "coordination", ProposalRow)]
    assert proposals == [{hers, met}]


async def test_a_number_in_the_lists_of_one_agency_alone_is_not_counted(three: Network) -> None:
    """A recruiter's telephone stands under everybody that he brought: each next one costs no count of all of them."""
    database, token = three.apps["coordination"].state.database, f"1.nik.{'b' * 40}"
    theirs = stored(range(1, 31), "police", STRANGER, token)
    database.write(lambda tx: tx.session.add_all(theirs))
    her = theirs[0].victim_id

    def look(agencies: set[str]) -> tuple[set[str], dict[str, int]]:
        met = database.read(lambda session: same_tokens.met(session, her, {token: agencies}))
        return met.victims, met.crowded

    assert look({"police"}) == (set(), {})
    assert look(set()) == (set(), {})
    assert look({"kemensos"})[1] == look({"kemenkes", "police"})[1] == {token: 30}
    database.write(lambda tx: tx.session.add_all(stored(range(40, 41), "kemensos", "dinsos-11", token)))
    assert look({"police"}) == ({"0193f0a2-7a10-7000-8000-000000000040"}, {token: 31})
