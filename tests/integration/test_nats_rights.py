"""What each member may do at the broker and what it may not: a real nats-server with the reviewed configuration.

"Refused" means that the server said so, naming the subject: mere silence also meets a request that nobody answers.
A refusal comes before the answer to the ping that follows it, so after a flush all of them are there.
"""

import asyncio
import base64
import contextlib
import http.client
import json
import re
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from os import urandom
from pathlib import Path
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Any

import nats
import nkeys  # type: ignore[import-untyped]
import pytest
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, StorageType, StreamState
from structlog.testing import capture_logs

from deploy.embedded_nats import CONFIG, HOST, EmbeddedNats
from deploy.provision import READERS as READERS_AS_SHIPPED
from deploy.secrets import AGENCIES, FOLLOWERS, MEMBERS, PROVISIONER, Role, make_secrets, network
from shared.contracts.subjects import addressed_to
from shared.messaging.broker import Broker as ServiceBroker
from shared.messaging.rights import WHO_AM_I
from shared.security.key_directory import load_root, read_directory
from shared.security.transport import ClientTls

READERS = [*AGENCIES, *FOLLOWERS]
TRACKER, PROVINCE = "coordination", "province-74"
NEXT = "$JS.API.CONSUMER.MSG.NEXT.TPPO"
SECONDS = 2.0
"""The longest wait for an answer that must come."""


@dataclass
class Member:
    """One member's connection. What the server refused to do for it stands in ``refusals``."""

    name: str
    client: Client
    refusals: list[str]

    @property
    def js(self) -> JetStreamContext:
        return self.client.jetstream(timeout=SECONDS)

    async def heard_at(self, subject: str) -> "asyncio.Queue[Msg]":
        """What arrives at this subject from now on."""
        queue: asyncio.Queue[Msg] = asyncio.Queue()
        await self.client.subscribe(subject, cb=queue.put)
        return queue

    async def flush(self) -> None:
        """Wait until the server has dealt with everything sent so far, and its refusals are here."""
        await self.client.flush()  # the ping of this one overtakes what nats-py has not yet written
        await self.client.flush()

    async def refused(self, kind: str, subjects: list[str]) -> set[str]:
        """Those of the subjects to which a ``publish`` or ``subscription`` has been refused by now."""
        await self.flush()
        return {s for s in subjects if any(f'{kind} to "{s.lower()}"' in refusal for refusal in self.refusals)}


@dataclass
class Broker:
    """A running server and the secrets of its members."""

    server: EmbeddedNats
    secrets: Path

    def seed(self, name: str) -> bytes:
        return (self.secrets / name / "nats.seed").read_bytes()

    @asynccontextmanager
    async def connected(self, name: str, shown: str = "") -> AsyncIterator[Member]:
        refusals: list[str] = []

        async def failed(error: Exception) -> None:
            refusals.append(str(error))

        client = await nats.connect(
            self.server.url,
            tls=self.server.tls(shown or name).context(),
            tls_handshake_first=True,
            nkeys_seed_str=self.seed(name).decode(),
            inbox_prefix=f"_INBOX.{name}",
            error_cb=failed,
            allow_reconnect=False,
        )
        try:
            yield Member(name, client, refusals)
        finally:
            await client.close()

    async def state(self) -> tuple[StreamState, set[str]]:
        """The stream's state with every subject in it, and its consumers' names: as the provisioner sees it."""
        async with self.connected(PROVISIONER) as provisioner:
            stream = await provisioner.js.stream_info("TPPO", subjects_filter=">")
            return stream.state, {consumer.name for consumer in await provisioner.js.consumers_info("TPPO")}


async def provision(server: EmbeddedNats, readers: Mapping[str, list[str]]) -> None:
    """What the provisioner does once, with the connection and the subjects that it is shipped with."""
    provisioner = server.broker(PROVISIONER)
    with capture_logs() as logged:
        await provisioner.connect()
        await provisioner.provision(readers)
        await provisioner.close()
    assert [line for line in logged if line["event"] == "broker.not-allowed"] == []


@contextmanager
def running(
    folder: Path,
    members: Mapping[str, Role] = MEMBERS,
    config: Path = CONFIG,
    readers: Mapping[str, list[str]] = READERS_AS_SHIPPED,
) -> Iterator[Broker]:
    make_secrets(folder / "secrets", members)
    with EmbeddedNats(folder / "store", folder / "secrets", config=config) as server:
        asyncio.run(provision(server, readers))
        yield Broker(server, folder / "secrets")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with running(tmp_path_factory.mktemp("broker")) as made:
        yield made


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Broker]:
    """A server for one test, which may break it."""
    with running(tmp_path) as made:
        yield made


@pytest.fixture
def lending(tmp_path: Path) -> Iterator[Broker]:
    """The broker of a network of libraries."""
    readers = {name: addressed_to(name) for name in ("library", "archive")}
    with running(tmp_path, network(readers), readers=readers) as made:
        yield made


def event(sender: str, receiver: str) -> str:
    return f"tppo.{sender}.{receiver}.referral.requested.74.01"


def others(member: str) -> list[str]:
    return [name for name in READERS if name != member]


# --- what a member may do ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("agency", AGENCIES)
async def test_an_agency_publishes_in_its_own_name(broker: Broker, agency: str) -> None:
    largest, headers = b"x" * 64 * 1024, {"Nats-Msg-Id": f"largest-{agency}", "Estafet-Signature": "s" * 120}
    async with broker.connected(agency) as member:
        stored = await member.js.publish(event(agency, "police"), largest, headers=headers)
        again = await member.js.publish(event(agency, "police"), largest, headers=headers)
        assert (stored.stream, stored.duplicate) == ("TPPO", None)
        assert (again.seq, again.duplicate) == (stored.seq, True)
        assert member.refusals == []


async def take_all(member: Member) -> list[Msg]:
    """Everything that waits for a member."""
    taken: list[Msg] = []
    arrived = await member.heard_at(inbox := member.client.new_inbox())
    await member.client.publish(f"{NEXT}.{member.name}", b'{"batch":1000,"no_wait":true}', reply=inbox)
    while (message := await asyncio.wait_for(arrived.get(), SECONDS)).subject != inbox:
        taken.append(message)
    # the word that there is no more
    assert message.headers is not None and message.headers["Status"] in ("404", "408")
    return taken


def as_delivered(reply: str) -> str:
    return reply


def with_domain_and_account(reply: str) -> str:
    """The newer form of an acknowledgement's subject: it names the domain, here none, and the account's hash."""
    letters = digits + ascii_uppercase + ascii_lowercase
    account = "".join(letters[byte % len(letters)] for byte in sha256(b"ESTAFET").digest()[:8])
    return reply.replace("$JS.ACK.", f"$JS.ACK._.{account}.")


MAIL: Mapping[str, set[str]] = {
    "police": {"tppo.*.police.>", "tppo.*.all.>"},
    "kemenpppa": {"tppo.*.kemenpppa.>", "tppo.*.all.>"},
    "kemensos": {"tppo.*.kemensos.>", "tppo.*.all.>"},
    "kemenkes": {"tppo.*.kemenkes.>", "tppo.*.all.>"},
    "coordination": {f"tppo.{agency}.>" for agency in ("police", "kemenpppa", "kemensos", "kemenkes")},
    "province-74": {"tppo.*.*.*.*.74.>"},
}
"""Reader → whose mail it may read (DESIGN section 4), written by hand."""


async def test_each_reader_is_given_its_own_mail_and_nobody_elses(broker: Broker) -> None:
    async with broker.connected(PROVISIONER) as member:
        consumers = [consumer.config for consumer in await member.js.consumers_info("TPPO")]
        stream = (await member.js.stream_info("TPPO")).config
    given = {config.durable_name: set(config.filter_subjects or [config.filter_subject or ""]) for config in consumers}
    assert given == MAIL and {*MAIL} == {*READERS}
    assert {config.ack_policy for config in consumers} == {AckPolicy.EXPLICIT}
    assert (stream.deny_delete, stream.deny_purge, stream.allow_direct, stream.allow_rollup_hdrs) == (
        *(True, True, False, False),
    )
    assert (stream.storage, stream.mirror, stream.republish) == (StorageType.FILE, None, None)


@pytest.mark.parametrize("form", [as_delivered, with_domain_and_account])
@pytest.mark.parametrize("reader", READERS)
async def test_a_member_takes_its_own_mail(broker: Broker, reader: str, form: Callable[[str], str]) -> None:
    async with broker.connected(next(agency for agency in AGENCIES if agency != reader)) as sender:
        for receiver in READERS:
            await sender.js.publish(event(sender.name, receiver), receiver.encode())
    async with broker.connected(reader) as member:
        mail = await take_all(member)
        assert any(message.data == reader.encode() for message in mail)
        if reader not in (TRACKER, PROVINCE):
            assert {message.subject.split(".")[2] for message in mail} == {reader}
        for message in mail:
            await member.client.request(form(message.reply), timeout=SECONDS)
        answer = await member.client.request(f"$JS.API.CONSUMER.INFO.TPPO.{reader}", timeout=SECONDS)
        waiting = json.loads(answer.data)
        assert (waiting["num_pending"], waiting["num_ack_pending"]) == (0, 0)
        assert member.refusals == []


async def test_the_provisioner_looks_after_stream_and_consumers(broker: Broker) -> None:
    async with broker.connected(PROVISIONER) as member:
        js = member.js
        await js.account_info()
        await js.update_stream((await js.stream_info("TPPO")).config)
        assert await js.find_stream_name_by_subject("tppo.a.b") == "TPPO"
        for name, only in (("new", None), ("new-too", event("police", "kemenkes"))):
            await js.add_consumer("TPPO", ConsumerConfig(name=name, filter_subject=only, inactive_threshold=60))
            await js.consumer_info("TPPO", name)
            await js.delete_consumer("TPPO", name)
        await member.client.request("$JS.API.CONSUMER.NAMES.TPPO", timeout=SECONDS)
        assert {info.name for info in await js.consumers_info("TPPO")} == set(READERS)
        assert member.refusals == []


# --- what it may not --------------------------------------------------------------------------------------------


def in_anothers_name(member: str) -> list[str]:
    """An agency has a name of its own; a follower and the provisioner have none at all."""
    senders = [*others(member), "nobody"] if member in AGENCIES else [*READERS, member, "nobody"]
    return ["tppo", "tppo.all", *(event(sender, "kemensos") for sender in senders)]


def at_anothers_mail(member: str) -> list[str]:
    """For the provisioner, which may look at every consumer, all mail is another's: also that of a consumer which it
    has made for itself, under whatever name."""
    kinds = [f"{NEXT}.{{other}}", "$JS.ACK.TPPO.{other}.1.1.1.1.0", "$JS.ACK._.hash.TPPO.{other}.1.1.1.1.0.more"]
    # reads like the newer form of the member's own acknowledgement, and is the older form of the other's
    kinds += ["$JS.ACK.TPPO.{other}.TPPO.{member}.1.1.1", "_INBOX.{other}.answer"]
    if member != PROVISIONER:
        kinds.append("$JS.API.CONSUMER.INFO.TPPO.{other}")
    own = [PROVISIONER] if member == PROVISIONER else []
    names = [*others(member), "nobody", *own]
    return [kind.format(other=other, member=member) for kind in kinds for other in names]


FOR_NOBODY = """
    STREAM.LIST STREAM.DELETE.TPPO STREAM.PURGE.TPPO STREAM.SNAPSHOT.TPPO STREAM.RESTORE.TPPO
    STREAM.CREATE.OTHER STREAM.UPDATE.OTHER STREAM.INFO.OTHER STREAM.PEER.REMOVE.TPPO STREAM.LEADER.STEPDOWN.TPPO
    STREAM.MSG.GET.TPPO STREAM.MSG.DELETE.TPPO DIRECT.GET.TPPO DIRECT.GET.TPPO.tppo.police.kemenkes
    CONSUMER.CREATE.TPPO CONSUMER.CREATE.OTHER.new CONSUMER.PAUSE.TPPO.police CONSUMER.UNPIN.TPPO.police
    CONSUMER.RESET.TPPO.police CONSUMER.LEADER.STEPDOWN.TPPO.police ACCOUNT.PURGE.ESTAFET META.LEADER.STEPDOWN
"""
FOR_THE_PROVISIONER = """
    INFO STREAM.NAMES STREAM.CREATE.TPPO STREAM.UPDATE.TPPO STREAM.INFO.TPPO
    CONSUMER.CREATE.TPPO.new CONSUMER.CREATE.TPPO.new.tppo.> CONSUMER.DURABLE.CREATE.TPPO.new
    CONSUMER.CREATE.TPPO.{member} CONSUMER.DURABLE.CREATE.TPPO.{member}
    CONSUMER.NAMES.TPPO CONSUMER.LIST.TPPO CONSUMER.DELETE.TPPO.police CONSUMER.DELETE.TPPO.{member}
"""


def administering(member: str) -> list[str]:
    forbidden = FOR_NOBODY + ("" if member == PROVISIONER else FOR_THE_PROVISIONER)
    return [f"$JS.API.{request}" for request in forbidden.format(member=member).split()]


def elsewhere(member: str) -> list[str]:
    more = [] if member == PROVISIONER else ["$SYS.REQ.SERVER.PING.JSZ"]
    server = ["$SYS.REQ.SERVER.PING", "$SYS.REQ.SERVER.PING.VARZ", "$SYS.REQ.SERVER.PING.CONNZ", *more]
    return [member, *server, "$SYS.REQ.ACCOUNT.ESTAFET.JSZ", "$JS.FC.TPPO.x", "$KV.a.b", "$O.a.b"]


@pytest.mark.parametrize("forbidden", [in_anothers_name, at_anothers_mail, administering, elsewhere])
@pytest.mark.parametrize("name", MEMBERS)
async def test_nobody_publishes(broker: Broker, name: str, forbidden: Callable[[str], list[str]]) -> None:
    subjects = forbidden(name)
    before, _ = await broker.state()
    async with broker.connected(name) as member:
        for subject in subjects:
            await member.client.publish(subject, b"{}", reply=member.client.new_inbox())
        assert await member.refused("publish", subjects) == set(subjects)
    async with broker.connected("police") as member:
        # the stream counts what it stores: had one of those come through, this were not the next
        assert (await member.js.publish(event("police", "kemenkes"), b"said")).seq == before.last_seq + 1
    assert (await broker.state())[1] == set(READERS)


@pytest.mark.parametrize("name", MEMBERS)
async def test_nobody_listens_but_at_its_own_inbox(broker: Broker, name: str) -> None:
    subjects = ["tppo.>", f"tppo.*.{name}.>", f"tppo.{name}.>", event("police", "kemenkes"), ">", "*.>", "$SYS.>"]
    subjects += [
        "_INBOX.>",
        "_INBOX.*.>",
        f"_INBOX.{name}",
        "_R_.>",
        "$JS.>",
        "$JS.API.>",
        "$JS.ACK.>",
        "$JS.EVENT.>",
    ]
    subjects += [f"_INBOX.{other}.>" for other in [*MEMBERS, "nobody"] if other != name]
    async with broker.connected(name) as member:
        for subject in subjects:
            await member.client.subscribe(subject)
            await member.client.subscribe(subject, queue="helpers")
        assert await member.refused("subscription", subjects) == set(subjects)
        assert len(member.refusals) == 2 * len(subjects)


async def test_nobody_hears_what_is_published_or_answered(broker: Broker) -> None:
    async with broker.connected("kemenkes") as spy, broker.connected("police") as member:
        heard = [await spy.heard_at(subject) for subject in ("tppo.>", "_INBOX.police.>", ">")]
        await spy.flush()
        await member.js.publish(event("police", "kemenkes"), b"said")
        await spy.flush()
        assert [queue.qsize() for queue in heard] == [0, 0, 0]


# --- the wall stands without the permissions, and the permissions without the wall ------------------------------


@pytest.fixture
def unpermitted(tmp_path: Path) -> Iterator[Broker]:
    """The shipped accounts, of which nobody's permissions limit anything."""
    make_secrets(secrets := tmp_path / "secrets")
    members = secrets / "public" / "nats" / "members.conf"
    text = re.sub(r"permissions \{.*?\n    \}\n", "", members.read_text(), flags=re.DOTALL)
    assert "permissions" not in text and text.count("nkey:") == len(MEMBERS)
    members.write_text(text)
    with EmbeddedNats(tmp_path / "store", secrets) as server:
        asyncio.run(provision(server, READERS_AS_SHIPPED))
        yield Broker(server, secrets)


async def test_the_accounts_alone_keep_members_apart(unpermitted: Broker) -> None:
    """Nothing is refused aloud, and nothing comes of it."""
    async with unpermitted.connected("kemenkes") as spy, unpermitted.connected("police") as member:
        heard = [await spy.heard_at(subject) for subject in ("tppo.>", "_INBOX.police.>", "$JS.>")]
        await spy.flush()
        for subject in [*in_anothers_name("police"), *at_anothers_mail("police"), *administering("police")]:
            await member.client.publish(subject, b"{}", reply=member.client.new_inbox())
        await member.flush()
        stored = await member.js.publish(event("police", "kemenkes"), b"said")
        assert stored.seq == 1  # nothing that came before was stored
        await spy.flush()
        assert [queue.qsize() for queue in heard] == [0, 0, 0]
    assert (await unpermitted.state())[1] == set(READERS)


@pytest.mark.parametrize(
    "taken", ["tppo.kemenkes.>", f"{NEXT}.kemenkes", "$JS.ACK.TPPO.kemenkes.>", "$JS.ACK._.*.TPPO.kemenkes.>"]
)
def test_no_account_can_be_given_what_is_of_another(tmp_path: Path, taken: str) -> None:
    """Somebody writes it into ``members.conf``: it is not there all the same (``account_token_position``)."""
    make_secrets(secrets := tmp_path / "secrets")
    members, own = secrets / "public" / "nats" / "members.conf", taken.replace("kemenkes", "police")
    before, police, after = re.split(r'(?="police" \{)|(?="kemenpppa" \{)', members.read_text())
    assert own in police
    members.write_text(before + police.replace(own, taken) + after)
    with pytest.raises(RuntimeError, match="not authorized"), EmbeddedNats(tmp_path / "store", secrets):
        pass


RESERVED = """
    STREAM.NAMES STREAM.CREATE.TPPO STREAM.UPDATE.TPPO STREAM.INFO.TPPO CONSUMER.CREATE.TPPO.>
    CONSUMER.DURABLE.CREATE.TPPO.* CONSUMER.NAMES.TPPO CONSUMER.LIST.TPPO CONSUMER.DELETE.TPPO.*
    STREAM.MSG.GET.TPPO STREAM.MSG.DELETE.TPPO STREAM.DELETE.TPPO STREAM.PURGE.TPPO DIRECT.GET.TPPO CONSUMER.LEADER.>
"""
"""What the provisioner alone may ask, and what nobody may."""


@pytest.mark.parametrize(
    ("account", "subject"),
    [*(("ESTAFET", f"$JS.API.{name}") for name in RESERVED.split()), ("SYS", "$SYS.REQ.SERVER.PING.JSZ"),
     ("SYS", "$SYS.REQ.SERVER.PING.CONNZ"), ("SYS", "$SYS.REQ.ACCOUNT.*.JSZ")],
)  # fmt: skip
def test_no_account_can_be_given_what_the_provisioner_or_nobody_has(tmp_path: Path, account: str, subject: str) -> None:
    make_secrets(secrets := tmp_path / "secrets")
    members = secrets / "public" / "nats" / "members.conf"
    opening, written = '"police" {\n  imports: [\n', members.read_text()
    assert opening in written
    given = f'    {{ service: {{ account: {account}, subject: "{subject}" }} }}\n'
    members.write_text(written.replace(opening, opening + given))
    with pytest.raises(RuntimeError, match="not authorized"), EmbeddedNats(tmp_path / "store", secrets):
        pass


# --- no wall has a back door ------------------------------------------------------------------------------------


def answered_by_the_broker(member: str) -> list[tuple[str, bytes]]:
    """What a member may ask, and JetStream answers with its own rights to whatever reply subject is named."""
    publishing = [(event(member, member), b"said"), (WHO_AM_I, b"")] if member in AGENCIES else []
    return [
        *publishing,
        (f"{NEXT}.{member}", b'{"batch":1,"no_wait":true}'),
        (f"$JS.ACK.TPPO.{member}.1.1.1.1.0", b"+WPI"),
        (f"$JS.API.CONSUMER.INFO.TPPO.{member}", b""),
    ]


@pytest.mark.parametrize("name", ["police", TRACKER, PROVINCE])
async def test_a_reply_subject_does_not_lend_the_brokers_rights(own_broker: Broker, name: str) -> None:
    targets = ["_INBOX.kemenkes.forged", "tppo.kemenkes.kemensos.forged.by.74.01"]
    targets += ["$JS.API.CONSUMER.DELETE.TPPO.kemenkes", "$JS.API.STREAM.PURGE.TPPO", "$JS.API.STREAM.DELETE.TPPO"]
    async with own_broker.connected("kemenkes") as other, own_broker.connected(name) as member:
        await other.js.publish(event("kemenkes", "kemensos"), b"kept")
        heard_by_other = await other.heard_at("_INBOX.kemenkes.forged")
        await other.flush()
        answers = await member.heard_at(inbox := member.client.new_inbox())
        # an answer at the member's own inbox shows that the requests before it are done with
        for reply in [*targets, *targets, inbox]:
            for subject, body in answered_by_the_broker(name):
                await member.client.publish(subject, body, reply=reply)
        for _ in answered_by_the_broker(name):
            await asyncio.wait_for(answers.get(), SECONDS)
        await other.flush()
        assert (member.refusals, heard_by_other.qsize()) == ([], 0)
    state, consumers = await own_broker.state()
    assert (state.first_seq, consumers) == (1, set(READERS))
    assert set(state.subjects or ()) <= {event("kemenkes", "kemensos"), event(name, name)}


async def test_the_provisioner_reads_nothing_through_a_consumer_of_its_own(own_broker: Broker) -> None:
    async with own_broker.connected(PROVISIONER) as spy, own_broker.connected("police") as member:
        await member.js.publish(event("police", "kemenkes"), b"before")
        heard = await spy.heard_at(inbox := spy.client.new_inbox())
        await spy.js.add_consumer("TPPO", ConsumerConfig(name="spy", deliver_subject=inbox, inactive_threshold=60))
        await member.js.publish(event("police", "kemenkes"), b"after")
        consumer = await spy.js.consumer_info("TPPO", "spy")
        await spy.flush()
        assert consumer.delivered is not None
        # "bound": the server sees somebody listen where the consumer delivers to
        assert (consumer.push_bound or False, consumer.delivered.consumer_seq, heard.qsize()) == (False, 0, 0)


# --- who gets in ------------------------------------------------------------------------------------------------


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


async def test_only_the_holder_of_a_registered_key_gets_in(broker: Broker) -> None:
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


# --- the server and its secrets ---------------------------------------------------------------------------------


def test_nobody_is_let_in_by_default_or_by_a_certificate_alone() -> None:
    said = [line.split("#")[0] for line in CONFIG.read_text().splitlines()]
    assert not re.search(r"no_auth_user|verify_and_map|verify_cert_and_check|allow_non_tls", "\n".join(said))


def test_the_server_runs_as_reviewed(broker: Broker) -> None:
    connection = http.client.HTTPConnection(HOST, broker.server.monitor_port, timeout=SECONDS)
    connection.request("GET", "/varz")
    varz = json.loads(connection.getresponse().read())
    connection.close()
    assert (varz["server_name"], varz["max_payload"]) == ("estafet", 72 * 1024)
    assert varz["jetstream"]["config"]["sync_always"] is True


async def test_what_was_acknowledged_outlives_a_crash(own_broker: Broker) -> None:
    async with own_broker.connected("police") as member:
        await member.js.publish(event("police", "kemenkes"), b"kept")
    own_broker.server.kill()
    own_broker.server.start()
    async with own_broker.connected("kemenkes") as member:
        assert [message.data for message in await take_all(member)] == [b"kept"]


MARKER = b"a marker that stands in no other file"


def files_with_the_marker(folder: Path, config: Path) -> list[str]:
    """The kinds of files in which what was published stands once the server has stopped."""

    async def say_it(own: Broker) -> None:
        async with own.connected("police") as member:
            await member.js.publish(event("police", "kemenkes"), MARKER)

    with running(folder, config=config) as own:
        asyncio.run(say_it(own))
    stored = [path for path in (folder / "store").rglob("*") if path.is_file()]
    assert any(path.suffix == ".blk" for path in stored)
    return [path.suffix for path in stored if MARKER in path.read_bytes()]


def test_what_is_stored_is_encrypted(tmp_path: Path) -> None:
    assert files_with_the_marker(tmp_path, CONFIG) == []


def test_without_the_cipher_it_would_be_found(tmp_path: Path) -> None:
    shipped = CONFIG.read_text()
    (in_clear := tmp_path / "in-clear.conf").write_text(re.sub(r"\n +(cipher: aes|key: .*)", "", shipped))
    assert files_with_the_marker(tmp_path, in_clear) == [".blk"]


async def test_the_rights_know_no_ministry(lending: Broker) -> None:
    async with lending.connected("library") as library:
        await library.js.publish(event("library", "archive"), b"said")
        await library.client.publish(event("archive", "library"), b"")
        assert await library.refused("publish", [event("archive", "library")])
    async with lending.connected("archive") as archive:
        assert len(await take_all(archive)) == 1


def test_secrets_are_made_once_and_stay_secret(tmp_path: Path) -> None:
    def files() -> dict[str, tuple[int, bytes]]:
        paths = [path for path in tmp_path.rglob("*") if path.is_file()]
        return {str(path.relative_to(tmp_path)): (path.stat().st_mode & 0o777, path.read_bytes()) for path in paths}

    make_secrets(tmp_path)
    made = files()
    make_secrets(tmp_path)
    assert files() == made
    public = {body for path, (_, body) in made.items() if path.startswith("public/")}
    private = {path: file for path, file in made.items() if not path.startswith("public/")}
    assert {mode for mode, _ in private.values()} == {0o600}
    assert not any(body in known for _, body in private.values() for known in public)
    directory = read_directory(
        (tmp_path / "public/keys.json").read_bytes(), load_root(tmp_path / "public/directory-root.json")
    )
    assert {key.agency for key in directory.keys.values()} == set(AGENCIES)


def test_a_lost_signing_key_is_not_replaced_under_its_id(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    (tmp_path / "police/keys/police-1.pem").unlink()
    with pytest.raises(ValueError, match="police-1"):
        make_secrets(tmp_path)


@pytest.mark.parametrize(
    "name", ["", "all", "public", "ca", "nats", "postgres", "Police", "a.b", "a*", 'a"', "../a", "a b"]
)
def test_a_member_has_a_plain_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="name of a member"):
        make_secrets(tmp_path, network([name]))
