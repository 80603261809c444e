"""The OpenAPI document of a service: the problems that each operation may answer, tokens, examples."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from shared.domain.access import AccessRule
from shared.domain.refusal import Refusal
from shared.http.problems import MEDIA_TYPE, Problem

EVERYWHERE = (
    *("invalid-request", "malformed-request", "address-too-long", "headers-too-large", "too-many-requests"),
    *("internal-error", "unavailable", "busy", "too-slow"),
)
POSTING = (
    *("malformed-json", "json-too-deep", "duplicate-member", "body-too-large", "body-too-slow"),
    *("unsupported-media-type", "idempotency-key-reused"),
)
COMMANDED = (*POSTING, "occurred-in-the-future", "occurred-too-long-ago", "occurred-too-early")
"""The problems that every POST of a command may answer."""
NOTED = (*COMMANDED, "note-required")
"""The same for a command that may carry a note: told a day late, it needs one."""


UNRESOLVED = "default"
"""The status under which problems stand until the slices of an app are known."""


def responses(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The problems that an operation may answer, beside those of every operation.

    ``describe`` turns them into OpenAPI responses: their statuses are known when the slices are put together.
    """
    return {UNRESOLVED: {"description": " ".join((*EVERYWHERE, *codes))}}


def check_texts(routers: Iterable[APIRouter], refusals: Mapping[str, Refusal]) -> None:
    """Raises ValueError for a problem that an operation may answer, and that no slice has a text for."""
    named = {*EVERYWHERE, *GUARDED, "not-found"}
    for route in (route for router in routers for route in router.routes if isinstance(route, APIRoute)):
        named |= set(route.responses.get(UNRESOLVED, {}).get("description", "").split())
    if missing := named - refusals.keys():
        raise ValueError(f"problem codes without a text: {sorted(missing)}")


def _resolved(codes: Iterable[str], refusals: Mapping[str, Refusal]) -> dict[str, dict[str, Any]]:
    """The OpenAPI responses for these problems, grouped by status."""
    found: dict[str, dict[str, Any]] = {}
    for code in codes:
        content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        answer = found.setdefault(str(refusals[code].status), {"description": "", "content": content})
        answer["description"] = ", ".join(filter(None, [answer["description"], f"`{code}`"]))
    return found


def next_steps(status: int, parameter: str, *operations: str) -> dict[int | str, dict[str, Any]]:
    """OpenAPI links: the operations that use the ``id`` in the answer of ``status``, as their ``parameter``."""
    target = {"parameters": {parameter: "$response.body#/id"}}
    return {status: {"links": {name: {"operationId": name, **target} for name in operations}}}


TOKEN = {
    "type": "oauth2",
    "description": "Token akses RFC 9068 / an RFC 9068 access token, `Authorization: Bearer`.",
    "flows": {"clientCredentials": {"tokenUrl": "/token", "scopes": {}}},
}
GUARDED = ("token-required", "token-not-valid", "role-not-allowed", "not-your-unit")
"""The problems of access control, which every operation with an access token may answer."""


def _complete(address: str, operation: dict[str, Any], rule: AccessRule, refusals: Mapping[str, Refusal]) -> None:
    """Write the problems of an operation as responses; those of access control, where an access token is needed."""
    answers = operation["responses"]
    named = answers.pop(UNRESOLVED)["description"].split()
    for status, answer in _resolved(named, refusals).items():
        answers[status] = answer | answers.get(status, {})
    if not rule.public:
        operation["security"] = [{"token": []}]
        guarded = (*GUARDED, "person-needed") if rule.person else GUARDED
        for status, answer in _resolved((*EVERYWHERE, *guarded), refusals).items():
            answers.setdefault(status, answer)
    if "{" in address:
        _add_not_found(answers, refusals)


def _add_not_found(answers: dict[str, Any], refusals: Mapping[str, Refusal]) -> None:
    """Add ``not-found``: a path with a strange id, such as a backslash, may match no route."""
    for status, answer in _resolved(("not-found",), refusals).items():
        known = answers.setdefault(status, answer)
        if known is not answer:
            known["description"] += ", `not-found`"


def describe(
    app: FastAPI,
    refusals: Mapping[str, Refusal],
    examples: Callable[[], Mapping[str, Any]],
    rules: Mapping[str, AccessRule],
) -> None:
    """Complete the app's OpenAPI document: problems, examples of this agency, and access tokens.

    Removes the framework's own error schema, which no service sends. ``rules``: operation → its row in the table.
    """
    original = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = original()
            _add_problem_schema(schema)
            schema["components"]["securitySchemes"] = {"token": TOKEN}
            for address, path in schema["paths"].items():
                for operation in path.values():
                    _complete(address, operation, rules[operation["operationId"]], refusals)
            for name, example in examples().items():
                if name in schema["components"]["schemas"]:
                    schema["components"]["schemas"][name]["examples"] = [example]
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]


def _add_problem_schema(schema: dict[str, Any]) -> None:
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"))
    schemas["Problem"] = problem
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
