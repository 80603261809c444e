"""Every command in every status, and what the rules answer: the table of DESIGN section 3, cell by cell."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.contracts import events as e
from shared.contracts.codes import (
    BusinessStatus,
    CancellationReason,
    FailReason,
    HoldReason,
    NormGap,
    Outcome,
    RefusalReason,
    RejectReason,
    Status,
)
from shared.contracts.types import Custody, DeskRef
from shared.domain.commands import Command
from shared.domain.referral import (
    MOVES,
    Referral,
    Side,
    business_status,
    custody_has_moved,
    custody_on_acceptance,
    evolve,
    fault,
    is_overdue,
)
from shared.domain.referral_commands import Accept, AnswerCancellation, Fail, Hold, Reject, Resume, Start
from tests.support.referrals import (
    ASK,
    AT_WORK,
    COMMANDS,
    ENDS,
    NOW,
    OTHER_ASK,
    SENDER,
    a_referral,
    after,
    an_event,
    asked,
    only,
    refusal,
)

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
    assert refusal(a_referral("accepted"), Accept()).facts == {"status": "accepted", "command": "Accept"}


@pytest.mark.parametrize("note", [None, ""])
@pytest.mark.parametrize(
    ("status", "command"),
    [("received", Reject(reason=RejectReason.OTHER)), ("on-hold", Fail(reason=FailReason.OTHER))],
)
def test_other_needs_a_note_which_stays_at_home(status: str, command: Command, note: str | None) -> None:
    referral = a_referral(status)
    refused = refusal(referral, command.model_copy(update={"note": note}))
    assert (refused.problem, refused.field) == ("note-required", "note")
    event = only(referral, command.model_copy(update={"note": "her brother is at the door"}))
    assert "brother" not in event.model_dump_json()


def test_a_reason_for_no_is_kept_with_the_better_desk_and_the_wanting_rule() -> None:
    better = DeskRef(agency="three", unit="desk-c")
    command = Reject(reason=RejectReason.WRONG_SERVICE, better_desk=better, norm_gap=NormGap.NO_PROCEDURE)
    moved = after(a_referral("received"), command)
    assert (moved.reject_reason, moved.better_desk, moved.norm_gap) == (
        RejectReason.WRONG_SERVICE,
        better,
        NormGap.NO_PROCEDURE,
    )
    moved = after(a_referral("on-hold"), Fail(reason=FailReason.NO_SHOW, norm_gap=NormGap.NO_MANDATE))
    assert (moved.fail_reason, moved.norm_gap) == (FailReason.NO_SHOW, NormGap.NO_MANDATE)
    assert after(a_referral("on-hold"), COMMANDS["complete"]).outcome is Outcome.SERVICE_PROVIDED


def test_a_pause_has_a_reason_until_it_ends() -> None:
    held = after(a_referral("in-progress"), Hold(reason=HoldReason.SCHEDULED))
    assert held.hold_reason is HoldReason.SCHEDULED
    for command in (Resume(), COMMANDS["complete"], COMMANDS["fail"]):
        assert after(held, command).hold_reason is None


def test_a_refused_cancellation_leaves_a_pause_as_it_is() -> None:
    held = asked("on-hold", hold_reason=HoldReason.SCHEDULED)
    kept = after(held, AnswerCancellation(granted=False, reason=RefusalReason.WORK_TOO_FAR))
    assert (kept.status, kept.hold_reason, kept.version) == (Status.ON_HOLD, HoldReason.SCHEDULED, 5)


# --- cancellation -----------------------------------------------------------------------------------------------------


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
    kept = after(transfer, AnswerCancellation(granted=False, reason=RefusalReason.CUSTODY_MOVED))
    assert (kept.status, kept.ask_id) == (status, None)


def test_a_transfer_that_was_not_accepted_can_be_cancelled() -> None:
    assert after(asked("received", custody_seq=2), COMMANDS["grant"]).status is Status.CANCELLED


def test_there_is_no_answer_without_a_question() -> None:
    assert refusal(a_referral("on-hold"), COMMANDS["grant"]).problem == "no-cancellation-asked"
    assert refusal(asked("on-hold"), AnswerCancellation(granted=False)).problem == "reason-required"


def test_a_granted_cancellation_is_not_written_as_an_ordinary_failure() -> None:
    command = Fail(reason=FailReason.CANCELLATION_GRANTED)
    assert refusal(asked("in-progress"), command).problem == "answer-the-cancellation-instead"


def test_after_a_refusal_the_sender_may_ask_again() -> None:
    refused = after(asked("in-progress"), AnswerCancellation(granted=False, reason=RefusalReason.SAFETY_RISK))
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


# --- when it happened -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in ("receive", "ask")])
def test_nothing_has_happened_in_the_future(name: str) -> None:
    status = next(status for status, n, cell in CELLS if n == name and cell not in REFUSALS)
    late = COMMANDS[name].model_copy(update={"occurred_at": NOW + timedelta(microseconds=1)})
    refused = refusal(asked(status), late)
    assert (refused.problem, refused.field) == ("occurred-in-the-future", "occurred_at")


def test_a_paper_answer_keeps_the_moment_it_was_given() -> None:
    asked_at = a_referral().requested_at
    assert only(a_referral(), Accept(occurred_at=asked_at)).occurred_at == asked_at
    assert only(a_referral(), Accept(occurred_at=NOW)).occurred_at == NOW
    assert only(a_referral(), Accept()).occurred_at == NOW


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in ("receive", "ask")])
def test_nothing_occurs_before_what_it_answers(name: str) -> None:
    status = next(status for status, n, cell in CELLS if n == name and cell not in REFUSALS)
    early = COMMANDS[name].model_copy(update={"occurred_at": NOW - timedelta(days=30)})
    refused = refusal(asked(status), early)
    assert (refused.problem, refused.field) == ("occurred-too-early", "occurred_at")


def test_the_work_does_not_start_before_it_was_accepted_and_the_services_own_receipt_does_not_count() -> None:
    asked_at = a_referral().requested_at
    at_five = asked_at + timedelta(minutes=5)
    requested = a_referral("requested")
    received = evolve(requested, an_event(e.Received, requested))
    accepted = evolve(received, only(received, Accept(occurred_at=at_five)))
    early = Start(occurred_at=at_five - timedelta(seconds=1))
    assert refusal(accepted, early).problem == "occurred-too-early"
    assert only(accepted, Start(occurred_at=at_five)).occurred_at == at_five


def test_what_is_told_a_day_late_needs_a_note() -> None:
    long_ago = replace(a_referral(), requested_at=NOW - timedelta(days=30))
    at = NOW - timedelta(hours=24, seconds=1)
    assert refusal(long_ago, Accept(occurred_at=at)).problem == "note-required"
    assert only(long_ago, Accept(occurred_at=at, note="Rekaan.")).occurred_at == at
    assert only(long_ago, Accept(occurred_at=NOW - timedelta(hours=24))).occurred_at < NOW


# --- custody ----------------------------------------------------------------------------------------------------------


def test_acceptance_of_a_transfer_names_the_new_holder() -> None:
    event = only(a_referral("received", custody_seq=7), Accept())
    assert isinstance(event, e.Accepted)
    assert event.custody == Custody(agency="two", unit="desk-b", region="74.02", seq=7)
    assert custody_on_acceptance(a_referral("received")) is None


@pytest.mark.parametrize("status", Status)
def test_custody_moves_with_acceptance_and_not_before(status: Status) -> None:
    moved = status in (Status.ACCEPTED, Status.IN_PROGRESS, Status.ON_HOLD, Status.COMPLETED)
    assert custody_has_moved(a_referral(status, custody_seq=2)) is moved
    assert custody_has_moved(a_referral(status)) is False


# --- the finer word ---------------------------------------------------------------------------------------------------


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


WITHOUT_CUSTODY = Reject(reason=RejectReason.SENDER_WITHOUT_CUSTODY)


@pytest.mark.parametrize("status", ["received", "accepted", *AT_WORK])
def test_a_transfer_is_given_back_as_long_as_it_runs(status: str) -> None:
    moved = after(a_referral(status, custody_seq=2), WITHOUT_CUSTODY)
    assert (moved.status, moved.reject_reason) == (Status.REJECTED, RejectReason.SENDER_WITHOUT_CUSTODY)


@pytest.mark.parametrize("status", ["accepted", *AT_WORK])
def test_nothing_else_is_rejected_after_its_acceptance(status: str) -> None:
    transfer = a_referral(status, custody_seq=2)
    assert refusal(transfer, COMMANDS["reject"]).problem == "move-not-allowed"
    assert refusal(a_referral(status), WITHOUT_CUSTODY).problem == "move-not-allowed"
    assert refusal(a_referral(status, custody_seq=2, receiver=SENDER), WITHOUT_CUSTODY).problem == "move-not-allowed"
    given_back = an_event(e.Rejected, transfer, reason=RejectReason.SENDER_WITHOUT_CUSTODY)
    assert fault(transfer, given_back, transfer.version + 1) is None
    for reason in set(RejectReason) - {RejectReason.SENDER_WITHOUT_CUSTODY}:
        rejected = an_event(e.Rejected, transfer, reason=reason)
        assert fault(transfer, rejected, transfer.version + 1) == "move-not-allowed"


def test_the_outcome_of_a_completed_transfer_stands() -> None:
    assert refusal(a_referral("completed", custody_seq=2), WITHOUT_CUSTODY).problem == "referral-ended"


def test_only_a_transfer_of_another_agency_is_rejected_for_want_of_custody() -> None:
    for referral in (a_referral("received"), a_referral("received", custody_seq=2, receiver=SENDER)):
        assert refusal(referral, WITHOUT_CUSTODY).problem == "reason-for-transfers"
