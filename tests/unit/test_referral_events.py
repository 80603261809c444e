"""Automatic answers of each side of a referral, and the events that it believes of the other side."""

from contextlib import suppress

import pytest

from shared.contracts import events as e
from shared.contracts.codes import (
    CancellationReason,
    FailReason,
    HoldReason,
    Outcome,
    RefusalReason,
    RejectReason,
    Status,
)
from shared.domain.commands import Command
from shared.domain.referral import (
    MOVES,
    STATUS_BEFORE,
    Referral,
    Side,
    custody_on_acceptance,
    evolve,
    fault,
    open_referral,
    react,
)
from shared.domain.referral_commands import AnswerCancellation, Receive
from shared.domain.refusal import Refused
from tests.support.referrals import (
    ASK,
    COMMANDS,
    CUSTODY_MOVED,
    ENDS,
    GRANT,
    NOW,
    OTHER_ASK,
    a_referral,
    a_request,
    an_event,
    asked,
    only,
)

# --- what the receiver's service answers by itself --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "for_a_referral", "for_a_transfer"),
    [
        ("requested", GRANT, GRANT),
        ("received", GRANT, GRANT),
        ("accepted", GRANT, CUSTODY_MOVED),
        ("in-progress", None, CUSTODY_MOVED),
        ("on-hold", None, CUSTODY_MOVED),
        ("completed", None, None),
        ("rejected", None, None),
        ("failed", None, None),
        ("cancelled", None, None),
    ],
)
def test_a_cancellation_is_answered_without_a_person_where_the_answer_is_plain(
    status: str, for_a_referral: Command | None, for_a_transfer: Command | None
) -> None:
    for custody_seq, answer in ((None, for_a_referral), (2, for_a_transfer)):
        before = a_referral(status, custody_seq=custody_seq)
        ask = an_event(e.CancellationRequested, before, ask_id=ASK, reason=CancellationReason.NOT_NEEDED)
        assert react(evolve(before, ask), ask) == answer


def test_a_request_is_taken_note_of_and_other_asks_need_no_answer() -> None:
    request = a_request(custody_seq=None)
    assert react(open_referral(request), request) == Receive()
    for name in ("inform", "remind"):
        assert react(asked("received"), only(asked("received"), COMMANDS[name])) is None
    assert react(asked("received"), an_event(e.Accepted, asked("received"))) is None


def test_version_one_is_what_the_sender_asked_for() -> None:
    request = a_request(custody_seq=3, replaces=ASK, forced=True)
    opened = open_referral(request)
    for name in ("case_id", "victim_id", "kind", "service", "priority", "sender", "receiver", "due_at"):
        assert getattr(opened, name) == getattr(request, name)
    assert (opened.id, opened.requested_at) == (request.referral_id, NOW)
    assert (opened.custody_seq, opened.replaces, opened.forced) == (3, ASK, True)
    assert (opened.status, opened.version, opened.asks, opened.ask_id) == (Status.REQUESTED, 1, 0, None)


# --- what the other side believes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "code"),
    [(None, "version-missing"), (1, "version-conflict"), (4, "version-conflict"), (5, None), (6, "version-gap")],
)
def test_a_version_follows_the_one_before(version: int | None, code: str | None) -> None:
    assert fault(a_referral("received"), an_event(e.Accepted, a_referral()), version) == code


def events_of_the_receiver(referral: Referral) -> list[e.ReferralEvent]:
    """One of each, as the rules would write them if they could."""
    return [
        an_event(e.Received, referral),
        an_event(e.Accepted, referral, custody=custody_on_acceptance(referral)),
        an_event(e.Rejected, referral, reason=RejectReason.DUPLICATE),
        an_event(e.Started, referral),
        an_event(e.Held, referral, reason=HoldReason.NO_SHOW),
        an_event(e.Resumed, referral),
        an_event(e.Completed, referral, outcome=Outcome.NOT_NEEDED),
        an_event(e.Failed, referral, reason=FailReason.NO_SHOW),
        an_event(e.Failed, referral, reason=FailReason.CANCELLATION_GRANTED, ask_id=ASK),
        an_event(e.Cancelled, referral, ask_id=ASK),
        an_event(e.CancellationRefused, referral, ask_id=ASK, reason=RefusalReason.CUSTODY_MOVED),
    ]


Kinds = list[tuple[type[e.EventData], bool]]
"""Types of events, each with whether it grants a cancellation at work."""


def kind_of(event: e.EventData) -> tuple[type[e.EventData], bool]:
    return type(event), getattr(event, "reason", None) is FailReason.CANCELLATION_GRANTED


def lawful(referral: Referral) -> Kinds:
    """The moves that the receiver's own rules would allow from here."""
    refuse = AnswerCancellation(granted=False, reason=RefusalReason.CUSTODY_MOVED)
    made: Kinds = []
    for command in [*COMMANDS.values(), refuse]:
        if MOVES[type(command)].side is Side.RECEIVER:
            with suppress(Refused):
                made.append(kind_of(only(referral, command)))
    return sorted(made, key=str)


@pytest.mark.parametrize("custody_seq", [None, 2], ids=["referral", "transfer"])
@pytest.mark.parametrize(
    ("status", "ask_id"),
    [(status, ask_id) for status in Status for ask_id in (None, ASK) if not (status in ENDS and ask_id)],
)
def test_the_other_side_believes_exactly_what_the_rules_would_write(
    status: Status, ask_id: str | None, custody_seq: int | None
) -> None:
    referral = a_referral(status, ask_id=ask_id, custody_seq=custody_seq)
    believed = [kind_of(event) for event in events_of_the_receiver(referral) if fault(referral, event, 5) is None]
    assert sorted(believed, key=str) == lawful(referral)


def test_status_before_agrees_with_the_moves() -> None:
    derived: dict[type[e.EventData], set[Status]] = {}
    for status in Status:
        for kind, _ in lawful(asked(status)):
            derived.setdefault(kind, set()).add(status)
    assert derived == {kind: set(since) for kind, since in STATUS_BEFORE.items()}


@pytest.mark.parametrize("status", ["received", "on-hold"])
def test_an_answer_nobody_asked_for_waits_for_its_ask(status: str) -> None:
    referral = a_referral(status)
    refused = an_event(e.CancellationRefused, referral, ask_id=ASK, reason=RefusalReason.OTHER)
    assert fault(referral, refused, 5) == "unknown-ask"
    assert fault(asked(status, ask_id=OTHER_ASK), refused, 5) == "unknown-ask"
    assert fault(asked(status), refused, 5) is None


def test_a_granted_cancellation_names_its_ask() -> None:
    granted = an_event(e.Failed, asked("on-hold"), reason=FailReason.CANCELLATION_GRANTED)
    for referral in (asked("on-hold"), a_referral("on-hold")):
        assert fault(referral, granted, 5) == "unknown-ask"


def test_an_ask_waits_for_the_version_it_was_made_of() -> None:
    ask = an_event(e.CancellationRequested, a_referral(), ask_id=ASK, reason=CancellationReason.OTHER)
    for version, code in ((None, None), (1, None), (4, None), (5, "version-gap")):
        assert fault(a_referral(), ask, version) == code


@pytest.mark.parametrize("field", ["agency", "unit", "region", "seq", None])
def test_custody_goes_only_where_it_was_offered(field: str | None) -> None:
    transfer = a_referral("received", custody_seq=2)
    offered = custody_on_acceptance(transfer)
    assert offered is not None
    taken = {"agency": "three", "unit": "desk-z", "region": "11.01", "seq": 3}
    other = None if field is None else offered.model_copy(update={field: taken[field]})
    assert fault(transfer, an_event(e.Accepted, transfer, custody=offered), 5) is None
    assert fault(transfer, an_event(e.Accepted, transfer, custody=other), 5) == "custody-not-offered"
    plain = a_referral("received")
    assert fault(plain, an_event(e.Accepted, plain, custody=offered), 5) == "custody-not-offered"
