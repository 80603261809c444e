"""The one proxy that lets the public read `/surat`: each telephone has its own limit, and no token counts."""

from pathlib import Path
from typing import Any

import pytest
from fastapi import Request

from shared.domain.refusal import Refused
from shared.http.limits import Limiting, Limits, address_of
from shared.security.tokens import thumbprint
from shared.service.running import now_utc
from tests.support.served import police_at_work
from tests.support.tokens import claims, signed


async def test_the_public_behind_the_declared_proxy_has_a_bucket_for_each_telephone(secrets: Path) -> None:
    """One proxy shows one certificate for all telephones that read `/surat`."""
    pem = (secrets / "police" / "client.pem").read_text()
    limits = Limits(Limiting(proxy_certificate=thumbprint(pem)))

    def asking(*addresses: str, chain: str = pem) -> dict[str, Any]:
        headers = [(b"x-forwarded-for", address.encode()) for address in addresses]
        return {
            "type": "http",
            "headers": headers,
            "client": ("10.0.0.1", 5000),
            "extensions": {"tls": {"client_cert_chain": [chain]}},
        }

    assert limits.address_of(asking("203.0.113.7")) == "203.0.113.7"
    assert limits.address_of(asking("2001:db8::1")) == limits.address_of(asking("2001:db8::2")) == "2001:db8::/64"
    as_the_proxy = address_of(asking())
    for odd in ([], ["203.0.113.7, 10.0.0.1"], ["203.0.113.7", "203.0.113.8"], ["Melati"]):
        assert limits.address_of(asking(*odd)) == as_the_proxy
    # nobody else is believed
    other = (secrets / "kemenkes" / "client.pem").read_text()
    assert limits.address_of(asking("203.0.113.7", chain=other)) == address_of(asking(chain=other))
    assert Limits(Limiting()).address_of(asking("203.0.113.7")) == as_the_proxy


async def test_no_token_counts_that_comes_through_the_proxy_of_the_public(tmp_path: Path, secrets: Path) -> None:
    """Bound to the proxy's certificate, a token would be bound to nobody."""
    pem = (secrets / "police" / "client.pem").read_text()
    token = signed(claims("police", "officer", "bareskrim", now_utc(), cnf={"x5t#S256": thumbprint(pem)}))
    for proxy in (None, thumbprint(pem)):
        async with police_at_work(tmp_path, secrets, proxy_certificate=proxy) as (app, _):
            tls = {"tls": {"client_cert_chain": [pem]}}
            request = Request({"type": "http", "app": app, "headers": [], "extensions": tls, "state": {}})
            if proxy is None:
                assert app.state.admission.caller(token, request).unit == "bareskrim"
                continue
            with pytest.raises(Refused) as refused:
                app.state.admission.caller(token, request)
            assert refused.value.problem == "token-not-valid"
