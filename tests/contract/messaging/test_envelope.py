"""The envelope of an event: accepted forms, refused forms, and a round trip without loss."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts import events as e
from shared.contracts.codes import LegalBasis
from shared.contracts.envelope import MAX_BODY, Draft, Envelope, write
from shared.contracts.subjects import subject
from shared.contracts.types import UnitRef
from tests.support.events import IDS, NOW, a_body, a_draft, an_event, padded, unreadable


def test_fields_from_a_later_version_are_ignored() -> None:
    attributes = json.loads(a_body())
    attributes["data"]["mood"] = "hopeful"
    later = Envelope.read(json.dumps(attributes | {"mood": "hopeful", "tags": ["x"]}).encode())
    assert later == Envelope.read(a_body()).model_copy(update={"data": attributes["data"]})
    assert later.content() == an_event()


def test_a_type_nobody_knows_yet_has_no_content() -> None:
    assert Envelope.read(a_body(type="id.tppo.referral.applauded.v1")).content() is None
    assert Envelope.read(a_body(type="id.tppo.referral.reminder.v2")).content() is None
    assert Envelope.read(a_body()).content() == an_event()


def test_data_of_another_shape_or_about_something_else_is_refused() -> None:
    reader = Envelope.read(a_body(type="id.tppo.referral.rejected.v1"))
    assert unreadable(reader.content) == "data-of-another-shape"
    # filed under one referral, applied to another: that would hide an event from the one it is about
    assert unreadable(Envelope.read(a_body(subject=IDS[5])).content) == "subject-is-not-the-data"
    assert unreadable(Envelope.read(a_body(partitionkey=IDS[5])).content) == "partitionkey-is-not-the-data"
    assert unreadable(Envelope.read(a_body(partitionkey=None)).content) == "partitionkey-is-not-the-data"


@pytest.mark.parametrize(
    "type_of", ["id.tppo.referral.reminder.v1", "id.tppo.referral.applauded.v1"], ids=["known", "unknown"]
)
@pytest.mark.parametrize("given", ["one>two", "x" * 120, f"{IDS[1]}\n", "a\x00b", ""])
def test_a_referral_event_is_about_an_id_that_every_ledger_can_keep(given: str, type_of: str) -> None:
    assert unreadable(lambda: Envelope.read(a_body(subject=given, type=type_of))) == "subject-is-not-an-id"


@pytest.mark.parametrize("number", [0, -1, 2**63, 10**30, "7"])
def test_a_number_on_a_link_is_one_that_every_ledger_can_keep(number: object) -> None:
    assert unreadable(lambda: Envelope.read(a_body(linkseq=number))) == "not-an-envelope"


@pytest.mark.parametrize("link", ["one", "one>", ">two", "one>two>three", "one>" + "t" * 80])
def test_a_link_joins_two_members(link: str) -> None:
    assert unreadable(lambda: Envelope.read(a_body(link=link))) == "not-an-envelope"


def test_an_event_speaks_for_its_own_sender() -> None:
    body = a_body(source="/agencies/three/units/desk")
    assert unreadable(lambda: Envelope.read(body)) == "source-is-not-the-sender"
    longer = a_body(source="/agencies/one-a/units/desk")
    assert unreadable(lambda: Envelope.read(longer)) == "source-is-not-the-sender"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"{}"])
def test_what_is_no_envelope_is_refused_without_repeating_it(body: bytes) -> None:
    assert unreadable(lambda: Envelope.read(body)) == "not-an-envelope"


def test_a_body_over_64_kib_is_neither_read_nor_written() -> None:
    assert MAX_BODY == 65_536
    assert Envelope.read(padded(MAX_BODY)).id == IDS[0]
    assert unreadable(lambda: Envelope.read(padded(MAX_BODY + 1))) == "body-too-large"

    def sealed(length: int) -> Draft:
        data = e.InformationProvided.model_validate(
            {**dict(an_event()), "about": "identity", "sealed": "é" * (length // 2)}
        )
        return a_draft(data)

    frame = len(write(sealed(0), "one", 7, NOW)) + 1  # made even, as an é is two bytes
    room = (MAX_BODY - frame) // 2 * 2
    assert MAX_BODY - 3 <= len(write(sealed(room), "one", 7, NOW)) <= MAX_BODY
    assert unreadable(lambda: write(sealed(room + 4), "one", 7, NOW)) == "body-too-large"


def test_a_version_is_ten_digits_that_sort_as_they_count() -> None:
    written = [json.loads(write(a_draft(sequence=n), "one", 7, NOW))["sequence"] for n in (1, 9, 10, 123456)]
    assert written == ["0000000001", "0000000009", "0000000010", "0000123456"] == sorted(written)


@pytest.mark.parametrize("sequence", ["1", "00000000001", "000000000a", "", 1])
def test_a_version_of_another_form_is_refused(sequence: object) -> None:
    assert unreadable(lambda: Envelope.read(a_body(sequence=sequence))) == "not-an-envelope"


def test_the_bytes_are_cloudevents_in_structured_mode() -> None:
    assert json.loads(write(a_draft(), "one", 7, NOW)) == {
        "specversion": "1.0",
        "id": IDS[0],
        "source": "/agencies/one/units/desk-74.01",
        "type": "id.tppo.referral.reminder.v1",
        "subject": IDS[1],
        "time": "2026-11-23T04:05:06.000789Z",
        "datacontenttype": "application/json",
        "dataschema": "urn:estafet:schema:id.tppo.referral.reminder.v1",
        "partitionkey": IDS[2],
        "sequence": "0000000003",
        "link": "one>two",
        "linkseq": 7,
        "region": "74.01",
        "data": {"referral_id": IDS[1], "victim_id": IDS[2], "occurred_at": "2026-11-23T04:05:06.000789Z"},
    }


UUIDS = st.uuids(version=4).map(lambda u: f"{str(u)[:14]}7{str(u)[15:]}")
REGIONS = st.from_regex(r"\A(?:[1-9][0-9](\.[0-9]{2})?|00\.[A-Z]{2})\Z")
NAMES = st.from_regex(r"\A[a-z][a-z0-9]{0,12}(-[a-z0-9]{1,6})?\Z")
MOMENTS = st.datetimes(datetime(1900, 1, 2), datetime(8999, 12, 30), timezones=st.just(UTC))
TRACES = st.from_regex(r"\A00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]\Z")
REFERRAL_IDS = {"referral_id": UUIDS, "victim_id": UUIDS, "occurred_at": MOMENTS}
DATA = st.one_of(
    st.builds(e.Started, **REFERRAL_IDS),
    st.builds(e.InformationProvided, **REFERRAL_IDS, sealed=st.none() | st.text()),
    st.builds(
        e.CaseOpened,
        case_id=UUIDS,
        unit=st.builds(UnitRef, agency=NAMES, unit=NAMES, region=REGIONS),
        channel=NAMES,
        destination=st.none() | st.just("KH"),
        occurred_at=MOMENTS,
    ),
    st.builds(e.LinkWitnessed, link=st.just("one>two"), through=st.integers()),
)


def filed_under_its_victim(draft: Draft) -> Draft:
    return replace(draft, victim_id=getattr(draft.data, "victim_id", draft.victim_id))


@given(
    st.builds(
        Draft,
        id=UUIDS,
        data=DATA,
        receiver=NAMES,
        unit=NAMES,
        region=REGIONS,
        victim_id=st.none() | UUIDS,
        sequence=st.none() | st.integers(0, 10**10 - 1),
        causation_id=st.none() | UUIDS,
        basis=st.none() | st.sampled_from(LegalBasis),
        traceparent=st.none() | TRACES,
    ).map(filed_under_its_victim),
    NAMES,
    st.none() | st.integers(1, 2**63 - 1),
    MOMENTS,
)
def test_what_was_written_is_what_is_read(draft: Draft, sender: str, linkseq: int | None, at: datetime) -> None:
    read = Envelope.read(write(draft, sender, linkseq, at))
    assert (read.id, read.sender, read.receiver, read.time) == (draft.id, sender, draft.receiver, at)
    assert (read.linkseq, read.version, read.region) == (linkseq, draft.sequence, draft.region)
    assert (read.partitionkey, read.causationid, read.basis) == (draft.victim_id, draft.causation_id, draft.basis)
    assert (read.traceparent, read.content()) == (draft.traceparent, draft.data)
    assert read.nats_subject == subject(sender, draft.receiver, type(draft.data), draft.region)
