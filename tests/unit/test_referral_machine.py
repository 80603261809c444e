"""Whatever is asked at either side, and however the messages cross: the sides agree once the mail is delivered.

Hypothesis plays the two desks, the two channels between them and a follower (coordination) that overhears both.
Nothing here knows the order in which it will happen.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count, permutations
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shared.contracts import events as e
from shared.contracts.codes import (
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
    Status,
)
from shared.contracts.types import Custody, DeskRef, UnitRef
from shared.domain import commands as c
from shared.domain.referral import ENDED, LIVE, Referral, decide, evolve, fault, open_referral, react
from shared.domain.refusal import Refused

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SENDER = UnitRef(agency="one", unit="desk-a", region="74.01")
RECEIVER = UnitRef(agency="two", unit="desk-b", region="74.02")


def an_id(number: int) -> str:
    return f"01900000-0000-7000-8000-{number:012x}"


def a_request(**more: Any) -> e.Requested:
    fields: dict[str, Any] = {
        "referral_id": an_id(1),
        "victim_id": an_id(2),
        "case_id": an_id(3),
        "occurred_at": NOW,
        "kind": Kind.TRANSFER if more.get("custody_seq") else Kind.REFERRAL,
        "service": "care",
        "priority": Priority.ROUTINE,
        "sender": SENDER,
        "receiver": RECEIVER,
        "facts": {"age_class": "unknown", "sex": "unspecified"},
        "due_at": NOW + timedelta(days=1),
    }
    return e.Requested(**fields | more)


BY_THE_RECEIVER = st.one_of(
    st.sampled_from([c.Accept(), c.Start(), c.Resume(), c.AnswerCancellation(granted=True)]),
    st.builds(
        c.Reject,
        reason=st.sampled_from(RejectReason),
        better_desk=st.none() | st.just(DeskRef(agency="three", unit="desk-c")),
        norm_gap=st.none() | st.sampled_from(NormGap),
        note=st.just("why"),
    ),
    st.builds(c.Hold, reason=st.sampled_from(HoldReason)),
    st.builds(c.Complete, outcome=st.sampled_from(Outcome)),
    st.builds(c.Fail, reason=st.sampled_from(FailReason), note=st.just("why")),
    st.builds(c.AnswerCancellation, granted=st.just(False), reason=st.sampled_from(RefusalReason)),
)
BY_THE_SENDER = st.one_of(
    st.builds(c.RequestCancellation, reason=st.sampled_from(CancellationReason)),
    st.builds(c.ProvideInformation, about=st.sampled_from(InformationKind)),
    st.just(c.Remind()),
)


@dataclass(frozen=True)
class Letter:
    """An event on its way. ``version`` is what the envelope's ``sequence`` says."""

    number: int
    event: e.ReferralEvent
    version: int


@dataclass
class Desk:
    """One member's fold: takes a letter once, and keeps what came too early until it fits, as reception does."""

    referral: Referral | None = None
    seen: set[int] = field(default_factory=set)
    waiting: list[Letter] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)
    answers: Callable[[e.EventData], None] = lambda event: None

    def take(self, letter: Letter) -> None:
        if letter.number not in self.seen:
            self.seen.add(letter.number)
            self._attempt(letter)

    def _attempt(self, letter: Letter) -> None:
        code = self._fault(letter)
        if code is not None:
            assert code in ("version-gap", "unknown-ask", "unknown-referral"), code
            self.waiting.append(letter)
            return
        self.apply(letter.event)
        self.answers(letter.event)
        again, self.waiting = sorted(self.waiting, key=lambda letter: letter.version), []
        for earlier in again:
            self._attempt(earlier)

    def _fault(self, letter: Letter) -> str | None:
        if isinstance(letter.event, e.Requested):
            return None
        if self.referral is None:
            return "unknown-referral"
        return fault(self.referral, letter.event, letter.version)

    def apply(self, event: e.EventData) -> None:
        if isinstance(event, e.Requested):
            self.referral = open_referral(event)
        else:
            self.referral = evolve(self.known, event)
        if not isinstance(event, e.SenderAsk):
            self.versions.append(self.known.version)

    @property
    def known(self) -> Referral:
        assert self.referral is not None
        return self.referral


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
        """What the receiver's service does by itself."""
        command = react(self.receiver.known, event)
        if command is not None:
            self.do(self.receiver, command, must=True)

    def do(self, desk: Desk, command: c.Command, must: bool = False) -> None:
        before = desk.known
        try:
            events = decide(before, command, NOW)
        except Refused:
            assert desk.known == before and not must
            return
        for event in events:
            self.send(desk, event)

    @rule(command=BY_THE_SENDER)
    def the_sender_asks(self, command: c.Command) -> None:
        if isinstance(command, c.RequestCancellation):
            command = command.model_copy(update={"ask_id": an_id(next(self.numbers))})
        self.do(self.sender, command)

    @precondition(lambda self: self.receiver.referral is not None)
    @rule(command=BY_THE_RECEIVER)
    def the_receiver_acts(self, command: c.Command) -> None:
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
        assert PATHS.fullmatch(walked), walked


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


class TwoDesksInDisorder(TwoDesks):
    """The same, with every channel repeating and reordering its letters."""

    jumbled = True


SETTINGS = settings(max_examples=200, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
TestInOrder = TwoDesks.TestCase
TestInOrder.settings = SETTINGS
TestInDisorder = TwoDesksInDisorder.TestCase
TestInDisorder.settings = SETTINGS


@dataclass
class Member:
    """What an agency knows of one victim: the last link of the chain it heard of, and the referrals it is in."""

    name: str
    unit: UnitRef
    custody: Custody | None = None
    referrals: dict[str, Referral] = field(default_factory=dict)
    mail: list[e.ReferralEvent] = field(default_factory=list)

    @property
    def may_offer(self) -> bool:
        """Only the holder offers, and has one offer open at a time (handlers._refuse_second)."""
        if self.custody is None or self.custody.agency != self.name:
            return False
        offered = self.custody.seq + 1
        return not any(r.custody_seq == offered and r.status in LIVE for r in self.referrals.values())

    def take(self, event: e.ReferralEvent) -> None:
        if isinstance(event, e.Requested):
            self.referrals[event.referral_id] = open_referral(event)
            return
        referral = self.referrals[event.referral_id]
        if not isinstance(event, e.SenderAsk):
            assert fault(referral, event, referral.version + 1) is None
        self.referrals[event.referral_id] = evolve(referral, event)
        if isinstance(event, e.Accepted) and event.custody:
            self.learn(event.custody)

    def learn(self, custody: Custody) -> None:
        """As victims.take_custody: an older link than the one known changes nothing."""
        if self.custody is None or custody.seq > self.custody.seq:
            self.custody = custody


class CustodyChain(RuleBasedStateMachine):
    """Transfers between three agencies, in a ring or back and forth, refused, cancelled, crossing."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = count(100)
        names = ("one", "two", "three")
        self.members = {n: Member(n, UnitRef(agency=n, unit=f"desk-{n}", region="74.01")) for n in names}
        first = self.members["one"]
        first.custody = Custody(**dict(first.unit), seq=1)
        self.chain = [first.custody]
        """The model: each link in the order in which it came into the world."""

    def say(self, speaker: Member, to: str, event: e.ReferralEvent) -> None:
        speaker.take(event)
        self.members[to].mail.append(event)
        if isinstance(event, e.Accepted) and event.custody:
            self.chain.append(event.custody)

    def act(self, member: Member, referral: Referral, command: c.Command) -> None:
        try:
            (event,) = decide(referral, command, NOW)
        except Refused:
            return
        sides = {referral.sender.agency, referral.receiver.agency}
        (to,) = sides - {member.name}
        self.say(member, to, event)

    @precondition(lambda self: any(member.may_offer for member in self.members.values()))
    @rule(data=st.data())
    def a_holder_offers_the_victim(self, data: st.DataObject) -> None:
        (holder,) = (member for member in self.members.values() if member.may_offer)
        to = data.draw(st.sampled_from([name for name in self.members if name != holder.name]))
        assert holder.custody is not None
        offer = a_request(
            referral_id=an_id(next(self.numbers)),
            sender=holder.unit,
            receiver=self.members[to].unit,
            custody_seq=holder.custody.seq + 1,
        )
        self.say(holder, to, offer)

    @precondition(lambda self: any(member.mail for member in self.members.values()))
    @rule(data=st.data())
    def mail_arrives(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from([name for name, member in self.members.items() if member.mail]))
        member = self.members[name]
        event = member.mail.pop(0)
        member.take(event)
        answer = react(member.referrals[event.referral_id], event)
        if answer is not None:
            self.act(member, member.referrals[event.referral_id], answer)

    @precondition(lambda self: any(member.referrals for member in self.members.values()))
    @rule(data=st.data(), command=BY_THE_RECEIVER | st.just(c.Accept()), ask=st.booleans())
    def somebody_acts(self, data: st.DataObject, command: c.Command, ask: bool) -> None:
        known = [(m, r) for m in self.members.values() for r in m.referrals.values() if r.status in LIVE]
        if not known:
            return
        member, referral = data.draw(st.sampled_from(known))
        if member.name == referral.sender.agency:
            if not ask:
                return
            command = c.RequestCancellation(ask_id=an_id(next(self.numbers)), reason=CancellationReason.SENT_IN_ERROR)
        self.act(member, referral, command)

    @invariant()
    def the_chain_never_forks_and_has_no_gap(self) -> None:
        for length in range(1, len(self.chain) + 1):
            prefix = self.chain[:length]
            assert [link.seq for link in prefix] == list(range(1, length + 1))

    @invariant()
    def exactly_one_holder_by_the_ledgers(self) -> None:
        """Every ledger folded together: the highest link has one holder, and that holder knows it."""
        known = [member.custody for member in self.members.values() if member.custody]
        highest = max(link.seq for link in known)
        assert {link.agency for link in known if link.seq == highest} == {self.chain[-1].agency}
        assert self.members[self.chain[-1].agency].custody == self.chain[-1]

    @invariant()
    def at_most_one_may_offer(self) -> None:
        assert sum(member.may_offer for member in self.members.values()) <= 1


TestCustodyChain = CustodyChain.TestCase
TestCustodyChain.settings = SETTINGS


def a_story() -> tuple[list[Letter], Referral]:
    """The sender asks twice to stop and is refused once: the letters, and how the referral stands in the end."""
    numbers = count(1)
    request = a_request()
    referral = open_referral(request)
    letters = [Letter(next(numbers), request, 1)]
    for command in (
        c.Receive(),
        c.Accept(),
        c.Start(),
        c.RequestCancellation(ask_id=an_id(8), reason=CancellationReason.OTHER),
        c.AnswerCancellation(granted=False, reason=RefusalReason.WORK_TOO_FAR),
        c.RequestCancellation(ask_id=an_id(9), reason=CancellationReason.OTHER),
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
