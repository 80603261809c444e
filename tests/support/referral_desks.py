"""Two desks that fold a referral from letters, and whatever either of them may ask."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

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
)
from shared.contracts.types import DeskRef, UnitRef
from shared.domain.referral import Referral, evolve, fault, open_referral
from shared.domain.referral_commands import (
    Accept,
    AnswerCancellation,
    Complete,
    Fail,
    Hold,
    ProvideInformation,
    Reject,
    Remind,
    RequestCancellation,
    Resume,
    Start,
)
from shared.messaging.parked import REASONS, Retry

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
    st.sampled_from([Accept(), Start(), Resume(), AnswerCancellation(granted=True)]),
    st.builds(
        Reject,
        reason=st.sampled_from(RejectReason),
        better_desk=st.none() | st.just(DeskRef(agency="three", unit="desk-c")),
        norm_gap=st.none() | st.sampled_from(NormGap),
        note=st.just("why"),
    ),
    st.builds(Hold, reason=st.sampled_from(HoldReason)),
    st.builds(Complete, outcome=st.sampled_from(Outcome)),
    st.builds(Fail, reason=st.sampled_from(FailReason), note=st.just("why")),
    st.builds(AnswerCancellation, granted=st.just(False), reason=st.sampled_from(RefusalReason)),
)
BY_THE_SENDER = st.one_of(
    st.builds(RequestCancellation, reason=st.sampled_from(CancellationReason)),
    st.builds(ProvideInformation, about=st.sampled_from(InformationKind)),
    st.just(Remind()),
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
            assert REASONS[code].retry is Retry.WHEN_REFERRAL_CHANGES, code
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
