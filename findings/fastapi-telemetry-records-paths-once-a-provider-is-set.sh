#!/usr/bin/env bash
# Surprise: An app never asks for tracing. Any other part of its process sets a global tracer provider. From then on
#           FastAPI records the path and query of every request.
# Library:  FastAPI 0.165.0, with opentelemetry-sdk 1.45.2.
# Source:   The description of FastAPI's parameter telemetry says that it uses global providers by default. It does
#           not list what a span holds.
# Expected: Tracing stays off until the app asks for it, or records only the template of the route.
# Seen:     The span holds url.path and url.query in clear. telemetry={"tracing": False, ...} records no span.
# Estafet:  Paths hold ids of victims and codes of letters. No SDK is among the pinned libraries, so no provider
#           exists. Still open: the apps (shared/service/app.py) do not switch telemetry off explicitly.
# Output:
#   no provider: 0 spans
#   provider set by another part of the process: /letters/K7 | name=Melati
#   telemetry switched off: 0 spans
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
bin="$folder/venv/bin"
"$bin/pip" install --quiet --disable-pip-version-check \
    fastapi==0.165.0 starlette==1.10.0 httpx==0.28.1 opentelemetry-sdk==1.45.2

"$bin/python" - <<'PYTHON'
import asyncio
import sys
from typing import Any

import httpx
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

kept = InMemorySpanExporter()


def spans_of_a_request(**settings: Any) -> list[tuple[Any, Any]]:
    """Path and query of each request that was recorded."""
    app = FastAPI(**settings)

    @app.get("/letters/{code}")
    async def letter(code: str) -> str:
        return "a letter"

    async def ask() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk.example") as client:
            (await client.get("/letters/K7", params={"name": "Melati"})).raise_for_status()

    kept.clear()
    asyncio.run(ask())
    attributes = [dict(span.attributes) for span in kept.get_finished_spans()]
    return [(told["url.path"], told.get("url.query")) for told in attributes if "url.path" in told]


before = spans_of_a_request()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(kept))
trace.set_tracer_provider(provider)  # as a library, or an agent of the operator, may do
after = spans_of_a_request()
off = spans_of_a_request(telemetry={"tracing": False, "metrics": False, "logs": False})
print("no provider:", len(before), "spans")
print("provider set by another part of the process:", *(f"{path} | {query}" for path, query in after))
print("telemetry switched off:", len(off), "spans")
if (before, after, off) != ([], [("/letters/K7", "name=Melati")], []):
    sys.exit("the behaviour has changed")
PYTHON
