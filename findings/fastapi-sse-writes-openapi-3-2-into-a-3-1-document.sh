#!/usr/bin/env bash
# Surprise: One route with fastapi.sse makes the whole OpenAPI document of an app invalid. The document calls itself
#           3.1.0 and uses itemSchema, a word of OpenAPI 3.2.
# Library:  FastAPI 0.165.0, checked with openapi-spec-validator 0.9.0.
# Source:   The description of FastAPI's attribute openapi_version promises OpenAPI 3.1.0. A comment in
#           fastapi/sse.py names OpenAPI 3.2 as the source of its schema.
# Expected: The document keeps to the version that it names.
# Seen:     The validator refuses the document as 3.1.0. It accepts the same document under the name 3.2.0.
# Estafet:  No route uses fastapi.sse. Integrators and the fuzzing (tests/fuzz) read each service's document, so it
#           must be valid. A stream would need a description written by hand.
# Output:
#   without the stream: 3.1.0 valid
#   with the stream: 3.1.0 invalid, for itemSchema
#   the same, called 3.2.0: 3.2.0 valid
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
bin="$folder/venv/bin"
"$bin/pip" install --quiet --disable-pip-version-check \
    fastapi==0.165.0 starlette==1.10.0 pydantic==2.14.3 openapi-spec-validator==0.9.0

"$bin/python" - <<'PYTHON'
import sys
from collections.abc import AsyncIterable
from typing import Any

from fastapi import FastAPI
from fastapi.sse import EventSourceResponse
from openapi_spec_validator import validate
from openapi_spec_validator.validation.exceptions import OpenAPIValidationError

app = FastAPI()


@app.get("/cases")
async def cases() -> list[int]:
    return [1]


def verdict(document: dict[str, Any]) -> str:
    try:
        validate(document)
    except OpenAPIValidationError as error:
        reason = "itemSchema" if "itemSchema" in str(error) else "another reason"
        return f"{document['openapi']} invalid, for {reason}"
    return f"{document['openapi']} valid"


without = verdict(app.openapi())


@app.get("/changes", response_class=EventSourceResponse)
async def changes() -> AsyncIterable[int]:
    yield 1


app.openapi_schema = None  # it was kept when it was asked for above
document = app.openapi()
stream = verdict(document)
renamed = verdict({**document, "openapi": "3.2.0"})
print("without the stream:", without)
print("with the stream:", stream)
print("the same, called 3.2.0:", renamed)
if (without, stream, renamed) != ("3.1.0 valid", "3.1.0 invalid, for itemSchema", "3.2.0 valid"):
    sys.exit("the behaviour has changed")
PYTHON
