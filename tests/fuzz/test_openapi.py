"""Bad input: schemathesis reads each service's OpenAPI document and tries to break its promises.

Its own command line runs against a real server, with its default checks. A fixed seed makes a failure repeatable.
``make test`` runs it short, ``make fuzz`` long (``ESTAFET_FUZZ=long``).
"""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from shared.domain.access import Role
from shared.domain.routing import NATION
from tests.support.network import SHIPPED, Network, a_victim, refer
from tests.support.served import listening
from tests.support.sources import ROOT
from tests.support.tokens import claims, signed

FOLDER = Path(__file__).parent
LONG = os.environ.get("ESTAFET_FUZZ") == "long"
EXAMPLES = 300 if LONG else 4
"""Requests for each operation and phase, at most."""
KINDS = ("sqlite", "postgresql")
RUNS = [(code, kind) for place, code in enumerate(SHIPPED) for kind in (KINDS if LONG else KINDS[place % 2 :][:1])]
"""Who is tried on which kind of database: a short run takes turns, because the agencies share their code."""


async def something_to_find(network: Network) -> dict[str, list[str]]:
    """Victims and referrals, some of them in every state that an agency can meet; answers their ids."""
    police, kemenpppa, kemensos, kemenkes = [
        await network.start(code) for code in ("police", "kemenpppa", "kemensos", "kemenkes")
    ]
    victims = [await a_victim(police, identity={"name": "Contoh Rekaan"}) for _ in range(2)]
    referrals = []
    for victim in victims:
        transfer = await refer(police, victim, "kemenpppa", "case-management", kind="transfer")
        referrals.append(transfer)
        await kemenpppa.until_status(transfer, "received")
        await kemenpppa.must(transfer, "accept")
        for receiver, service, steps in (
            (kemenkes, "first-aid", ()),
            (kemenkes, "examination-and-treatment", ("accept", "start")),
            (kemensos, "shelter-and-rehabilitation", ("accept",)),
        ):
            wanted = await refer(kemenpppa, victim, receiver.code, service)
            referrals.append(wanted)
            await receiver.until_status(wanted, "received")
            for step in steps:
                await receiver.must(wanted, step)
    letters = []
    for referral in referrals:
        for kind in ("referral-letter", "reply-slip"):
            for client in (police, kemenpppa):
                printed = await client.post(f"/v1/referrals/{referral}/letters", {"kind": kind})
                letters += [printed.json()["code"]] if printed.status_code == 201 else []
    assert letters
    cases = [(await police.get(f"/v1/victims/{victim}"))["case_id"] for victim in victims]
    return {"victim_id": victims, "case_id": cases, "referral_id": referrals, "code": letters, "letter": letters}


def who_may(network: Network, code: str) -> dict[str, str]:
    """A token for each operation of a running member: an allowed role, at the unit above all others."""
    now = network.clock()
    unit = network.apps[code].state.office.units.desk_for(code, NATION, now.date()).id
    six_hours = int(now.timestamp()) + 6 * 3600
    tokens = {role: signed(claims(code, role, unit, now, exp=six_hours)) for role in Role}
    roles = {
        name: next((role for role in Role if role in rule.roles), None)
        for name, rule in network.members[code].rules.items()
    }
    return {name: tokens[role] for name, role in roles.items() if role is not None}


@pytest.mark.timeout(3600 if LONG else 900)
@pytest.mark.parametrize(("code", "database_url"), RUNS, indirect=["database_url"])
async def test_no_request_breaks_a_service_or_gets_an_undocumented_answer(network: Network, code: str) -> None:
    known = await something_to_find(network)
    await network.start("coordination")
    async with listening(network.apps[code]) as url:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(FOLDER / "schemathesis.toml")),
            *("run", f"{url}/openapi.json", "--seed", "20261123", "--max-examples", str(EXAMPLES)),
            *("--continue-on-failure", "--no-color"),
            cwd=network.folder,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "SCHEMATHESIS_HOOKS": "tests.support.schemathesis_hooks",
                "ESTAFET_FUZZ_IDS": json.dumps(known),
                "ESTAFET_FUZZ_TOKENS": json.dumps(who_may(network, code)),
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        assert process.returncode == 0, f"{code}:\n{said.decode()}"
