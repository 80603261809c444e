"""Facts that schemathesis cannot guess: new keys, existing ids; and one more check of our own.

Loaded by schemathesis, in its own process (``SCHEMATHESIS_HOOKS``). ``ESTAFET_FUZZ_IDS`` holds the existing ids by the
name of their parameter, as JSON. ``ESTAFET_FUZZ_TOKENS`` holds a token for each operation that needs one.
"""

import itertools
import json
import os
import re
from typing import Any

import schemathesis
from schemathesis.core.transport import Response
from schemathesis.generation.meta import TestPhase

from shared.contracts.types import UUID7
from shared.domain.letters import LETTER_CODE_WRITTEN
from tests.support.garbage import collect_seldom

collect_seldom()

KNOWN: dict[str, list[str]] = json.loads(os.environ.get("ESTAFET_FUZZ_IDS", "{}"))
TOKENS: dict[str, str] = json.loads(os.environ.get("ESTAFET_FUZZ_TOKENS", "{}"))
LAWFUL = re.compile(f"{UUID7}|{LETTER_CODE_WRITTEN}")
"""The form of an id, or of the code of a letter."""
NTH = itertools.count()
PREFIX = "urn:estafet:problem:"


@schemathesis.auth(cache_by_key=lambda case, _: case.operation.label)
class Token:
    """The caller; without a token, schemathesis checks that nobody is admitted."""

    def get(self, case: Any, _: Any) -> str | None:
        """The token for an operation."""
        return TOKENS.get(case.operation.definition.raw.get("operationId", ""))

    def set(self, case: Any, token: str | None, _: Any) -> None:
        """Bear it."""
        if token is not None:
            case.headers = case.headers or {}
            case.headers["Authorization"] = f"Bearer {token}"


@schemathesis.hook
def before_call(_: Any, case: Any, __: dict[str, Any]) -> None:
    """A lawful Idempotency-Key is made unused, and three of four lawful ids are ones that exist."""
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and re.fullmatch(r"[!-~]{1,255}", key):
        case.headers["Idempotency-Key"] = f"{key[:200]}-{next(NTH)}"
    if case.meta is not None and case.meta.phase.name is TestPhase.STATEFUL:
        return  # there the ids come from the answers before
    for place in (case.path_parameters, case.query, case.body):
        if isinstance(place, dict):
            _name_what_exists(place)


def _name_what_exists(place: dict[str, Any]) -> None:
    for name, ids in KNOWN.items():
        value = place.get(name)
        if ids and isinstance(value, str) and LAWFUL.fullmatch(value) and (turn := next(NTH)) % 4:
            place[name] = ids[turn % len(ids)]


@schemathesis.check
def refusal_is_documented(_: Any, response: Response, case: Any) -> None:
    """A refusal is a problem document, and its code is named at this operation and status in the OpenAPI document."""
    if response.status_code < 400 or response.status_code == 405 or response.request.method == "HEAD":
        return  # the answer to a HEAD has no body
    named = response.headers.get("content-type", [""])[0]
    assert named == "application/problem+json", f"{response.status_code} {named}: {response.text[:200]}"
    code = str(response.json()["type"]).removeprefix(PREFIX)
    documented = case.operation.definition.raw["responses"].get(str(response.status_code), {})
    assert f"`{code}`" in documented.get("description", ""), f"{code} ({response.status_code}) is not documented here"
