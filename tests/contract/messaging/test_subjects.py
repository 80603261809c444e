"""The subjects of the broker: their matches, and their readers."""

import pytest

from shared.contracts import events as e
from shared.contracts.events import CATALOGUE, EventData
from shared.contracts.subjects import EVERYTHING, addressed_to, in_province, region_parts, subject


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
