"""Every command in every status, and what the rules answer: the table of DESIGN section 3, cell by cell."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.contracts import events as e
from shared.contracts.codes import (
    AgeClass,
    BusinessStatus,
    CancellationReason,
    FailReason,
    HoldReason,
    InformationKind,
    Kind,
    NormGap,
    Outcome,
    Priority,
    RefusalReason,
    RejectReason,
    Sex,
    Status,
)
from shared.contracts.types import Custody, DeskRef, UnitRef, VictimFacts
from shared.domain import commands as c
from shared.domain.referral import (
    MOVES,
    STATUS_BEFORE,
    Referral,
    Side,
    business_status,
    custody_has_moved,
    custody_on_acceptance,
    decide,
    evolve,
    fault,
    is_overdue,
    open_referral,
    react,
)
from shared.domain.refusal import Refused

NOW = datetime(2026, 11, 23, 4, 5, 6, tzinfo=UTC)
ASK = "01900000-0000-7000-8000-0000000000aa"
OTHER_ASK = "01900000-0000-7000-8000-0000000000bb"
SENDER = UnitRef(agency="one", unit="desk-a", region="74.01")
RECEIVER = UnitRef(agency="two", unit="desk-b", region="74.02")
AT_WORK = (Status.IN_PROGRESS, Status.ON_HOLD)
ENDS = (Status.COMPLETED, Status.REJECTED, Status.FAILED, Status.CANCELLED)

COMMANDS: dict[str, c.Command] = {
    "receive": c.Receive(),
    "accept": c.Accept(),
    "reject": c.Reject(reason=RejectReason.NO_CAPACITY),
    "start": c.Start(),
    "hold": c.Hold(reason=HoldReason.NO_SHOW),
    "resume": c.Resume(),
    "complete": c.Complete(outcome=Outcome.SERVICE_PROVIDED),
    "fail": c.Fail(reason=FailReason.CANNOT_LOCATE),
    "grant": c.AnswerCancellation(granted=True),
    "ask": c.RequestCancellation(ask_id=OTHER_ASK, reason=CancellationReason.NOT_NEEDED),
    "inform": c.ProvideInformation(about=InformationKind.TRAVEL),
    "remind": c.Remind(),
}

# "." the status stays; "-" move-not-allowed; "x" referral-ended; "asked" cancellation-already-asked.
# In every live row a cancellation has been asked for and waits, so that there is something to grant.
TABLE = """
            receive  accept   reject   start       hold    resume      complete  fail   grant     ask   inform remind
requested   received -        -        -           -       -           -         -      -         asked .      .
received    -        accepted rejected -           -       -           -         -      cancelled asked .      .
accepted    -        -        -        in-progress -       -           -         -      cancelled asked .      .
in-progress -        -        -        -           on-hold -           completed failed failed    asked .      .
on-hold     -        -        -        -           -       in-progress completed failed failed    asked .      .
completed   x        x        x        x           x       x           x         x      x         x     x      x
rejected    x        x        x        x           x       x           x         x      x         x     x      x
failed      x        x        x        x           x       x           x         x      x         x     x      x
cancelled   x        x        x        x           x       x           x         x      x         x     x      x
"""
REFUSALS = {"-": "move-not-allowed", "x": "referral-ended", "asked": "cancellation-already-asked"}
HEAD, *ROWS = (line.split() for line in TABLE.strip().splitlines())
CELLS = [(row[0], name, cell) for row in ROWS for name, cell in zip(HEAD, row[1:], strict=True)]


def a_referral(status: str = "received", **more: Any) -> Referral:
    """A referral that has come as far as this status. ``custody_seq`` makes it a transfer."""
    kind = Kind.TRANSFER if more.get("custody_seq") else Kind.REFERRAL
    fields: dict[str, Any] = {
        "id": "01900000-0000-7000-8000-000000000001",
        "case_id": "01900000-0000-7000-8000-000000000002",
        "victim_id": "01900000-0000-7000-8000-000000000003",
        "kind": kind,
        "service": "care",
        "priority": Priority.ROUTINE,
        "sender": SENDER,
        "receiver": RECEIVER,
        "requested_at": NOW - timedelta(hours=1),
        "due_at": NOW + timedelta(hours=1),
        "custody_seq": None,
        "replaces": None,
        "forced": False,
        "status": Status(status),
        "version": 4,
    }
    return Referral(**fields | more)


def asked(status: str, **more: Any) -> Referral:
    return a_referral(status, **{"ask_id": ASK, "asks": 1} | more)


def only(referral: Referral, command: c.Command) -> e.ReferralEvent:
    """The one event that a command brings."""
    (event,) = decide(referral, command, NOW)
    return event


def after(referral: Referral, command: c.Command) -> Referral:
    return evolve(referral, only(referral, command))


def refusal(referral: Referral, command: c.Command) -> Refused:
    with pytest.raises(Refused) as refused:
        decide(referral, command, NOW)
    return refused.value


def an_event(event: type[e.ReferralEvent], referral: Referral, /, **more: Any) -> Any:
    return event(referral_id=referral.id, victim_id=referral.victim_id, occurred_at=NOW, **more)


def test_the_table_names_every_status_and_every_command_once() -> None:
    assert [row[0] for row in ROWS] == [status.value for status in Status]
    assert list(COMMANDS) == HEAD
    assert [type(command) for command in COMMANDS.values()] == list(MOVES)


@pytest.mark.parametrize(("status", "name", "cell"), CELLS, ids=[f"{s}-{n}" for s, n, _ in CELLS])
def test_a_command_moves_the_referral_or_is_refused(status: str, name: str, cell: str) -> None:
    referral = a_referral(status) if Status(status) in ENDS else asked(status)
    if cell in REFUSALS:
        assert refusal(referral, COMMANDS[name]).problem == REFUSALS[cell]
        return
    moved = after(referral, COMMANDS[name])
    assert moved.status == (status if cell == "." else cell)
    asks = cell == "."
    assert (moved.version, moved.asks) == ((4, 2) if asks else (5, 1))


@pytest.mark.parametrize("status", [status for status in Status if status not in ENDS])
def test_a_first_cancellation_can_be_asked_for_while_the_referral_lives(status: str) -> None:
    moved = after(a_referral(status), COMMANDS["ask"])
    assert (moved.status, moved.version, moved.ask_id, moved.asks) == (status, 4, OTHER_ASK, 1)


def test_the_sender_asks_and_the_receiver_decides() -> None:
    asks = {name for name, command in COMMANDS.items() if MOVES[type(command)].side is Side.SENDER}
    assert asks == {"ask", "inform", "remind"}
    for name in asks:
        assert isinstance(only(a_referral(), COMMANDS[name]), e.SenderAsk)
    for status, name, cell in CELLS:
        if name not in asks and cell not in REFUSALS:
            assert isinstance(only(asked(status), COMMANDS[name]), e.ReceiverEvent)


def test_a_refusal_says_where_the_referral_stands() -> None:
    assert refusal(a_referral("accepted"), c.Accept()).facts == {"status": "accepted", "command": "Accept"}


@pytest.mark.parametrize("note", [None, ""])
@pytest.mark.parametrize(
    ("status", "command"),
    [("received", c.Reject(reason=RejectReason.OTHER)), ("on-hold", c.Fail(reason=FailReason.OTHER))],
)
def test_other_needs_a_note_which_stays_at_home(status: str, command: c.Command, note: str | None) -> None:
    referral = a_referral(status)
    refused = refusal(referral, command.model_copy(update={"note": note}))
    assert (refused.problem, refused.field) == ("note-required", "note")
    event = only(referral, command.model_copy(update={"note": "her brother is at the door"}))
    assert "brother" not in event.model_dump_json()


def test_a_reason_for_no_is_kept_with_the_better_desk_and_the_wanting_rule() -> None:
    better = DeskRef(agency="three", unit="desk-c")
    command = c.Reject(reason=RejectReason.WRONG_SERVICE, better_desk=better, norm_gap=NormGap.NO_PROCEDURE)
    moved = after(a_referral("received"), command)
    assert (moved.reject_reason, moved.better_desk, moved.norm_gap) == (
        RejectReason.WRONG_SERVICE,
        better,
        NormGap.NO_PROCEDURE,
    )
    moved = after(a_referral("on-hold"), c.Fail(reason=FailReason.NO_SHOW, norm_gap=NormGap.NO_MANDATE))
    assert (moved.fail_reason, moved.norm_gap) == (FailReason.NO_SHOW, NormGap.NO_MANDATE)
    assert after(a_referral("on-hold"), COMMANDS["complete"]).outcome is Outcome.SERVICE_PROVIDED


def test_a_pause_has_a_reason_until_it_ends() -> None:
    held = after(a_referral("in-progress"), c.Hold(reason=HoldReason.SCHEDULED))
    assert held.hold_reason is HoldReason.SCHEDULED
    for command in (c.Resume(), COMMANDS["complete"], COMMANDS["fail"]):
        assert after(held, command).hold_reason is None


def test_a_refused_cancellation_leaves_a_pause_as_it_is() -> None:
    held = asked("on-hold", hold_reason=HoldReason.SCHEDULED)
    kept = after(held, c.AnswerCancellation(granted=False, reason=RefusalReason.WORK_TOO_FAR))
    assert (kept.status, kept.hold_reason, kept.version) == (Status.ON_HOLD, HoldReason.SCHEDULED, 5)


# --- cancellation ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", AT_WORK)
def test_a_cancellation_granted_at_work_is_a_failure_for_that_reason(status: str) -> None:
    moved = after(asked(status), COMMANDS["grant"])
    assert (moved.status, moved.fail_reason, moved.ask_id) == (
        Status.FAILED,
        FailReason.CANCELLATION_GRANTED,
        None,
    )


@pytest.mark.parametrize("status", ["received", "accepted"])
def test_a_cancellation_granted_before_work_cancels(status: str) -> None:
    event = only(asked(status), COMMANDS["grant"])
    assert isinstance(event, e.Cancelled) and event.ask_id == ASK
    assert evolve(asked(status), event).ask_id is None


@pytest.mark.parametrize("status", ["accepted", "in-progress", "on-hold"])
def test_an_accepted_transfer_cannot_be_cancelled(status: str) -> None:
    transfer = asked(status, custody_seq=2)
    refused = refusal(transfer, COMMANDS["grant"])
    assert (refused.problem, refused.field) == ("custody-has-moved", "granted")
    kept = after(transfer, c.AnswerCancellation(granted=False, reason=RefusalReason.CUSTODY_MOVED))
    assert (kept.status, kept.ask_id) == (status, None)


def test_a_transfer_that_was_not_accepted_can_be_cancelled() -> None:
    assert after(asked("received", custody_seq=2), COMMANDS["grant"]).status is Status.CANCELLED


def test_there_is_no_answer_without_a_question() -> None:
    assert refusal(a_referral("on-hold"), COMMANDS["grant"]).problem == "no-cancellation-asked"
    assert refusal(asked("on-hold"), c.AnswerCancellation(granted=False)).problem == "reason-required"


def test_a_granted_cancellation_is_not_written_as_an_ordinary_failure() -> None:
    command = c.Fail(reason=FailReason.CANCELLATION_GRANTED)
    assert refusal(asked("in-progress"), command).problem == "answer-the-cancellation-instead"


def test_after_a_refusal_the_sender_may_ask_again() -> None:
    refused = after(asked("in-progress"), c.AnswerCancellation(granted=False, reason=RefusalReason.SAFETY_RISK))
    assert refused.ask_id is None
    assert after(refused, COMMANDS["ask"]).ask_id == OTHER_ASK


def test_the_refusal_of_another_ask_does_not_answer_this_one() -> None:
    event = an_event(e.CancellationRefused, asked("on-hold"), ask_id=OTHER_ASK, reason=RefusalReason.SAFETY_RISK)
    assert evolve(asked("on-hold"), event).ask_id == ASK


@pytest.mark.parametrize("status", ENDS)
def test_an_ask_that_crossed_the_outcome_is_counted_and_changes_nothing(status: str) -> None:
    ended = a_referral(status)
    ask = an_event(e.CancellationRequested, ended, ask_id=ASK, reason=CancellationReason.NOT_NEEDED)
    assert evolve(ended, ask) == replace(ended, asks=1)


@pytest.mark.parametrize("name", ["complete", "fail"])
def test_an_outcome_settles_the_ask(name: str) -> None:
    assert after(asked("in-progress"), COMMANDS[name]).ask_id is None


# --- when it happened -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in ("receive", "ask")])
def test_nothing_has_happened_in_the_future(name: str) -> None:
    status = next(status for status, n, cell in CELLS if n == name and cell not in REFUSALS)
    late = COMMANDS[name].model_copy(update={"occurred_at": NOW + timedelta(microseconds=1)})
    refused = refusal(asked(status), late)
    assert (refused.problem, refused.field) == ("occurred-in-the-future", "occurred_at")


def test_a_paper_answer_keeps_the_moment_it_was_given() -> None:
    yesterday = NOW - timedelta(days=1)
    assert only(a_referral(), c.Accept(occurred_at=yesterday)).occurred_at == yesterday
    assert only(a_referral(), c.Accept(occurred_at=NOW)).occurred_at == NOW
    assert only(a_referral(), c.Accept()).occurred_at == NOW


# --- custody --------------------------------------------------------------------------------------------------


def test_acceptance_of_a_transfer_names_the_new_holder() -> None:
    event = only(a_referral("received", custody_seq=7), c.Accept())
    assert isinstance(event, e.Accepted)
    assert event.custody == Custody(agency="two", unit="desk-b", region="74.02", seq=7)
    assert custody_on_acceptance(a_referral("received")) is None


@pytest.mark.parametrize("status", Status)
def test_custody_moves_with_acceptance_and_not_before(status: Status) -> None:
    moved = status in (Status.ACCEPTED, Status.IN_PROGRESS, Status.ON_HOLD, Status.COMPLETED)
    assert custody_has_moved(a_referral(status, custody_seq=2)) is moved
    assert custody_has_moved(a_referral(status)) is False


# --- what the receiver's service answers by itself -----------------------------------------------------------

GRANT = c.AnswerCancellation(granted=True)
CUSTODY_MOVED = c.AnswerCancellation(granted=False, reason=RefusalReason.CUSTODY_MOVED)


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
    status: str, for_a_referral: c.Command | None, for_a_transfer: c.Command | None
) -> None:
    for custody_seq, answer in ((None, for_a_referral), (2, for_a_transfer)):
        before = a_referral(status, custody_seq=custody_seq)
        ask = an_event(e.CancellationRequested, before, ask_id=ASK, reason=CancellationReason.NOT_NEEDED)
        assert react(evolve(before, ask), ask) == answer


def test_a_request_is_taken_note_of_and_other_asks_need_no_answer() -> None:
    request = a_request(custody_seq=None)
    assert react(open_referral(request), request) == c.Receive()
    for name in ("inform", "remind"):
        assert react(asked("received"), only(asked("received"), COMMANDS[name])) is None
    assert react(asked("received"), an_event(e.Accepted, asked("received"))) is None


def a_request(**more: Any) -> e.Requested:
    referral = a_referral()
    return e.Requested(
        referral_id=referral.id,
        victim_id=referral.victim_id,
        occurred_at=NOW,
        case_id=referral.case_id,
        kind=Kind.TRANSFER if more.get("custody_seq") else Kind.REFERRAL,
        service="care",
        priority=Priority.STAT,
        sender=SENDER,
        receiver=RECEIVER,
        facts=VictimFacts(age_class=AgeClass.UNKNOWN, sex=Sex.UNSPECIFIED),
        due_at=NOW + timedelta(hours=2),
        **more,
    )


def test_version_one_is_what_the_sender_asked_for() -> None:
    request = a_request(custody_seq=3, replaces=ASK, forced=True)
    opened = open_referral(request)
    for name in ("case_id", "victim_id", "kind", "service", "priority", "sender", "receiver", "due_at"):
        assert getattr(opened, name) == getattr(request, name)
    assert (opened.id, opened.requested_at) == (request.referral_id, NOW)
    assert (opened.custody_seq, opened.replaces, opened.forced) == (3, ASK, True)
    assert (opened.status, opened.version, opened.asks, opened.ask_id) == (Status.REQUESTED, 1, 0, None)


# --- what the other side believes -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "code"),
    [(None, "version-conflict"), (1, "version-conflict"), (4, "version-conflict"), (5, None), (6, "version-gap")],
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
    """What the receiver's own rules would let it write from here."""
    refuse = c.AnswerCancellation(granted=False, reason=RefusalReason.CUSTODY_MOVED)
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


# --- the finer word -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", Status)
def test_what_has_not_begun_by_its_deadline_is_overdue(status: Status) -> None:
    waits = status in (Status.REQUESTED, Status.RECEIVED, Status.ACCEPTED)
    referral = a_referral(status, due_at=NOW)
    assert not is_overdue(referral, NOW)
    assert is_overdue(referral, NOW + timedelta(microseconds=1)) is waits


LATE = NOW - timedelta(hours=3)
FINER = [
    ("nothing to add", a_referral("accepted"), None),
    ("overdue", a_referral("accepted", due_at=LATE), BusinessStatus.OVERDUE),
    ("asked hides overdue", asked("accepted", due_at=LATE), BusinessStatus.CANCEL_REQUESTED),
    ("asked hides hold", asked("on-hold", hold_reason=HoldReason.NO_SHOW), BusinessStatus.CANCEL_REQUESTED),
    *((reason, a_referral("on-hold", hold_reason=reason), BusinessStatus(reason.value)) for reason in HoldReason),
    ("onward", a_referral("completed", outcome=Outcome.REFERRED_ONWARD), BusinessStatus.REFERRED_ONWARD),
    ("provided", a_referral("completed", outcome=Outcome.SERVICE_PROVIDED), None),
    ("declined", a_referral("failed", fail_reason=FailReason.VICTIM_DECLINED), BusinessStatus.VICTIM_DECLINED),
    ("lost", a_referral("failed", fail_reason=FailReason.CANNOT_LOCATE), BusinessStatus.CANNOT_LOCATE),
    ("no show", a_referral("failed", fail_reason=FailReason.NO_SHOW), BusinessStatus.NO_SHOW),
    ("granted", a_referral("failed", fail_reason=FailReason.CANCELLATION_GRANTED), None),
]


@pytest.mark.parametrize(("referral", "word"), [row[1:] for row in FINER], ids=[row[0] for row in FINER])
def test_the_finer_word_beside_the_status(referral: Referral, word: BusinessStatus | None) -> None:
    assert business_status(referral, NOW, closed=False) == word
    assert business_status(referral, NOW, closed=True) is BusinessStatus.CLOSED
