#!/usr/bin/env bash
# Surprise: Several routes share one path, one for each method. The Allow header of a 405 names only the methods of
#           the first route.
# Library:  Starlette 1.10.0, and FastAPI 0.165.0 on it.
# Source:   RFC 9110 section 15.5.6: Allow lists the methods that the resource supports. Starlette lets the first
#           route of that path answer for all routes (starlette/routing.py).
# Expected: Allow names all three methods, in whatever order.
# Seen:     Allow names one method. The order of the routes decides which one.
# Estafet:  on_http (shared/http/problems.py) asks every route of the address and names all methods.
# Output:
#   fastapi: 405 Allow: GET
#   starlette: 405 Allow: DELETE
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
bin="$folder/venv/bin"
"$bin/pip" install --quiet --disable-pip-version-check fastapi==0.165.0 starlette==1.10.0 httpx==0.28.1

"$bin/python" - <<'PYTHON'
import asyncio
import sys

import httpx
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def answer(request: Request) -> Response:
    return Response()


fast = FastAPI()
for method in ("GET", "PUT", "DELETE"):
    fast.add_api_route("/case", lambda: "a case", methods=[method])
plain = Starlette(routes=[Route("/case", answer, methods=[method]) for method in ("DELETE", "PUT", "PATCH")])


async def refusal(app: Starlette) -> str:
    """The answer to a POST, which no route takes."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk.example") as client:
        refused = await client.post("/case")
        return f"{refused.status_code} Allow: {refused.headers['Allow']}"


told = [asyncio.run(refusal(app)) for app in (fast, plain)]
print("fastapi:", told[0])
print("starlette:", told[1])
if told != ["405 Allow: GET", "405 Allow: DELETE"]:
    sys.exit("the behaviour has changed")
PYTHON
