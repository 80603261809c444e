"""Clients that a service admits over TLS, and the facts for the app: real server, real certificates."""

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from deploy.client.agency_system import AgencySystem
from deploy.credentials.authority import Authority, Wanted, load_certificate, make_certificates
from deploy.credentials.x509_forms import SERVER
from deploy.local.embedded_nats import HOST, free_port, is_free
from shared.agency.member import LINEAGES
from shared.http.serve import Server, configured
from shared.security.transport import ClientTls, ServerTls
from shared.service.healthcheck import is_ready
from shared.storage.engine import open_engine
from shared.storage.migrate import migrate
from tests.support.sources import ROOT
from tests.support.tokens import trusting

NOW = datetime.now(UTC)
LIBRARY, READERS = "library", ["reader", "thief"]
REFUSED = (httpx.TransportError, ssl.SSLError, OSError)


async def tells_what_it_is_told(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that answers with the connection's facts."""
    request = Request(scope, receive)
    told = {"scheme": scope["scheme"], "extensions": scope.get("extensions"), "headers": dict(request.headers)}
    await JSONResponse(told)(scope, receive, send)


@dataclass(frozen=True)
class Library:
    """A server that is up, and the certificates around it."""

    server: Server
    port: int
    folder: Path

    def own(self, name: str) -> ClientTls:
        return ClientTls.of_member(self.folder, name)

    async def ask(self, tls: ssl.SSLContext) -> httpx.Response:
        """The answer on a connection of its own. Raises one of REFUSED."""
        async with httpx.AsyncClient(verify=tls, timeout=10) as http:
            return await http.get(f"https://localhost:{self.port}/")

    async def refusal_of(self, tls: ssl.SSLContext) -> str:
        """Why the server ends the handshake with this caller, as it logs it."""
        structlog.reset_defaults()  # whatever level a service before was silent at
        with capture_logs() as logs, pytest.raises(REFUSED):
            await self.ask(tls)
        [line] = [line for line in logs if line["event"] == "tls.refused"]
        return str(line["reason"])


@asynccontextmanager
async def serving(folder: Path, tls: ServerTls | None) -> AsyncIterator[Library]:
    """The app served until the end of the block. Who connects before it runs is kept by the kernel."""
    with socket.create_server((HOST, 0)) as listener:
        server = Server(configured(tells_what_it_is_told, HOST, 0, grace=2), tls)
        running = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield Library(server, listener.getsockname()[1], folder)
        finally:
            server.should_exit = True
            await running


def server_tls(folder: Path, **more: Path) -> ServerTls:
    public, own = folder / "public", Wanted(folder / LIBRARY, SERVER)
    return ServerTls(own.certificate, own.key, **{"client_ca": public / "ca.pem", **more})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_certificates(tmp_path / "own", [LIBRARY], READERS, NOW)
    return tmp_path / "own"


@pytest.fixture
async def library(folder: Path) -> AsyncIterator[Library]:
    """Asks every caller for a certificate."""
    async with serving(folder, server_tls(folder)) as library:
        yield library


def showing(library: Library, certificate: Path | None, key: Path | None = None) -> ssl.SSLContext:
    """A caller who trusts the server, and shows this or nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(library.own("reader").ca)
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    return context


async def test_who_shows_a_certificate_gets_in_and_the_app_is_told_which(library: Library) -> None:
    reader = library.own("reader")
    told = (await library.ask(reader.context())).json()
    tls = told["extensions"]["tls"]
    assert (told["scheme"], tls["tls_version"], tls["client_cert_error"]) == ("https", 0x0304, None)
    [shown] = tls["client_cert_chain"]
    assert ssl.PEM_cert_to_DER_cert(shown) == ssl.PEM_cert_to_DER_cert(reader.certificate.read_text())


async def test_an_agencys_own_system_shows_its_certificate(library: Library) -> None:
    system = AgencySystem("reader", f"https://localhost:{library.port}", tls=library.own("reader"))
    assert (await system.get("/"))["extensions"]["tls"]["client_cert_chain"]
    await system.close()


async def test_each_request_of_a_connection_is_told_of_it(library: Library) -> None:
    async with httpx.AsyncClient(verify=library.own("reader").context()) as http:
        told = [(await http.get(f"https://localhost:{library.port}/")).json()["extensions"] for _ in range(2)]
    assert told[0] == told[1] and told[1]["tls"]["client_cert_chain"]


async def test_a_header_does_not_make_a_certificate_or_another_scheme(library: Library) -> None:
    lies = {"X-Forwarded-Proto": "http", "X-Forwarded-For": "192.0.2.1", "X-SSL-Client-Cert": "thief"}
    async with httpx.AsyncClient(verify=library.own("reader").context(), headers=lies) as http:
        answer = await http.get(f"https://localhost:{library.port}/")
    assert answer.json()["scheme"] == "https" and len(answer.json()["extensions"]["tls"]["client_cert_chain"]) == 1
    assert "server" not in answer.headers


async def test_who_shows_no_certificate_is_refused(library: Library) -> None:
    assert await library.refusal_of(showing(library, None)) == "peer-did-not-return-a-certificate"


async def test_a_certificate_of_another_ca_is_refused(library: Library, tmp_path: Path) -> None:
    make_certificates(tmp_path / "other", [], ["reader"], NOW)
    other = ClientTls.of_member(tmp_path / "other", "reader")
    assert "certificate" in (why := await library.refusal_of(showing(library, other.certificate, other.key)))
    assert "issuer" in why or "self-signed" in why


async def test_an_expired_certificate_is_refused(library: Library) -> None:
    make_certificates(library.folder, [], ["late"], NOW - timedelta(days=91))
    assert await library.refusal_of(library.own("late").context()) == "certificate-has-expired"


async def test_a_certificate_of_a_server_does_not_do_for_a_caller(library: Library) -> None:
    own = Wanted(library.folder / LIBRARY, SERVER)
    assert "purpose" in await library.refusal_of(showing(library, own.certificate, own.key))


async def test_tls_1_2_is_refused(library: Library) -> None:
    older = showing(library, library.own("reader").certificate, library.own("reader").key)
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    assert await library.refusal_of(older) == "unsupported-protocol"


async def test_a_suite_of_tls_1_3_is_agreed_on(library: Library) -> None:
    _, writer = await asyncio.open_connection(HOST, library.port, ssl=library.own("reader").context())
    name, protocol, _ = writer.get_extra_info("ssl_object").cipher()
    writer.close()
    assert protocol == "TLSv1.3" and name in ("TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")


async def test_no_session_is_taken_up_again_past_the_list_of_the_revoked(library: Library) -> None:
    reader, writer = await asyncio.open_connection(HOST, library.port, ssl=library.own("reader").context())
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await reader.readline()  # a ticket would have come before it
    assert not writer.get_extra_info("ssl_object").session.has_ticket
    writer.close()


async def test_plain_http_gets_no_answer_and_no_redirect(library: Library) -> None:
    reader, writer = await asyncio.open_connection(HOST, library.port)
    structlog.reset_defaults()  # whatever level a service before was silent at
    with capture_logs() as logs, contextlib.suppress(ConnectionResetError):
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"HTTP" not in await reader.read()
    writer.close()
    assert [line["reason"] for line in logs if line["event"] == "tls.refused"] == ["http-request"]


async def test_a_caller_does_not_speak_to_a_server_of_another_ca_or_name(library: Library, tmp_path: Path) -> None:
    make_certificates(tmp_path / "other", [], ["reader"], NOW)
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        await library.ask(ClientTls.of_member(tmp_path / "other", "reader").context())
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        own = library.own("reader").context()
        await asyncio.open_connection(HOST, library.port, ssl=own, server_hostname="another-library")


async def test_a_service_without_tls_speaks_plain_http_and_tells_of_no_certificate(tmp_path: Path) -> None:
    async with serving(tmp_path, None) as library, httpx.AsyncClient() as http:
        told = (await http.get(f"http://{HOST}:{library.port}/")).json()
    assert (told["scheme"], told["extensions"]) == ("http", None)


# --- renewed and revoked while it runs --------------------------------------------------------------------------------


async def shown_by(library: Library) -> bytes | None:
    """The certificate that the server shows to who connects now."""
    _, writer = await asyncio.open_connection(HOST, library.port, ssl=library.own("reader").context())
    writer.close()
    found: bytes | None = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    return found


async def test_a_renewed_certificate_is_shown_and_open_connections_stay(library: Library) -> None:
    async with httpx.AsyncClient(verify=library.own("reader").context()) as http:
        await http.get(f"https://localhost:{library.port}/")
        before = await shown_by(library)
        make_certificates(library.folder, [LIBRARY], [], NOW, renew=timedelta(days=100))
        assert await shown_by(library) == before
        os.kill(os.getpid(), signal.SIGHUP)
        assert (await http.get(f"https://localhost:{library.port}/")).status_code == 200
    assert await shown_by(library) not in (None, before)


async def test_a_certificate_that_is_of_no_use_does_not_replace_the_one_in_use(library: Library) -> None:
    before = await shown_by(library)
    Wanted(library.folder / LIBRARY, SERVER).key.write_bytes(library.own("reader").key.read_bytes())
    structlog.reset_defaults()  # whatever level a service before was silent at
    with capture_logs() as logs:
        library.server.renew()
    assert [line["event"] for line in logs] == ["tls.not-renewed"]
    assert await shown_by(library) == before


async def test_a_revoked_certificate_is_refused_from_the_next_connection_on(folder: Path) -> None:
    async with serving(folder, server_tls(folder, client_crl=folder / "public" / "crl.pem")) as library:
        for name in READERS:
            assert (await library.ask(library.own(name).context())).status_code == 200
        thief = library.own("thief")
        Authority.of(folder).list_revoked(NOW + timedelta(seconds=1), [load_certificate(thief.certificate)])
        library.server.renew()
        assert await library.refusal_of(thief.context()) == "certificate-revoked"
        assert (await library.ask(library.own("reader").context())).status_code == 200


# --- as a container runs it -------------------------------------------------------------------------------------------


def environment(folder: Path, secrets: Path, member: str) -> dict[str, str]:
    own, tls = secrets / member, ClientTls.of_member(secrets, member)
    files = {
        "TLS_CERTIFICATE": own / "tls.pem",
        "TLS_KEY": own / "tls-key.pem",
        "TLS_CLIENT_CA": tls.ca,
        "TLS_CLIENT_CRL": secrets / "public" / "crl.pem",
        "NATS_CA": tls.ca,
        "NATS_CERTIFICATE": tls.certificate,
        "NATS_KEY": tls.key,
    }
    told = {f"ESTAFET_{name}_FILE": str(path) for name, path in files.items()}
    trust = {f"ESTAFET_{name.upper()}": str(value) for name, value in trusting(member, secrets).items()}
    return {**os.environ, **told, **trust, "ESTAFET_DATABASE_URL": f"sqlite:///{folder}/{member}.db"}


@contextmanager
def process(folder: Path, app: str, port: int, settings: Mapping[str, str]) -> Iterator[Callable[[], str]]:
    """``python -m shared.http.serve``, on the loop of production, from when it listens.

    The block is given what ends it in good order and answers what it has said.
    """
    command = [sys.executable, "-m", "shared.http.serve", app, "--port", str(port)]
    with (folder / "said").open("w") as said:
        running = subprocess.Popen(command, cwd=ROOT, env=settings, stderr=said)

    def ended() -> str:
        running.terminate()
        assert running.wait(20) in (0, -signal.SIGTERM)
        return (folder / "said").read_text()

    try:
        while is_free(port):
            assert running.poll() is None, (folder / "said").read_text()
            time.sleep(0.02)
        yield ended
    finally:
        running.kill()
        running.wait()


def test_the_health_check_of_a_container_shows_the_members_certificate(tmp_path: Path, secrets: Path) -> None:
    settings, port = environment(tmp_path, secrets, "police"), free_port()
    engine = open_engine(settings["ESTAFET_DATABASE_URL"])
    migrate(engine, LINEAGES)
    engine.dispose()
    assert not is_ready(port, settings)
    with process(tmp_path, "services.police.main", port, settings) as ended:
        assert is_ready(port, settings)
        without = {name: value for name, value in settings.items() if name != "ESTAFET_TLS_CLIENT_CA_FILE"}
        assert not is_ready(port, without)  # then it shows no certificate
        assert '"reason": "peer-did-not-return-a-certificate"' in ended()
    assert not is_ready(port, settings)


def test_the_loop_of_production_tells_the_app_the_same(tmp_path: Path, secrets: Path) -> None:
    settings, port = environment(tmp_path, secrets, "police"), free_port()
    kemenkes = ClientTls.of_member(secrets, "kemenkes")
    with process(tmp_path, f"{__name__}:tells_what_it_is_told", port, settings):
        told = httpx.get(f"https://localhost:{port}/", verify=kemenkes.context(), timeout=10).json()
    [shown] = told["extensions"]["tls"]["client_cert_chain"]
    assert ssl.PEM_cert_to_DER_cert(shown) == ssl.PEM_cert_to_DER_cert(kemenkes.certificate.read_text())
