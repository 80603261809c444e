"""Whatever is asked at either side, and however the messages cross: the sides agree once the mail is delivered.

Hypothesis plays the two desks, the two channels between them and a follower (coordination) that overhears both.
Nothing here knows the order in which it will happen.
"""

import re
from itertools import count, permutations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shared.contracts import events as e
from shared.contracts.codes import CancellationReason, RefusalReason, Status
from shared.domain.commands import Command
from shared.domain.referral import ENDED, Referral, decide, evolve, open_referral, react
from shared.domain.referral_commands import Accept, AnswerCancellation, Receive, RequestCancellation, Start
from shared.domain.refusal import Refused
from tests.support.referral_desks import BY_THE_RECEIVER, BY_THE_SENDER, NOW, Desk, Letter, a_request, an_id


class TwoDesks(RuleBasedStateMachine):
    """A sender and a receiver; each channel delivers in its order, the two interleave as they like."""

    jumbled = False

    def __init__(self) -> None:
        super().__init__()
        self.numbers = count(100)
        self.sender, self.receiver, self.follower = Desk(), Desk(), Desk()
        self.receiver.answers = self.answer
        self.mail: dict[str, list[Letter]] = {"sender": [], "receiver": [], "follower<1": [], "follower<2": []}
        self.global_order: list[e.ReferralEvent] = []

    @initialize(custody_seq=st.none() | st.integers(2, 9))
    def request(self, custody_seq: int | None) -> None:
        self.send(self.sender, a_request(custody_seq=custody_seq))

    def send(self, desk: Desk, event: e.ReferralEvent) -> None:
        desk.apply(event)
        letter = Letter(next(self.numbers), event, desk.known.version)
        to, copy = ("receiver", "follower<1") if desk is self.sender else ("sender", "follower<2")
        self.mail[to].append(letter)
        self.mail[copy].append(letter)
        self.global_order.append(event)

    def answer(self, event: e.EventData) -> None:
        """The automatic acts of the receiver's service."""
        command = react(self.receiver.known, event)
        if command is not None:
            self.do(self.receiver, command, must=True)

    def do(self, desk: Desk, command: Command, must: bool = False) -> None:
        before = desk.known
        try:
            events = decide(before, command, NOW)
        except Refused:
            assert desk.known == before and not must
            return
        for event in events:
            self.send(desk, event)

    @rule(command=BY_THE_SENDER)
    def the_sender_asks(self, command: Command) -> None:
        if isinstance(command, RequestCancellation):
            command = command.model_copy(update={"ask_id": an_id(next(self.numbers))})
        self.do(self.sender, command)

    @precondition(lambda self: self.receiver.referral is not None)
    @rule(command=BY_THE_RECEIVER)
    def the_receiver_acts(self, command: Command) -> None:
        self.do(self.receiver, command)

    @precondition(lambda self: any(self.mail.values()))
    @rule(data=st.data())
    def a_letter_arrives(self, data: st.DataObject) -> None:
        channel = data.draw(st.sampled_from([name for name, letters in self.mail.items() if letters]))
        letters = self.mail[channel]
        at = data.draw(st.integers(0, len(letters) - 1)) if self.jumbled else 0
        twice = self.jumbled and data.draw(st.booleans())
        letter = letters[at] if twice else letters.pop(at)
        getattr(self, channel.partition("<")[0]).take(letter)

    @rule()
    def all_mail_arrives(self) -> None:
        while any(self.mail.values()):
            for name, letters in self.mail.items():
                while letters:
                    getattr(self, name.partition("<")[0]).take(letters.pop(-1 if self.jumbled else 0))

    def teardown(self) -> None:
        if self.global_order:
            self.all_mail_arrives()
            self.the_sides_agree_when_the_mail_is_delivered()

    @invariant()
    def the_sides_agree_when_the_mail_is_delivered(self) -> None:
        if self.global_order and not any(self.mail.values()):
            assert not (self.sender.waiting or self.receiver.waiting or self.follower.waiting)
            assert self.sender.referral == self.receiver.referral == self.follower.referral

    @invariant()
    def in_order_nothing_ever_waits_at_the_two_sides(self) -> None:
        if not self.jumbled:
            assert not (self.sender.waiting or self.receiver.waiting)

    @invariant()
    def versions_are_contiguous(self) -> None:
        for desk in (self.sender, self.receiver, self.follower):
            assert desk.versions == list(range(1, len(desk.versions) + 1))

    @invariant()
    def an_end_is_the_end(self) -> None:
        ends = [event for event in self.global_order if isinstance(event, ENDING)]
        assert len(ends) <= 1
        if ends:
            assert [event for event in self.global_order if isinstance(event, e.ReceiverEvent)][-1] is ends[0]
            assert self.receiver.known.status in ENDED and self.receiver.known.ask_id is None

    @invariant()
    def only_lawful_paths_are_walked(self) -> None:
        walked = "".join(LETTERS.get(type(event), "") for event in self.global_order)
        transfer = bool(self.global_order) and self.sender.known.custody_seq is not None
        assert (PATHS_OF_TRANSFER if transfer else PATHS).fullmatch(walked), walked


ENDING = e.Completed | e.Rejected | e.Failed | e.Cancelled
LETTERS: dict[type[e.EventData], str] = {
    e.Received: "r",
    e.Accepted: "a",
    e.Rejected: "j",
    e.Cancelled: "c",
    e.Started: "s",
    e.Held: "h",
    e.Resumed: "s",
    e.Completed: "e",
    e.Failed: "e",
}
PATHS = re.compile(r"(r(j|c|a(c|s(hs)*h?e?)?)?)?")
"""DESIGN section 3 as the whole paths one may walk, written without looking at the code."""
PATHS_OF_TRANSFER = re.compile(r"(r(j|c|a(j|s(hs)*h?[ej]?)?)?)?")
"""Custody that has moved is not given back by a cancellation, but by a rejection: the sender never had custody."""


class TwoDesksInDisorder(TwoDesks):
    """The same, with every channel repeating and reordering its letters."""

    jumbled = True


SETTINGS = settings(max_examples=200, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
TestInOrder = TwoDesks.TestCase
TestInOrder.settings = SETTINGS
TestInDisorder = TwoDesksInDisorder.TestCase
TestInDisorder.settings = SETTINGS


def a_story() -> tuple[list[Letter], Referral]:
    """The sender asks twice to stop and is refused once: the letters, and how the referral stands in the end."""
    numbers = count(1)
    request = a_request()
    referral = open_referral(request)
    letters = [Letter(next(numbers), request, 1)]
    for command in (
        Receive(),
        Accept(),
        Start(),
        RequestCancellation(ask_id=an_id(8), reason=CancellationReason.OTHER),
        AnswerCancellation(granted=False, reason=RefusalReason.WORK_TOO_FAR),
        RequestCancellation(ask_id=an_id(9), reason=CancellationReason.OTHER),
    ):
        (event,) = decide(referral, command, NOW)
        referral = evolve(referral, event)
        letters.append(Letter(next(numbers), event, referral.version))
    return letters, referral


def test_in_whatever_order_a_follower_reads_a_story_it_knows_the_same_end() -> None:
    letters, end = a_story()
    assert (end.ask_id, end.asks, end.version, end.status) == (an_id(9), 2, 5, Status.IN_PROGRESS)
    for order in permutations(letters):
        follower = Desk()
        for letter in order:
            follower.take(letter)
        assert follower.known == end and not follower.waiting
