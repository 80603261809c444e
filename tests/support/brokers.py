"""A real nats-server with the reviewed configuration, and connections in the name of each member."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import StreamState
from structlog.testing import capture_logs

from deploy.compose.provision import READERS as READERS_AS_SHIPPED
from deploy.credentials.secrets import BROKER_ROLES, FOLLOWERS, PROVISIONER, BrokerRole, make_secrets
from deploy.local.embedded_nats import CONFIG, EmbeddedNats
from services.members import SERVICES

READERS = [*SERVICES, *FOLLOWERS]
TRACKER, PROVINCE = "coordination", "province-74"
NEXT = "$JS.API.CONSUMER.MSG.NEXT.TPPO"
SECONDS = 2.0
"""The longest wait for an answer that must come."""


@dataclass
class Member:
    """One member's connection. ``refusals`` holds the refusals of the server."""

    name: str
    client: Client
    refusals: list[str]

    @property
    def js(self) -> JetStreamContext:
        return self.client.jetstream(timeout=SECONDS)

    async def heard_at(self, subject: str) -> "asyncio.Queue[Msg]":
        """The messages that arrive at this subject from now on."""
        queue: asyncio.Queue[Msg] = asyncio.Queue()
        await self.client.subscribe(subject, cb=queue.put)
        return queue

    async def flush(self) -> None:
        """Wait until the server has handled everything sent so far, and its refusals are here."""
        await self.client.flush()  # the ping of this one overtakes what nats-py has not yet written
        await self.client.flush()

    async def refused(self, kind: str, subjects: list[str]) -> set[str]:
        """The subjects of these at which the server has refused a ``publish`` or ``subscription`` by now."""
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
        """The stream's state with every subject in it, and its consumers' names, in the provisioner's view."""
        async with self.connected(PROVISIONER) as provisioner:
            stream = await provisioner.js.stream_info("TPPO", subjects_filter=">")
            return stream.state, {consumer.name for consumer in await provisioner.js.consumers_info("TPPO")}


async def provision(server: EmbeddedNats, readers: Mapping[str, list[str]]) -> None:
    """The provisioner's single run, with the shipped connection and subjects."""
    provisioner = server.broker(PROVISIONER)
    with capture_logs() as logged:
        await provisioner.connect()
        await provisioner.provision(readers)
        await provisioner.close()
    assert [line for line in logged if line["event"] == "broker.not-allowed"] == []


@contextmanager
def running(
    folder: Path,
    members: Mapping[str, BrokerRole] = BROKER_ROLES,
    config: Path = CONFIG,
    readers: Mapping[str, list[str]] = READERS_AS_SHIPPED,
) -> Iterator[Broker]:
    make_secrets(folder / "secrets", members)
    with EmbeddedNats(folder / "store", folder / "secrets", config=config) as server:
        asyncio.run(provision(server, readers))
        yield Broker(server, folder / "secrets")


def event(sender: str, receiver: str, words: str = "receipt.recorded") -> str:
    """The subject of an event; by default of a type that every member may send."""
    return f"tppo.{sender}.{receiver}.{words}.74.01"


def others(member: str) -> list[str]:
    return [name for name in READERS if name != member]


# --- what a member may do ---------------------------------------------------------------------------------------------


async def take_all(member: Member) -> list[Msg]:
    """Every message that waits for a member."""
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


# --- what it may not --------------------------------------------------------------------------------------------------


def in_anothers_name(member: str) -> list[str]:
    """An agency has a name of its own; a follower and the provisioner have none."""
    senders = [*others(member), "nobody"] if member in SERVICES else [*READERS, member, "nobody"]
    return ["tppo", "tppo.all", *(event(sender, "kemensos") for sender in senders)]


def at_anothers_mail(member: str) -> list[str]:
    """For the provisioner, which may look at every consumer, all mail is another's. The mail of its own consumer is
    another's too, under whatever name."""
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
