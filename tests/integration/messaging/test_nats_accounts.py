"""The accounts alone keep members apart, without the permissions; and no reply subject goes round them."""

import asyncio
import os
import re
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js.api import ConsumerConfig

from deploy.compose.provision import READERS as READERS_AS_SHIPPED
from deploy.credentials.secrets import BROKER_ROLES, PROVISIONER, make_secrets
from deploy.local.embedded_nats import EmbeddedNats
from services.members import SERVICES
from shared.messaging.rights import WHO_AM_I
from tests.support.brokers import (
    NEXT,
    PROVINCE,
    READERS,
    SECONDS,
    TRACKER,
    Broker,
    administering,
    at_anothers_mail,
    event,
    in_anothers_name,
    provision,
)

# --- the wall stands without the permissions, and the permissions without the wall ------------------------------------


@pytest.fixture
def unpermitted(tmp_path: Path) -> Iterator[Broker]:
    """The shipped accounts, of which nobody's permissions limit anything."""
    make_secrets(secrets := tmp_path / "secrets")
    members = secrets / "public" / "nats" / "members.conf"
    text = re.sub(r"permissions \{.*?\n    \}\n", "", members.read_text(), flags=re.DOTALL)
    assert "permissions" not in text and text.count("nkey:") == len(BROKER_ROLES)
    members.write_text(text)
    with EmbeddedNats(tmp_path / "store", secrets) as server:
        asyncio.run(provision(server, READERS_AS_SHIPPED))
        yield Broker(server, secrets)


async def test_the_accounts_alone_keep_members_apart(unpermitted: Broker) -> None:
    """No refusal is reported, and no message arrives."""
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
    "taken",
    [
        "tppo.kemenkes.*.referral.requested.*.*",
        f"{NEXT}.kemenkes",
        "$JS.ACK.TPPO.kemenkes.>",
        "$JS.ACK._.*.TPPO.kemenkes.>",
    ],
)
def test_no_account_can_be_given_what_is_of_another(tmp_path: Path, taken: str) -> None:
    """A line in ``members.conf`` that gives an account another's subject has no effect (``account_token_position``)."""
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
"""Requests that only the provisioner may send, and requests that nobody may send."""


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


async def test_an_account_sends_a_new_event_type_after_a_reload(tmp_path: Path) -> None:
    """An upgrade of one agency needs no restart of the broker, and its other members lose no connection."""
    make_secrets(secrets := tmp_path / "secrets")
    members, new = secrets / "public" / "nats" / "members.conf", "referral.reminder"
    written = members.read_text()
    members.write_text("".join(line for line in written.splitlines(True) if f"tppo.police.*.{new}" not in line))
    with EmbeddedNats(tmp_path / "store", secrets) as server:
        await provision(server, READERS_AS_SHIPPED)
        async with Broker(server, secrets).connected("police") as member:
            with pytest.raises(NatsTimeoutError):
                await member.js.publish(event("police", "kemenkes", new), b"said")
            (server.store / "accounts" / "members.conf").write_text(written)
            assert server.pid is not None
            os.kill(server.pid, signal.SIGHUP)
            async with asyncio.timeout(20):
                while True:
                    with suppress(NatsTimeoutError):
                        await member.js.publish(event("police", "kemenkes", new), b"said", timeout=0.2)
                        break


# --- no wall has a way around -----------------------------------------------------------------------------------------


def answered_by_the_broker(member: str) -> list[tuple[str, bytes]]:
    """Allowed requests of a member. JetStream answers them with its own rights, to any reply subject named."""
    publishing = [(event(member, member), b"said"), (WHO_AM_I, b"")] if member in SERVICES else []
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
