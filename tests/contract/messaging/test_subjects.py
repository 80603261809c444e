"""The subjects of the broker: their matches, and their readers."""

import pytest

from shared.contracts import events as e
from shared.contracts.events import CATALOGUE, EventData
from shared.contracts.subjects import EVERYTHING, addressed_to, declared_words, in_province, region_parts, subject


def matches(pattern: str, name: str) -> bool:
    """Whether a NATS subject matches: ``*`` is one part, ``>`` at the end is one or more."""
    wanted, given = pattern.split("."), name.split(".")
    for at, part in enumerate(wanted):
        if part == ">":
            return len(given) > at
        if at >= len(given) or part not in ("*", given[at]):
            return False
    return len(wanted) == len(given)


def test_the_matcher_is_the_brokers() -> None:
    assert matches("a.*.>", "a.b.c") and matches("a.>", "a.b.c") and matches("a.*", "a.b")
    assert not matches("a.*", "a.b.c") and not matches("a.b.>", "a.b") and not matches("a.b", "a.c")


@pytest.mark.parametrize(
    ("region", "parts"), [("74", "74.00"), ("74.01", "74.01"), ("00.KH", "00.KH"), ("00.ID", "00.ID")]
)
def test_a_region_is_two_parts(region: str, parts: str) -> None:
    assert region_parts(region) == parts
    assert subject("one", "two", e.Requested, region) == f"tppo.one.two.referral.requested.{parts}"


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


REGIONS = ("74", "74.01", "00.KH")


@pytest.mark.parametrize("event", CATALOGUE.values(), ids=CATALOGUE)
@pytest.mark.parametrize("region", REGIONS)
def test_a_subject_of_ours_has_only_declared_words(event: type[EventData], region: str) -> None:
    for receiver in ("two", "all"):
        name = subject("one", receiver, event, region)
        assert declared_words(name, {"one", "two"}, {"one", "two", "all"}, REGIONS.__contains__) == name


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("tppo.one.two.referral.kenari.74.01", "tppo.one.two.?.?.74.01"),
        ("tppo.one.two.victim.requested.74.01", "tppo.one.two.?.?.74.01"),  # of two declared words no declared pair
        ("tppo.one.two.referral.requested.31.71", "tppo.one.two.referral.requested.?.?"),
        ("tppo.one.two.referral.requested.74.3171234567890123", "tppo.one.two.referral.requested.?.?"),
        ("tppo.one.two.referral.requested.74.01.more", "tppo.one.two.?.?.?.?"),
        ("tppo.one.kenari.referral.requested.74.01", "tppo.one.?.referral.requested.74.01"),
        ("tppo.all.two.referral.requested.74.01", "tppo.?.two.referral.requested.74.01"),
        ("tppo.one", "tppo.one.?.?.?.?.?"),
        ("kenari.one.two.referral.requested.74.01", "tppo.?.?.referral.requested.74.01"),
        ("", "tppo.?.?.?.?.?.?"),
    ],
)
def test_of_a_subject_of_another_only_the_declared_words_are_kept(name: str, kept: str) -> None:
    assert declared_words(name, {"one", "two"}, {"one", "two", "all"}, REGIONS.__contains__) == kept
