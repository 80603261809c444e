"""The wire: what an event looks like, what it may never hold, how it may grow, and who can have signed it."""

import base64
import copy
import json
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic.types import StringConstraints

import shared.contracts
from shared.contracts import events as e
from shared.contracts.codes import Exploitation, LegalBasis, ReceiptOutcome
from shared.contracts.envelope import MAX_BODY, Draft, Envelope, Unreadable, write
from shared.contracts.events import CATALOGUE, EventData
from shared.contracts.schemas import golden_text, schema_of
from shared.contracts.subjects import EVERYTHING, addressed_to, in_province, region_tokens, subject
from shared.contracts.types import DeskRef, UnitRef, Value, VictimFacts
from shared.security.keys import KeyDirectory, SigningKey, Untrusted

GOLDEN = Path(str(shared.contracts.__file__)).with_name("golden")
NOW = datetime(2026, 11, 23, 4, 5, 6, 789, tzinfo=UTC)
IDS = [f"01900000-0000-7000-8000-{number:012x}" for number in range(9)]


def an_event() -> e.Reminder:
    return e.Reminder(referral_id=IDS[1], victim_id=IDS[2], occurred_at=NOW)


def a_draft(data: EventData | None = None, **more: Any) -> Draft:
    data = data or an_event()
    fields: dict[str, Any] = {
        "id": IDS[0],
        "data": data,
        "victim_id": getattr(data, "victim_id", None),
        "receiver": "two",
        "unit": "desk-74.01",
        "region": "74.01",
        "sequence": 3,
    }
    return Draft(**fields | more)


def a_body(**changes: Any) -> bytes:
    """A good body with some attributes changed; None takes one away."""
    attributes = json.loads(write(a_draft(), "one", 7, NOW)) | changes
    return json.dumps({name: value for name, value in attributes.items() if value is not None}).encode()


def unreadable(read: Callable[[], object]) -> str:
    with pytest.raises(Unreadable) as refused:
        read()
    assert str(refused.value) == refused.value.reason
    return refused.value.reason


# --- golden schemas -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_golden_schema_is_the_code(name: str) -> None:
    golden = (GOLDEN / f"{name}.json").read_text(encoding="utf-8")
    assert golden == golden_text(CATALOGUE[name]), "python -m shared.service.commands schemas, if it was meant"


def test_no_golden_schema_is_left_over() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {f"{name}.json" for name in CATALOGUE}


Schema = dict[str, Any]


def breaks(old: Schema, new: Schema) -> list[str]:
    """What in ``new`` would make an event written by ``old`` unreadable, or hide something an old reader needs.

    The one rule of evolution: a field may be added if nobody has to send it, and a vocabulary may grow.
    """
    return list(_breaks(old, new, old, new, ""))


def _breaks(old: Schema, new: Schema, old_root: Schema, new_root: Schema, at: str) -> Iterator[str]:
    old, new = _resolve(old, old_root), _resolve(new, new_root)
    for field in sorted(set(new.get("required", [])) - set(old.get("required", []))):
        yield f"{at}/{field}: newly required"
    for field in sorted(set(old.get("required", [])) - set(new.get("required", []))):
        yield f"{at}/{field}: no longer certain"
    for word in ("type", "const", "format", "pattern", "maxLength", "minimum", "maximum"):
        if old.get(word) != new.get(word):
            yield f"{at}: {word} was {old.get(word)!r}, is {new.get(word)!r}"
    for code in sorted(set(old.get("enum", [])) - set(new.get("enum", []))):
        yield f"{at}: {code} is no longer a code"
    if "enum" in new and "enum" not in old:
        yield f"{at}: a vocabulary was closed"
    for name, before in old.get("properties", {}).items():
        if name not in new.get("properties", {}):
            yield f"{at}/{name}: removed"
        else:
            yield from _breaks(before, new["properties"][name], old_root, new_root, f"{at}/{name}")
    if len(old.get("anyOf", [])) != len(new.get("anyOf", [])):
        yield f"{at}: other alternatives"
    for before, now in zip(old.get("anyOf", []), new.get("anyOf", []), strict=False):
        yield from _breaks(before, now, old_root, new_root, at)


def _resolve(schema: Schema, root: Schema) -> Schema:
    if "$ref" not in schema:
        return schema
    return dict(root["$defs"][schema["$ref"].removeprefix("#/$defs/")])


def test_the_catalogue_has_only_grown() -> None:
    """Against the committed text, so that this still speaks when somebody regenerates it carelessly in between."""
    for name, event in CATALOGUE.items():
        assert breaks(json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8")), schema_of(event)) == []


def _drop(schema: Schema) -> None:
    del schema["properties"]["data"]["properties"]["custody_seq"]


def _retype(schema: Schema) -> None:
    schema["properties"]["data"]["properties"]["forced"]["type"] = "string"


def _require(schema: Schema) -> None:
    schema["properties"]["data"]["properties"]["mood"] = {"type": "string"}
    schema["properties"]["data"]["required"].append("mood")


def _loosen(schema: Schema) -> None:
    schema["properties"]["data"]["required"].remove("due_at")


def _narrow(schema: Schema) -> None:
    schema["$defs"]["Priority"]["enum"].remove("asap")


def _repattern(schema: Schema) -> None:
    schema["$defs"]["UnitRef"]["properties"]["region"]["pattern"] = "^[0-9]+$"


def _close(schema: Schema) -> None:
    schema["properties"]["data"]["properties"]["service"]["enum"] = ["care"]


def _envelope(schema: Schema) -> None:
    del schema["properties"]["linkseq"]


def _nothing_but_null(schema: Schema) -> None:
    schema["properties"]["data"]["properties"]["replaces"]["anyOf"].pop(0)


BREAKS: dict[Callable[[Schema], None], str] = {
    _drop: "/data/custody_seq: removed",
    _retype: "/data/forced: type was 'boolean', is 'string'",
    _require: "/data/mood: newly required",
    _loosen: "/data/due_at: no longer certain",
    _narrow: "/data/priority: asap is no longer a code",
    _repattern: "/data/sender/region: pattern was",
    _close: "/data/service: a vocabulary was closed",
    _envelope: "/linkseq: removed",
    _nothing_but_null: "/data/replaces: other alternatives",
}


@pytest.mark.parametrize("change", BREAKS, ids=lambda change: change.__name__.strip("_"))
def test_a_change_that_would_break_a_reader_is_named(change: Callable[[Schema], None]) -> None:
    old = schema_of(e.Requested)
    new = copy.deepcopy(old)
    change(new)
    assert any(found.startswith(BREAKS[change]) for found in breaks(old, new)), breaks(old, new)


def test_an_optional_field_and_a_new_code_break_nobody() -> None:
    old = schema_of(e.Requested)
    new = copy.deepcopy(old)
    new["properties"]["data"]["properties"]["mood"] = {"type": "string"}
    new["$defs"]["Priority"]["enum"].append("whenever")
    assert breaks(old, new) == []


# --- nothing that can identify a person -----------------------------------------------------------------------

SEALED = {"sealed"}
"""Ciphertext: the one text of an event that no vocabulary or form constrains."""


def texts_of(model: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    """Every leaf of a model that is a text: its name and what constrains it, or None."""
    for name, info in model.model_fields.items():
        yield from _texts(name, info.annotation, _pattern(info))


def _texts(name: str, kind: Any, pattern: Any) -> Iterator[tuple[str, Any]]:
    if get_origin(kind) in (typing.Union, types.UnionType):
        for part in get_args(kind):
            yield from _texts(name, part, pattern)
    elif get_origin(kind) is typing.Annotated:
        inner, *marks = get_args(kind)
        found = next((m.pattern for m in marks if isinstance(m, StringConstraints)), pattern)
        yield from _texts(name, inner, found)
    elif get_origin(kind) is not None:
        for part in get_args(kind):
            yield from _texts(name, part, pattern)
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        yield from texts_of(kind)
    elif isinstance(kind, type) and issubclass(kind, StrEnum):
        yield name, kind
    elif kind is str or kind is typing.Any or kind is dict:
        yield name, pattern


def _pattern(info: FieldInfo) -> Any:
    return next((mark.pattern for mark in info.metadata if getattr(mark, "pattern", None)), None)


@pytest.mark.parametrize("name", CATALOGUE)
def test_no_event_has_room_for_free_text(name: str) -> None:
    free = {field for field, constraint in texts_of(CATALOGUE[name]) if constraint is None}
    assert free <= SEALED


def test_a_field_of_free_text_would_be_found() -> None:
    class Careless(Value):
        note: str | None = None
        names: tuple[str, ...] = ()
        sealed: str | None = None
        code: Exploitation

    assert {field for field, constraint in texts_of(Careless) if constraint is None} == {"note", "names", "sealed"}


@pytest.mark.parametrize(
    "text", ["Siti Nurhaliza", "3171234567890123", "+62 812 3456 7890", "Jl. Melati 3", "siti\nnur", "SITI", ""]
)
def test_neither_a_code_nor_a_digest_nor_a_link_can_hold_a_name(text: str) -> None:
    for make in (
        lambda: e.ReceiptRecorded(event_id=IDS[0], sha256=text, linkseq=1, outcome=ReceiptOutcome.APPLIED),
        lambda: e.LinkWitnessed(link=text, through=1),
        lambda: DeskRef(agency=text, unit="desk"),
        lambda: DeskRef(agency="one", unit=text),
        lambda: VictimFacts.model_validate({"age_class": "adult", "sex": "male", "home_region": text}),
        lambda: e.Reminder(referral_id=text, victim_id=IDS[1], occurred_at=NOW),
    ):
        with pytest.raises(ValidationError):
            make()


@pytest.mark.parametrize(
    "field", ["basis", "traceparent", "link", "source", "type", "region", "sequence", "partitionkey", "causationid"]
)
def test_no_attribute_of_an_envelope_is_free_text(field: str) -> None:
    assert unreadable(lambda: Envelope.read(a_body(**{field: "Siti Nurhaliza"}))) == "not-an-envelope"


# --- the envelope ---------------------------------------------------------------------------------------------


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


def padded(length: int) -> bytes:
    return a_body(padding="x" * (length - len(a_body(padding=""))))


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


# --- subjects -------------------------------------------------------------------------------------------------


def matches(pattern: str, name: str) -> bool:
    """Whether a NATS subject matches: ``*`` is one token, ``>`` at the end is one or more."""
    wanted, given = pattern.split("."), name.split(".")
    for at, token in enumerate(wanted):
        if token == ">":
            return len(given) > at
        if at >= len(given) or token not in ("*", given[at]):
            return False
    return len(wanted) == len(given)


def test_the_matcher_is_the_brokers() -> None:
    assert matches("a.*.>", "a.b.c") and matches("a.>", "a.b.c") and matches("a.*", "a.b")
    assert not matches("a.*", "a.b.c") and not matches("a.b.>", "a.b") and not matches("a.b", "a.c")


@pytest.mark.parametrize(
    ("region", "tokens"), [("74", "74.00"), ("74.01", "74.01"), ("00.KH", "00.KH"), ("00.ID", "00.ID")]
)
def test_a_region_is_two_tokens(region: str, tokens: str) -> None:
    assert region_tokens(region) == tokens
    assert subject("one", "two", e.Requested, region) == f"tppo.one.two.referral.requested.{tokens}"


@pytest.mark.parametrize("event", CATALOGUE.values(), ids=CATALOGUE)
@pytest.mark.parametrize("region", ["74", "74.01", "75", "75.74", "00.KH", "00.ID"])
def test_a_province_follows_itself_and_nobody_else(event: type[EventData], region: str) -> None:
    name = subject("one", "two", event, region)
    assert matches(in_province("74"), name) is (region in ("74", "74.01"))
    assert matches(EVERYTHING, name)


def test_a_member_reads_its_own_mail_and_what_is_for_all() -> None:
    def reads(member: str, to: str) -> bool:
        return any(matches(filter_, subject("one", to, e.Started, "74")) for filter_ in addressed_to(member))

    assert reads("two", "two") and reads("two", "all")
    assert not reads("two", "three") and not reads("one", "two")


# --- signatures -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def keys() -> dict[str, SigningKey]:
    return {agency: SigningKey.generate(f"{agency}-1") for agency in ("one", "two")}


@pytest.fixture(scope="module")
def directory(keys: dict[str, SigningKey]) -> KeyDirectory:
    return KeyDirectory.of(key.public_jwk(agency) for agency, key in keys.items())


def untrusted(directory: KeyDirectory, body: bytes, signature: str | None) -> str:
    with pytest.raises(Untrusted) as refused:
        directory.verify(body, signature)
    return refused.value.reason


def test_a_signature_names_the_agency_that_signed_these_bytes(
    keys: dict[str, SigningKey], directory: KeyDirectory
) -> None:
    for agency, key in keys.items():
        assert directory.verify(a_body(), key.sign(a_body())) == agency


@given(st.data())
def test_one_flipped_bit_breaks_the_signature(
    keys: dict[str, SigningKey], directory: KeyDirectory, data: st.DataObject
) -> None:
    body = a_body()
    signature = keys["one"].sign(body)
    at = data.draw(st.integers(0, len(body) * 8 - 1))
    flipped = bytearray(body)
    flipped[at // 8] ^= 1 << at % 8
    assert untrusted(directory, bytes(flipped), signature) == "wrong-signature"


def test_the_same_json_in_other_bytes_is_not_what_was_signed(
    keys: dict[str, SigningKey], directory: KeyDirectory
) -> None:
    body = write(a_draft(), "one", 7, NOW)
    again = json.dumps(json.loads(body)).encode()
    assert json.loads(again) == json.loads(body)
    assert untrusted(directory, again, keys["one"].sign(body)) == "wrong-signature"


def test_one_agencys_key_does_not_speak_for_another(keys: dict[str, SigningKey], directory: KeyDirectory) -> None:
    forged = keys["two"].sign(a_body()).replace("two-1;", "one-1;")
    assert untrusted(directory, a_body(), forged) == "wrong-signature"
    stranger = SigningKey.generate("one-1").sign(a_body())
    assert untrusted(directory, a_body(), stranger) == "wrong-signature"
    assert untrusted(directory, a_body(), SigningKey.generate("one-2").sign(a_body())) == "unknown-key"


GOOD = base64.b64encode(bytes(64)).decode()


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, "unsigned"),
        ("", "unsigned"),
        ("one-1;not base64!", "malformed-signature"),
        ("one-1;AAA", "malformed-signature"),
        ("one-1;Siti é", "malformed-signature"),
        ("one-1", "wrong-signature"),
        ("one-1;", "wrong-signature"),
        ("one-1;AAAA", "wrong-signature"),
        (f"one-1;{GOOD}", "wrong-signature"),
        (f"one-1;{GOOD};{GOOD}", "malformed-signature"),
        (f";{GOOD}", "unknown-key"),
        (f"ONE-1;{GOOD}", "unknown-key"),
    ],
)
def test_a_malformed_header_proves_nothing(directory: KeyDirectory, header: str | None, reason: str) -> None:
    assert untrusted(directory, a_body(), header) == reason
