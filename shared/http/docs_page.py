"""``/docs``: the API documentation in a browser. All files are local, and the security policy allows no others."""

import base64
import hashlib
import re

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from starlette.routing import Mount, Route

from shared.http.route_traits import route_traits

FILES = "/static-offline-docs"
"""The path under which FastAPIOffline serves the files of Swagger UI."""
_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def add_to(app: FastAPI) -> None:
    """Add the page to an app. The policy allows the page's only inline script by its digest (CSP level 3)."""
    page = get_swagger_ui_html(
        openapi_url=str(app.openapi_url),
        title=app.title,
        swagger_js_url=f"{FILES}/swagger-ui-bundle.js",
        swagger_css_url=f"{FILES}/swagger-ui.css",
        swagger_favicon_url=f"{FILES}/favicon.png",
        swagger_ui_parameters={"validatorUrl": None},  # a validator would tell another site the address of this service
    ).body
    content = bytes(page)
    [script] = _SCRIPT.findall(content)
    digest = base64.b64encode(hashlib.sha256(script).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'self' 'sha256-{digest}'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )

    reference = route_traits(cacheable=True)
    for route in app.routes:  # FastAPI and FastAPIOffline have added these
        if isinstance(route, Route) and route.path == app.openapi_url:
            reference(route.endpoint)
        elif isinstance(route, Mount) and route.path == FILES:
            reference(route.app)

    @app.get("/docs", include_in_schema=False)
    @reference
    def see_docs() -> HTMLResponse:
        return HTMLResponse(content, headers={"Content-Security-Policy": policy})
