"""Logins at the broker: certificates, keys, TLS."""

import asyncio
import base64
import contextlib
import json
import ssl
from os import urandom
from pathlib import Path
from typing import Any

import nkeys  # type: ignore[import-untyped]
import pytest
import structlog
from structlog.testing import capture_logs

from deploy.credentials.secrets import make_secrets
from deploy.local.embedded_nats import HOST
from shared.messaging.broker import Broker as ServiceBroker
from shared.security.transport import ClientTls
from tests.support.brokers import SECONDS, Broker, event


async def log_in(
    broker: Broker, nkey: bytes = b"", signed_with: bytes = b"", more: str = "{}", shown: str = "police"
) -> bytes:
    """The server's answer to a login, said without a client: clients neither lie nor leave things out.

    ``shown`` is whose certificate is shown.
    """
    tls = broker.server.tls(shown).context()
    reader, writer = await asyncio.open_connection(HOST, broker.server.port, ssl=tls)
    try:
        nonce = json.loads((await reader.readline()).removeprefix(b"INFO "))["nonce"]
        login: dict[str, Any] = {"verbose": False, "pedantic": False, "headers": True} | json.loads(more)
        if nkey:
            login["nkey"] = nkeys.from_seed(bytearray(nkey)).public_key.decode()
            signature = nkeys.from_seed(bytearray(signed_with)).sign(nonce.encode())
            login["sig"] = base64.b64encode(signature).decode()
        writer.write(f"CONNECT {json.dumps(login)}\r\nPING\r\n".encode())
        return await asyncio.wait_for(reader.readline(), SECONDS)
    finally:
        writer.close()
        await writer.wait_closed()


async def test_only_the_owner_of_a_registered_key_gets_in(broker: Broker) -> None:
    police, stranger = broker.seed("police"), bytes(nkeys.encode_seed(urandom(32), nkeys.PREFIX_BYTE_USER))
    assert await log_in(broker, police, signed_with=police) == b"PONG\r\n"
    for refused in (
        await log_in(broker),
        await log_in(broker, more='{"user": "police", "pass": "police"}'),
        await log_in(broker, more='{"auth_token": "police"}'),
        await log_in(broker, stranger, signed_with=stranger),
        await log_in(broker, police, signed_with=stranger),
    ):
        assert b"Authorization Violation" in refused


async def greeting(broker: Broker, tls: ssl.SSLContext | None) -> tuple[str, bytes]:
    """In which TLS the server speaks to who connects so, and its first line, empty where it hangs up.

    Raises ssl.SSLError.
    """
    reader, writer = await asyncio.open_connection(HOST, broker.server.port, ssl=tls)
    try:
        if tls is None:
            writer.write(b"PING\r\n")  # else it waits for a handshake
        spoken = writer.get_extra_info("ssl_object")
        return spoken.version() if spoken else "", await asyncio.wait_for(reader.readline(), SECONDS)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def showing(broker: Broker, whose: ClientTls | None, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    """Trusts the server's CA and shows this certificate, or none; speaks no newer TLS than that."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(broker.server.tls("police").ca)
    context.maximum_version = newest
    if whose is not None:
        whose.show_in(context)
    return context


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The secrets of another network, with the same names."""
    make_secrets(folder := tmp_path_factory.mktemp("stranger"))
    return folder


async def test_who_shows_a_certificate_of_our_ca_is_greeted_in_tls_1_3(broker: Broker) -> None:
    version, line = await greeting(broker, showing(broker, broker.server.tls("police")))
    assert (version, line[:5]) == ("TLSv1.3", b"INFO ")


async def test_the_server_says_nothing_before_the_handshake(broker: Broker) -> None:
    assert await greeting(broker, None) == ("", b"")


async def test_no_certificate_or_one_of_another_ca_ends_the_handshake(broker: Broker, stranger: Path) -> None:
    with pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED"):
        await greeting(broker, showing(broker, None))
    with pytest.raises(ssl.SSLError, match="UNKNOWN_CA"):
        await greeting(broker, showing(broker, ClientTls.of_member(stranger, "police")))


async def test_a_servers_certificate_does_not_do_for_a_member(broker: Broker) -> None:
    own = broker.secrets / "police"
    shown = ClientTls(broker.secrets / "public/ca.pem", own / "tls.pem", own / "tls-key.pem")
    with pytest.raises(ssl.SSLError, match="BAD_CERTIFICATE"):
        await greeting(broker, showing(broker, shown))


async def test_tls_1_2_is_refused(broker: Broker) -> None:
    with pytest.raises(ssl.SSLError, match="VERSION"):
        await greeting(broker, showing(broker, broker.server.tls("police"), newest=ssl.TLSVersion.TLSv1_2))


async def test_a_member_does_not_speak_to_a_server_of_another_ca(broker: Broker, stranger: Path) -> None:
    told = ClientTls.of_member(stranger, "police")
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
        await greeting(broker, told.context())


async def test_a_service_waits_for_the_right_server_and_leaves_a_line_of_the_wrong_one(
    broker: Broker, stranger: Path
) -> None:
    told = ClientTls.of_member(stranger, "police")
    service = ServiceBroker(broker.server.url, "police", stranger / "police" / "nats.seed", told)
    structlog.reset_defaults()  # whatever level a service before was silent at
    with capture_logs() as logs, pytest.raises(TimeoutError):
        async with asyncio.timeout(SECONDS):
            await service.connect()
    await service.close()
    assert not service.connected.is_set()
    assert {line["error"] for line in logs if line["event"] == "broker.error"} == {"SSLCertVerificationError"}


async def test_a_certificate_that_is_renewed_while_it_is_refused_is_shown_at_the_next_try(
    broker: Broker, stranger: Path, tmp_path: Path
) -> None:
    old, new = ClientTls.of_member(stranger, "police"), broker.server.tls("police")
    own = ClientTls(new.ca, tmp_path / "client.pem", tmp_path / "client-key.pem")

    def put(shown: ClientTls) -> None:
        own.certificate.write_bytes(shown.certificate.read_bytes())
        own.key.write_bytes(shown.key.read_bytes())

    put(old)
    service = ServiceBroker(broker.server.url, "police", broker.secrets / "police" / "nats.seed", own)
    put(new)
    async with asyncio.timeout(SECONDS):
        await service.connect()
    assert service.connected.is_set()
    await service.close()


async def test_a_certificate_is_not_enough_and_the_nkey_alone_says_who_it_is(broker: Broker) -> None:
    assert b"Authorization Violation" in await log_in(broker, shown="police")
    kemenkes = broker.seed("kemenkes")
    assert await log_in(broker, kemenkes, signed_with=kemenkes, shown="police") == b"PONG\r\n"
    async with broker.connected("kemenkes", shown="police") as member:
        await member.js.publish(event("kemenkes", "police"), b"said")
        await member.client.publish(event("police", "kemenkes"), b"in the name of the certificate")
        assert await member.refused("publish", [event("police", "kemenkes")])
