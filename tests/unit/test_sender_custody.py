"""What the receiver of a transfer, and coordination, know about the custody of its sender."""

from typing import Any

import pytest

from shared.contracts import events as e
from shared.contracts.codes import CustodyFinding, FailReason, Outcome, RefusalReason, RejectReason, SenderCustody
from shared.contracts.types import Custody
from shared.domain.access import Role
from shared.domain.refusal import Refused
from shared.domain.sender_custody import (
    check_giving_back,
    check_sender_custody,
    custody_finding,
    first_known,
    heard,
    is_taken_back,
    known_now,
)
from shared.reference.office import new_id
from tests.support.referrals import NOW, a_referral


def link(agency: str, seq: int) -> Custody:
    return Custody(agency=agency, unit=f"{agency}-desk", region="74.01", seq=seq)


@pytest.mark.parametrize(
    ("newest", "custody_seq", "on_its_way", "expected"),
    [
        (None, 2, False, "unknown"),
        (link("police", 1), 2, False, "confirmed"),
        (link("kemensos", 1), 2, False, "contested"),
        (link("police", 2), 2, False, "contested"),
        (link("kemensos", 3), 2, False, "contested"),
        (link("kemensos", 1), 3, False, "unconfirmed"),
        (link("kemensos", 1), 3, True, "unknown"),
        (link("police", 1), 3, False, "unknown"),
        (link("kemensos", 1), 10_000, False, "unconfirmed"),
    ],
)
def test_coordination_finds_what_its_chain_says_of_an_offer_by_the_police(
    newest: Custody | None, custody_seq: int, on_its_way: bool, expected: str
) -> None:
    assert custody_finding(newest, "police", custody_seq, on_its_way) == CustodyFinding(expected)


@pytest.mark.parametrize(
    ("newest", "at_first", "when_accepted"),
    [
        (None, "unknown", "unknown"),
        (link("police", 1), "unknown", "unknown"),
        (link("police", 2), "known-here", "known-here"),
        (link("kemensos", 2), "unknown", "contested"),
        (link("police", 3), "unknown", "contested"),
        (link("kemenpppa", 7), "unknown", "contested"),
    ],
)
def test_our_own_chain_is_asked_at_the_request_and_again_at_the_acceptance(
    newest: Custody | None, at_first: str, when_accepted: str
) -> None:
    assert first_known(newest, "police", 3) == SenderCustody(at_first)
    assert known_now(SenderCustody.UNKNOWN, newest, "police", 3) == SenderCustody(when_accepted)


def test_a_weaker_word_changes_nothing() -> None:
    rising = ["unknown", "unconfirmed", "known-here", "confirmed", "contested"]
    for place, before in enumerate(rising):
        for finding in CustodyFinding:
            expected = rising[max(place, rising.index(finding))]
            assert heard(SenderCustody(before), finding) == SenderCustody(expected)


@pytest.mark.parametrize("known", ["contested", "unconfirmed"])
def test_what_speaks_against_a_transfer_is_overruled_by_a_supervisor_with_a_reason(known: str) -> None:
    for role, note, code in (
        (Role.OFFICER, "Gugus tugas dihubungi.", "custody-contested"),
        (Role.SUPERVISOR, None, "note-required"),
        (Role.SUPERVISOR, " … ", "note-required"),
    ):
        with pytest.raises(Refused, match=code):
            check_sender_custody(SenderCustody(known), role, note)
    check_sender_custody(SenderCustody(known), Role.SUPERVISOR, "Gugus tugas dihubungi.")


@pytest.mark.parametrize("known", ["unknown", "known-here", "confirmed"])
def test_nothing_speaks_against_any_other_transfer(known: str) -> None:
    check_sender_custody(SenderCustody(known), Role.OFFICER, None)


@pytest.mark.parametrize("known", ["contested", "unconfirmed"])
def test_a_doubted_link_is_given_back_by_a_supervisor_with_a_reason(known: str) -> None:
    for role, note, code in (
        (Role.OFFICER, "Korban tidak pernah datang.", "supervisor-gives-back"),
        (Role.SUPERVISOR, None, "note-required"),
        (Role.SUPERVISOR, " … ", "note-required"),
    ):
        with pytest.raises(Refused, match=code):
            check_giving_back(SenderCustody(known), role, note)
    check_giving_back(SenderCustody(known), Role.SUPERVISOR, "Korban tidak pernah datang.")


@pytest.mark.parametrize("known", ["unknown", "known-here", "confirmed"])
def test_a_link_that_nothing_speaks_against_is_not_given_back(known: str) -> None:
    with pytest.raises(Refused, match="custody-not-contested"):
        check_giving_back(SenderCustody(known), Role.SUPERVISOR, "Korban tidak pernah datang.")


def test_custody_is_taken_back_by_what_the_receiver_says_next_and_by_nothing_else() -> None:
    held = a_referral("accepted", custody_seq=2, version=3)
    named: dict[str, Any] = {"referral_id": held.id, "victim_id": held.victim_id, "occurred_at": NOW}
    back = e.Rejected(**named, reason=RejectReason.SENDER_WITHOUT_CUSTODY)
    started, done = e.Started(**named), e.Completed(**named, outcome=Outcome.SERVICE_PROVIDED)
    assert is_taken_back(held, [(4, back)]) and is_taken_back(held, [(5, back), (4, started)])
    assert not is_taken_back(held, [])
    assert not is_taken_back(held, [(5, back)])  # a version is missing
    assert not is_taken_back(held, [(4, started), (5, done), (6, back)])  # the outcome stands
    assert not is_taken_back(held, [(4, back.model_copy(update={"reason": RejectReason.NO_CAPACITY}))])
    assert not is_taken_back(held, [(4, None)])


def test_a_cancellation_that_the_sender_asks_for_in_between_bars_no_way_back() -> None:
    held = a_referral("accepted", custody_seq=2, version=3)
    named: dict[str, Any] = {"referral_id": held.id, "victim_id": held.victim_id, "occurred_at": NOW}
    back = e.Rejected(**named, reason=RejectReason.SENDER_WITHOUT_CUSTODY)
    refused = [e.CancellationRefused(**named, ask_id=new_id(), reason=RefusalReason.CUSTODY_MOVED) for _ in range(2)]
    granted = e.Failed(**named, ask_id=new_id(), reason=FailReason.CANCELLATION_GRANTED)
    assert is_taken_back(held, [(4, refused[0]), (5, back)])
    assert is_taken_back(held, [(4, refused[0]), (5, e.Started(**named)), (6, refused[1]), (7, back)])
    assert not is_taken_back(held, [(4, refused[0]), (6, back)])  # a version is missing
    assert not is_taken_back(held, [(4, e.Started(**named)), (5, granted), (6, back)])  # nobody cancels moved custody
