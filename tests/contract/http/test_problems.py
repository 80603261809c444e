"""Every refusal is a clear problem document (RFC 9457): known, in both languages, and silent about the request.

One table of bad requests is asked of the real apps, without a broker. A caller may send a name. So each request
carries a canary wherever one fits, and no answer and no log line may sing.
"""

import contextlib
import io
import logging
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import structlog
from sqlalchemy.exc import OperationalError

from shared.http.openapi import EVERYWHERE
from shared.http.problems import TYPE_PREFIX
from tests.support.bad_requests import (
    BAD_REQUESTS,
    CANARY,
    CASE,
    OURS,
    SENT,
    SERVICES,
    USED_KEY,
    VICTIM,
    WORD,
    Bad,
    Running,
    a_case,
    a_consent,
    a_referral,
    a_victim,
    asking,
    referring,
)
from tests.support.catalogue import CATALOGUE, OF_MEMBER
from tests.support.ids import next_ids
from tests.support.network import offline

ON_ONE_LOOP = pytest.mark.asyncio(loop_scope="module")


# --- the services -----------------------------------------------------------------------------------------------------


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory, secrets: Path) -> AsyncIterator[Running]:
    """The police with a case, a victim and two referrals, and coordination."""
    folder, logged, before = tmp_path_factory.mktemp("problems"), io.StringIO(), structlog.get_config()
    async with contextlib.AsyncExitStack() as stack:
        with contextlib.redirect_stderr(logged):  # where services log to is settled when they start
            apps = {name: await offline(member, folder, secrets, stack) for name, member in SERVICES.items()}
        running = Running(apps, logged)
        sent = a_referral(service="first-aid", receiver={"agency": "kemenkes"})
        with next_ids(CASE, VICTIM, OURS, SENT):
            for key, path, body in (
                (USED_KEY, "/v1/cases", a_case()),
                ("korban", f"/v1/cases/{CASE}/victims", a_victim()),
                ("sendiri", "/v1/referrals", a_referral()),
                ("keluar", "/v1/referrals", sent),
                ("setuju", f"/v1/victims/{VICTIM}/consents", a_consent()),
            ):
                made = await running.ask("police", "POST", path, json=body, headers={"Idempotency-Key": key})
                assert made.status_code == 201, made.text
        yield running
    structlog.configure(**before)


# --- the table --------------------------------------------------------------------------------------------------------


ASKED = pytest.mark.parametrize("bad", BAD_REQUESTS.values(), ids=BAD_REQUESTS)


@ASKED
@ON_ONE_LOOP
async def test_a_bad_request_is_answered_by_a_problem_that_says_what_and_where(running: Running, bad: Bad) -> None:
    answers = {language: await bad.ask(running, language) for language in ("id", "en-GB,en;q=0.8")}
    for language, answer in answers.items():
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["content-language"] == language[:2]
        told = answer.json()
        assert (answer.status_code, told["type"]) == (bad.status, f"urn:estafet:problem:{bad.code}")
        assert told["status"] == bad.status
        assert [fault["field"] for fault in told["errors"]] == ([] if bad.field is None else [bad.field])
        kind = CATALOGUE[bad.code]
        assert told["title"] == (kind.title.id if language == "id" else kind.title.en)
        assert told["remedy"] == (kind.remedy.id if language == "id" else kind.remedy.en)
    indonesian, english = (answer.json() for answer in answers.values())
    assert indonesian["detail"] != english["detail"]
    if bad.status == 405:
        assert answers["id"].headers["allow"]


@ASKED
@ON_ONE_LOOP
async def test_neither_the_answer_nor_the_log_repeats_what_was_sent(
    running: Running, bad: Bad, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    before = len(running.logged.getvalue())
    answer = await bad.ask(running, "id")
    logged = running.logged.getvalue()[before:]
    assert f'"status": {answer.status_code}' in logged  # it is the service's own log that we read
    logged += "".join(record.getMessage() for record in caplog.records if not record.name.startswith("http"))
    said = [answer.text, *(f"{name}: {value}" for name, value in answer.headers.items()), logged]
    assert [text for text in said if WORD in text.lower()] == []


@ON_ONE_LOOP
async def test_what_is_wrong_with_a_field_is_said_in_the_callers_language(running: Running) -> None:
    in_one_language = {}
    for name, bad in BAD_REQUESTS.items():
        indonesian, english = [(await bad.ask(running, language)).json().get("errors", []) for language in ("id", "en")]
        same = {fault["message"] for fault in indonesian} & {fault["message"] for fault in english}
        if same:
            in_one_language[name] = same
    assert in_one_language == {}


def the_database_is_away(*_: Any) -> None:
    raise OperationalError(f"SELECT '{CANARY}'", {"name": CANARY}, RuntimeError(CANARY))


def a_fault_of_ours(*_: Any) -> None:
    raise RuntimeError(f"cannot read {CANARY}")


@pytest.mark.parametrize(
    ("breaks", "status", "code"),
    [(the_database_is_away, 503, "unavailable"), (a_fault_of_ours, 500, "internal-error")],
)
@ON_ONE_LOOP
async def test_what_goes_wrong_inside_is_a_problem_too_and_stays_inside(
    running: Running, monkeypatch: pytest.MonkeyPatch, breaks: Callable[..., None], status: int, code: str
) -> None:
    database = running.apps["police"].state.database
    monkeypatch.setattr(database, "read", breaks)
    monkeypatch.setattr(database, "write", breaks)
    for bad in (asking(f"/v1/victims/{VICTIM}", status, code), referring(status, code, note=CANARY)):
        before = len(running.logged.getvalue())
        answer = await bad.ask(running, "id")
        assert (answer.status_code, answer.json()["type"]) == (status, TYPE_PREFIX + code)
        assert answer.headers["content-type"] == "application/problem+json"
        assert ("retry-after" in answer.headers) is (status == 503)
        logged = running.logged.getvalue()[before:]
        assert breaks.__name__ not in answer.text and '"level": "error"' in logged
        assert WORD not in f"{answer.text} {answer.headers} {logged}".lower()


# --- where a caller can look it up ------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
@ON_ONE_LOOP
async def test_a_service_lists_every_refusal_there_is(running: Running, service: str) -> None:
    listed = {item["type"]: item for item in (await running.ask(service, "GET", "/v1/problems")).json()["items"]}
    assert list(listed) == [TYPE_PREFIX + code for code in sorted(OF_MEMBER[service])]
    for code, kind in OF_MEMBER[service].items():
        item = listed[TYPE_PREFIX + code]
        assert (item["status"], item["title"], item["title_en"]) == (kind.status, kind.title.id, kind.title.en)
        assert (item["remedy"], item["remedy_en"]) == (kind.remedy.id, kind.remedy.en)


@pytest.mark.parametrize("code", EVERYWHERE)
def test_a_remedy_for_whatever_is_asked_speaks_of_the_key_for_a_post_alone(code: str) -> None:
    """A GET has no Idempotency-Key."""
    remedy = CATALOGUE[code].remedy
    assert ("Idempotency-Key" in remedy.id) == ("POST dengan Idempotency-Key yang sama" in remedy.id)
    assert ("Idempotency-Key" in remedy.en) == ("a POST with the same Idempotency-Key" in remedy.en)


ADDRESSES = sorted({found for kind in CATALOGUE.values() for found in re.findall(r"/[a-z0-9/-]+", kind.remedy.en)})


@pytest.mark.parametrize("address", ADDRESSES)
@ON_ONE_LOOP
async def test_where_a_remedy_sends_the_caller_there_is_something(running: Running, address: str) -> None:
    assert (await running.ask("police", "GET", address)).status_code != 404
