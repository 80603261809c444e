"""Every refusal of a service, as an RFC 9457 problem document with a stable ``type``.

A problem says what was wrong, in which field, and what to do; in Indonesian unless English is asked for. It never
repeats what the caller sent, because that may be a name.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match, Mount

from shared.domain.refusal import Refusal, Refused
from shared.domain.text import Text
from shared.http import validation_messages
from shared.http.refusals import REFUSALS
from shared.logs import trace

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:estafet:problem:"
Facts = Mapping[str, str | Text]
"""Name in a problem text → what stands there."""


class FieldFault(BaseModel):
    """The fault of one field. ``field`` is a JSON Pointer (RFC 6901) into the body, or the name of a parameter or
    header."""

    field: str = Field(
        description="`?` stands for a name that this operation does not know. It is not repeated: it may name a person."
    )
    rule: str = Field(description="The rule it breaks, as a code.")
    message: str


class Problem(BaseModel):
    """A problem document (RFC 9457), extended by ``remedy`` (what to do now) and ``errors`` (one item for each faulty
    field)."""

    type: str = Field(examples=["urn:estafet:problem:duplicate"])
    title: str
    status: int
    detail: str
    remedy: str = Field(description="What to do now.")
    instance: str = Field(description="This very occurrence: `urn:estafet:trace:` and the trace id of the log.")
    errors: list[FieldFault] = []


def refusals_of(request: Request) -> Mapping[str, Refusal]:
    """Problem code → status and texts, of the service that answers; before a service is known, those of HTTP."""
    app = request.scope.get("app")
    return getattr(app.state, "refusals", REFUSALS) if app is not None else REFUSALS


def respond(
    request: Request,
    code: str,
    errors: Sequence[FieldFault] = (),
    facts: Facts | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The response with the problem document for ``code``, in the language that the caller prefers."""
    request.state.problem = code  # for the log
    problem = document(request, code, errors, facts)
    language = {"Content-Language": "en" if _in_english(request) else "id"}
    return JSONResponse(
        problem.model_dump(), problem.status, media_type=MEDIA_TYPE, headers={**language, **(headers or {})}
    )


def document(
    request: Request,
    code: str,
    errors: Sequence[FieldFault] = (),
    facts: Facts | None = None,
) -> Problem:
    """The problem document alone, for use inside a longer answer."""
    kind = refusals_of(request)[code]
    return Problem(
        type=TYPE_PREFIX + code,
        title=text_for(kind.title, request),
        status=kind.status,
        detail=text_for(kind.detail, request, facts),
        remedy=text_for(kind.remedy, request),
        instance=f"urn:estafet:trace:{trace.trace_id()}",
        errors=list(errors),
    )


def text_for(text: Text, request: Request, facts: Facts | None = None) -> str:
    """The text in the language that the caller prefers, with its facts filled in."""
    english = _in_english(request)
    said = {
        name: (fact.en if english else fact.id) if isinstance(fact, Text) else fact
        for name, fact in (facts or {}).items()
    }
    return (text.en if english else text.id).format_map(said)


def _in_english(request: Request) -> bool:
    return request.headers.get("accept-language", "").lower().startswith("en")


CHALLENGES: Mapping[str, Mapping[str, str]] = {
    "token-required": {"WWW-Authenticate": "Bearer"},
    "token-not-valid": {"WWW-Authenticate": 'Bearer error="invalid_token"'},
    "role-not-allowed": {"WWW-Authenticate": 'Bearer error="insufficient_scope"'},
}
"""Code of a problem → the challenge that clients expect with it (RFC 6750)."""


async def on_refused(request: Request, error: Exception) -> JSONResponse:
    """Answer a Refused. Its fact ``seconds`` becomes the Retry-After header."""
    assert isinstance(error, Refused)
    errors = fault_of(request, error)
    headers = dict(CHALLENGES.get(error.problem, {}))
    if "seconds" in error.facts:
        headers["Retry-After"] = str(error.facts["seconds"])
    return respond(request, error.problem, errors, error.facts, headers)


def fault_of(request: Request, error: Refused) -> list[FieldFault]:
    """The field that the refusal names, as a list; empty if it names none."""
    if (field := error.field) is None:
        return []
    outside = field[:1].isupper() or field in request.query_params or field in request.headers
    message = text_for(refusals_of(request)[error.problem].title, request)
    return [FieldFault(field=field if outside else f"/{field}", rule=error.problem, message=message)]


def faults_of(request: Request, faults: Sequence[Any], fields: Collection[str]) -> list[FieldFault]:
    """The field faults of a request's shape, from pydantic's errors. ``fields``: the fields that the body may have."""
    english = _in_english(request)
    return [
        FieldFault(
            field=validation_messages.pointer(fault, fields),
            rule=fault["type"],
            message=validation_messages.message(fault, fields, english),
        )
        for fault in faults
    ]


async def on_invalid(request: Request, error: Exception) -> JSONResponse:
    """Answer a request that does not have the declared shape, without repeating its content."""
    assert isinstance(error, RequestValidationError)
    if any(fault["type"] == "json_invalid" for fault in error.errors()):
        return respond(request, "malformed-json")
    if any(fault["loc"] == ("body",) for fault in error.errors()) and not _is_expected(request):
        message = text_for(refusals_of(request)["unsupported-media-type"].detail, request)
        told = FieldFault(field="Content-Type", rule="unsupported-media-type", message=message)
        return respond(request, "unsupported-media-type", [told])
    errors = faults_of(request, error.errors(), _fields_of(request))
    missing_match = any(fault.field == "If-Match" and fault.rule == "missing" for fault in errors)
    return respond(request, "precondition-required" if missing_match else "invalid-request", errors)


def _fields_of(request: Request) -> Collection[str]:
    """The fields that the body of this request may have."""
    body = request.scope["route"].body_field
    return validation_messages.fields_of(body.field_info.annotation) if body is not None else ()


def _is_expected(request: Request) -> bool:
    """Whether the Content-Type is the one that this route takes; a missing header counts as JSON."""
    stated = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    body = request.scope["route"].body_field
    return bool(stated == (body.field_info.media_type if body is not None else "application/json"))


async def on_http(request: Request, error: Exception) -> JSONResponse:
    """Answer a request with an unknown path or an unsupported method."""
    assert isinstance(error, HTTPException)
    codes = {404: "not-found", 405: "method-not-allowed", 400: "malformed-json"}
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_methods_of(request))
    return respond(request, codes.get(error.status_code, "internal-error"), headers=headers)


def _methods_of(request: Request) -> list[str]:
    """Every method of this path. The framework names those of the first route only."""
    routes = [route for route in request.app.router.routes if not isinstance(route, Mount)]
    scope = dict(request.scope)

    def takes(method: str) -> bool:
        return any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)

    return [method for method in ("GET", "HEAD", "POST") if takes(method)] or ["GET", "HEAD"]
