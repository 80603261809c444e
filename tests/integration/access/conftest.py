"""The services on which the matrix of access is tried."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from fastapi import FastAPI

from services.coordination.main import MEMBER as COORDINATION
from services.coordination.tables import JourneyRow
from services.police.main import MEMBER as POLICE
from shared.casework.letters.tables import LetterRow
from shared.contracts.codes import Stage
from shared.domain.access import Role
from shared.service.running import now_utc
from shared.storage.tables import ReferralRow
from shared.victims.matching.tables import MatchRow
from tests.support.access_matrix import (
    AT_BANDA_ACEH,
    AT_KOLAKA,
    BATCH,
    CASE,
    IN_HOUSE,
    KOLAKA,
    LETTER,
    MAKASSAR,
    MATCH,
    MATCHED,
    NOBODY,
    OUTSIDE,
    RECORD,
    VICTIM,
    WHO,
    ask,
)
from tests.support.ids import next_ids
from tests.support.network import offline


async def by_kolaka(app: FastAPI, path: str, body: Mapping[str, Any]) -> None:
    """Acts of the officers of Kolaka."""
    done = await ask(app, "police", Role.OFFICER, KOLAKA, "POST", path, json=body)
    assert done.status_code in (200, 201), done.text


async def by_makassar(app: FastAPI) -> None:
    """Makassar has accepted the referral that it was sent."""
    match = {"If-Match": "*"}
    path = f"/v1/referrals/{IN_HOUSE}/accept"
    accepted = await ask(app, "police", Role.OFFICER, MAKASSAR, "POST", path, json={}, headers=match)
    assert accepted.status_code == 200, accepted.text


def rows() -> list[LetterRow | MatchRow]:
    """A letter that was printed, and a proposal that came from coordination."""
    now = now_utc()
    letter = LetterRow(code=LETTER, kind="referral-letter", agency="police", unit=KOLAKA, region="74.01",
                       victim_id=VICTIM, referral_id=IN_HOUSE, version=3, event_id=NOBODY, issued_at=now,
                       recorded_at=now)  # fmt: skip
    proposed = MatchRow(match_id=MATCH, victim_id=MATCHED, linkseq=1, kinds=["nik"], strength="strong",
                        proposed_at=now)  # fmt: skip
    return [letter, proposed]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def police(tmp_path_factory: pytest.TempPathFactory, secrets: Path) -> AsyncIterator[FastAPI]:
    """The police with what the table is about."""
    inside, outside = {"agency": "police", "unit": MAKASSAR}, {"agency": "kemenkes"}
    asked = {"victim_id": VICTIM, "basis": "public-task", "note": "Catatan rekaan."}
    async with contextlib.AsyncExitStack() as stack:
        app = await offline(POLICE, tmp_path_factory.mktemp("matrix"), secrets, stack)
        person = {"age_class": "adult", "sex": "female"}
        made: tuple[tuple[str, dict[str, Any]], ...] = (
            ("/v1/cases", {"unit": KOLAKA, "channel": "spkt", "exploitation": "sexual"}),
            (f"/v1/cases/{CASE}/victims", {**person, "identity": WHO}),
            (f"/v1/cases/{CASE}/victims", person),
            ("/v1/referrals", {**asked, "service": "investigation", "receiver": inside}),
            ("/v1/referrals", {**asked, "service": "first-aid", "receiver": outside}),
            (f"/v1/victims/{VICTIM}/forms/screening", {"decision": "not-found", "remarks": "Catatan rekaan."}),
            (f"/v1/cases/{CASE}/batches", {"people": [{}]}),  # nobody could be read
        )
        with next_ids(CASE, VICTIM, MATCHED, IN_HOUSE, OUTSIDE, RECORD, BATCH):
            for path, body in made:
                await by_kolaka(app, path, body)
        await by_makassar(app)
        app.state.database.write(lambda tx: tx.session.add_all(rows()))
        yield app


@pytest.fixture
async def fresh_police(tmp_path: Path, secrets: Path) -> AsyncIterator[FastAPI]:
    """The police with nothing yet."""
    async with contextlib.AsyncExitStack() as stack:
        yield await offline(POLICE, tmp_path, secrets, stack)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def coordination(tmp_path_factory: pytest.TempPathFactory, secrets: Path) -> AsyncIterator[FastAPI]:
    """Coordination with two journeys and a hand-over that failed for want of a rule."""
    now = datetime(2026, 11, 24, tzinfo=UTC)
    journeys = [
        JourneyRow(victim_id=victim, stage=Stage.DETECTION, custody_agency="police", custody_unit=f"polres-{region}",
                   custody_region=region, custody_seq=1, registered_at=now)
        for victim, region in ((AT_KOLAKA, "74.01"), (AT_BANDA_ACEH, "11.71"))
    ]  # fmt: skip
    handover = ReferralRow(
        id=IN_HOUSE, case_id=CASE, victim_id=AT_KOLAKA, kind="referral", service="investigation", priority="routine",
        sender_agency="police", sender_unit=KOLAKA, sender_region="74.01", receiver_agency="police",
        receiver_unit=MAKASSAR, receiver_region="73.71", requested_at=now, due_at=now, status="rejected", version=3,
        norm_gap="no-mandate", updated_at=now,
    )  # fmt: skip
    async with contextlib.AsyncExitStack() as stack:
        app = await offline(COORDINATION, tmp_path_factory.mktemp("matrix"), secrets, stack)
        app.state.database.write(lambda tx: tx.session.add_all([*journeys, handover]))
        yield app
