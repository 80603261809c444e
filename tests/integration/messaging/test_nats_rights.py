"""The rights of each member at the broker: a real nats-server with the reviewed configuration.

"Refused" means that the server said so, naming the subject. Mere silence also meets a request that nobody answers. A
refusal comes before the answer to the next ping, so after a flush all refusals are there.
"""

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from string import ascii_lowercase, ascii_uppercase, digits

import pytest
from nats.js.api import AckPolicy, ConsumerConfig, StorageType

from deploy.credentials.secrets import BROKER_ROLES, PROVISIONER
from services.members import SERVICES
from shared.contracts.events import CATALOGUE, EVERYONE
from shared.contracts.senders import OF_BOTH, OF_THE_COORDINATOR, MemberKind, sent_by_kind
from shared.contracts.subjects import subject
from tests.support.brokers import (
    PROVINCE,
    READERS,
    SECONDS,
    TRACKER,
    Broker,
    administering,
    as_delivered,
    at_anothers_mail,
    elsewhere,
    event,
    in_anothers_name,
    take_all,
)

# --- what a member may do ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("agency", SERVICES)
async def test_an_agency_publishes_in_its_own_name(broker: Broker, agency: str) -> None:
    largest, headers = b"x" * 64 * 1024, {"Nats-Msg-Id": f"largest-{agency}", "Estafet-Signature": "s" * 120}
    async with broker.connected(agency) as member:
        stored = await member.js.publish(event(agency, "police"), largest, headers=headers)
        again = await member.js.publish(event(agency, "police"), largest, headers=headers)
        assert (stored.stream, stored.duplicate) == ("TPPO", None)
        assert (again.seq, again.duplicate) == (stored.seq, True)
        assert member.refusals == []


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
    async with broker.connected(next(agency for agency in SERVICES if agency != reader)) as sender:
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


# --- what it may not --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("forbidden", [in_anothers_name, at_anothers_mail, administering, elsewhere])
@pytest.mark.parametrize("name", BROKER_ROLES)
async def test_no_member_publishes_outside_its_rights(
    broker: Broker, name: str, forbidden: Callable[[str], list[str]]
) -> None:
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


def not_of_its_kind(member: str) -> list[str]:
    """Words that no member may send, or none of this kind; and a subject with a part more or less."""
    words = ["referral.dreamt", "kenari.melati", "victim.3171234567890123", "referral.requested.extra"]
    if member == TRACKER:
        words += ["referral.requested", "victim.registered", "custody.accepted", "tokens.told", "match.decided"]
    else:
        words += ["match.proposed", "match.withdrawn", "link.witnessed", "keys.published"]
    return [event(member, "police", one) for one in words] + [f"tppo.{member}.police", f"tppo.{member}.police.x.y.74"]


@pytest.mark.parametrize("agency", SERVICES)
async def test_an_agency_publishes_only_the_events_that_its_kind_sends(broker: Broker, agency: str) -> None:
    subjects = not_of_its_kind(agency)
    before, _ = await broker.state()
    async with broker.connected(agency) as member:
        for subject in subjects:
            await member.client.publish(subject, b"{}", reply=member.client.new_inbox())
        assert await member.refused("publish", subjects) == set(subjects)
    assert (await broker.state())[0].last_seq == before.last_seq


KINDS = {agency: MemberKind.COORDINATOR if agency == TRACKER else MemberKind.AGENCY for agency in SERVICES}


@pytest.mark.parametrize("agency", SERVICES)
async def test_an_agency_publishes_every_event_that_its_kind_sends(broker: Broker, agency: str) -> None:
    async with broker.connected(agency) as member:
        for one in sent_by_kind(KINDS[agency]):
            for receiver, region in (("kemenkes", "74.01"), (EVERYONE, "74"), ("kemenkes", "00.KH")):
                assert (await member.js.publish(subject(agency, receiver, one, region), b"said")).stream == "TPPO"
        assert member.refusals == []


def test_every_event_type_has_a_kind_of_member_that_sends_it() -> None:
    assert {event for kind in MemberKind for event in sent_by_kind(kind)} == set(CATALOGUE.values())
    assert OF_THE_COORDINATOR.isdisjoint(OF_BOTH) and set(CATALOGUE.values()) > OF_THE_COORDINATOR | OF_BOTH


@pytest.mark.parametrize("name", BROKER_ROLES)
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
    subjects += [f"_INBOX.{other}.>" for other in [*BROKER_ROLES, "nobody"] if other != name]
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
