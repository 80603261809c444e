"""An operator's revocation takes effect at once on a token or client that was good a moment ago."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import KeySet

from services.police.main import MEMBER as POLICE
from shared.security.revocations import LOOK_SECONDS, Revocations
from shared.security.tokens import BadToken, Verifier
from shared.service.app import create_app
from shared.service.running import serving
from shared.storage.engine import open_engine
from shared.storage.migrate import migrate
from tests.support.network import TestClock, problem
from tests.support.served import PATIENCE, police_at_work, served, settings_of_police
from tests.support.sources import ROOT
from tests.support.tokens import ISSUER, claims, issuer_key, signed

NOW = datetime(2026, 11, 24, 3, 0, 0, tzinfo=UTC)
BEFORE, AFTER = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)
SOON = NOW + timedelta(minutes=5)


def token(client: str, issued: datetime, jti: str) -> str:
    return signed(claims("police", "officer", "bareskrim", issued, client_id=client, jti=jti))


@dataclass
class Steps:
    """A wait that is over when it is told: each step lets the file be looked at once more."""

    waited: list[float] = field(default_factory=list)
    go: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    waiting: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def wait(self, seconds: float) -> None:
        """Wait for the next step."""
        self.waited.append(seconds)
        self.waiting.release()
        await self.go.acquire()

    async def look_again(self) -> None:
        """Let it look once, and answer when it has."""
        await self.waiting.acquire()
        self.go.release()
        await self.waiting.acquire()
        self.waiting.release()


@dataclass
class Watched:
    """A verifier beside a file that is watched."""

    path: Path
    verifier: Verifier
    steps: Steps

    async def say(self, said: Any) -> None:
        """Write the file and let one look go by."""
        self.path.write_text(said if isinstance(said, str) else json.dumps(said))
        await self.steps.look_again()

    def takes(self, bearer: str) -> bool:
        """Whether the token counts; where it does not, it is because it was struck off."""
        try:
            return self.verifier.verify(bearer, SOON, None).role == "officer"
        except BadToken as error:
            assert error.reason == "revoked"
            return False


@contextlib.asynccontextmanager
async def watched(path: Path) -> AsyncIterator[Watched]:
    path.write_text("{}")
    steps = Steps()
    revoked = Revocations(path, steps.wait)
    verifier = Verifier(ISSUER, "urn:estafet:police", lambda: KeySet([issuer_key()]), revoked=revoked)
    looking = asyncio.create_task(revoked.keep_fresh())
    try:
        async with asyncio.timeout(PATIENCE):
            yield Watched(path, verifier, steps)
        assert set(steps.waited) == {LOOK_SECONDS}
    finally:
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking


STRUCK_OFF: Mapping[str, tuple[Any, Callable[[str, datetime, str], bool]]] = {
    "one token": ({"jti": ["t-1", "t-9"]}, lambda client, issued, jti: jti != "t-1"),
    "a client from a moment on": (
        {"clients": {"a": NOW.isoformat()}},
        lambda client, issued, jti: client != "a" or issued >= NOW,
    ),
    "a client, in its own time zone": (
        {"clients": {"a": "2026-11-24T10:00:00+07:00"}},
        lambda client, issued, jti: client != "a" or issued >= NOW,
    ),
    "everybody from a moment on": ({"clients": {"*": NOW.isoformat()}}, lambda client, issued, jti: issued >= NOW),
}


@pytest.mark.parametrize("what", STRUCK_OFF)
async def test_what_is_struck_off_is_refused_at_the_next_look(tmp_path: Path, what: str) -> None:
    said, counts = STRUCK_OFF[what]
    cases = [("a", BEFORE, "t-1"), ("a", NOW, "t-2"), ("a", AFTER, "t-3"), ("b", BEFORE, "t-4"), ("b", AFTER, "t-5")]
    tokens = [token(*case) for case in cases]
    async with watched(tmp_path / "revoked.json") as service:
        assert all(map(service.takes, tokens))  # and their signatures are remembered
        await service.say(said)
        assert [service.takes(one) for one in tokens] == [counts(*case) for case in cases]
        await service.say({})
        assert all(map(service.takes, tokens))


NO_LIST = [
    *("", "[]", "{", '{"jti": "t-1"}', '{"jtis": ["t-2"]}', '{"clients": {"b": "yesterday"}}'),
    '{"clients": {"b": "2026-11-24T03:00:00"}}',  # of which zone?
]


@pytest.mark.parametrize("said", NO_LIST)
async def test_a_file_that_is_no_list_leaves_what_is_known(tmp_path: Path, said: str) -> None:
    first, second = token("a", BEFORE, "t-1"), token("b", BEFORE, "t-2")
    async with watched(tmp_path / "revoked.json") as service:
        await service.say({"jti": ["t-1"]})
        await service.say(said)
        assert (service.takes(first), service.takes(second)) == (False, True)
        service.path.unlink()
        await service.steps.look_again()
        assert (service.takes(first), service.takes(second)) == (False, True)
        await service.say({"jti": ["t-1", "t-2"]})
        assert not service.takes(second)


@pytest.mark.parametrize("said", NO_LIST)
def test_no_list_at_the_start_is_none_to_start_with(tmp_path: Path, said: str) -> None:
    (tmp_path / "revoked.json").write_text(said)
    with pytest.raises(ValueError):
        Revocations(tmp_path / "revoked.json")


async def test_a_running_service_heeds_its_operator_within_ten_seconds(tmp_path: Path, secrets: Path) -> None:
    listed = tmp_path / "revoked.json"
    listed.write_text("{}")
    async with police_at_work(tmp_path, secrets, revoked_tokens_file=listed) as (_, http):
        glasses = await http.get("/v1/break-glass")
        assert glasses.status_code == 200
        moment = (datetime.now(UTC) + timedelta(seconds=60)).isoformat()
        listed.write_text(json.dumps({"clients": {"police-officer-bareskrim": moment}}))
        long_poll = {
            "If-None-Match": glasses.headers["etag"],
            "Prefer": "wait=3",
        }  # nothing changes: three seconds pass
        assert (await http.get("/v1/break-glass", headers=long_poll)).status_code in (304, 401)
        refused = await http.get("/v1/break-glass")
        assert (refused.status_code, problem(refused)) == (401, "token-not-valid")


async def test_a_desk_that_closes_lets_nobody_in_from_that_day_on(tmp_path: Path, secrets: Path) -> None:
    """Every caller in the desk's name is refused, with however good a token; the desk beside it is open."""
    clock, desk = TestClock(), "polda-papuatengah"
    columns, *rows = (ROOT / "services" / "units.csv").read_text(encoding="utf-8").splitlines()
    ends = (clock() + timedelta(days=2)).date().isoformat()
    closing = [row.replace(",2024-11-01,,", f",2024-11-01,{ends},") if "papuatengah" in row else row for row in rows]
    (tmp_path / "units.csv").write_text("\n".join([columns, *closing]), encoding="utf-8")
    settings = settings_of_police(tmp_path, secrets, units_file=tmp_path / "units.csv")
    engine = open_engine(settings.database())
    migrate(engine, POLICE.lineages)
    engine.dispose()
    app = create_app(POLICE, settings, clock)

    async def asked_by(unit: str) -> int:
        bearer = signed(claims("police", "officer", unit, clock()))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://police") as http:
            return (await http.get("/v1/agency", headers={"Authorization": f"Bearer {bearer}"})).status_code

    async with serving(app, POLICE, settings, clock):
        assert [await asked_by(unit) for unit in (desk, "polda-sultra")] == [200, 200]
        clock.advance(timedelta(days=3))
        assert [await asked_by(unit) for unit in (desk, "polda-sultra")] == [401, 200]


def test_a_service_whose_list_cannot_be_read_does_not_start(tmp_path: Path, secrets: Path) -> None:
    with served(tmp_path, secrets, listens=False, revoked_tokens_file=tmp_path / "none.json") as police:
        assert police.process.wait(PATIENCE) != 0
        assert "enoent" in police.log.read_text(encoding="utf-8")
