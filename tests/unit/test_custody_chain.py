"""Transfers between three agencies, whatever is asked: the custody of a victim is one unbroken chain."""

from dataclasses import dataclass, field
from itertools import count

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.contracts import events as e
from shared.contracts.codes import CancellationReason
from shared.contracts.types import Custody, UnitRef
from shared.domain.commands import Command
from shared.domain.referral import LIVE, Referral, decide, evolve, fault, open_referral, react
from shared.domain.referral_commands import Accept, RequestCancellation
from shared.domain.refusal import Refused
from tests.support.referral_desks import BY_THE_RECEIVER, NOW, a_request, an_id

SETTINGS = settings(max_examples=200, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))


@dataclass
class Member:
    """An agency's knowledge of one victim: the last known link of the chain, and the referrals it is in."""

    name: str
    unit: UnitRef
    custody: Custody | None = None
    referrals: dict[str, Referral] = field(default_factory=dict)
    mail: list[e.ReferralEvent] = field(default_factory=list)

    @property
    def may_offer(self) -> bool:
        """Only the holder offers, and has one offer open at a time (requesting._refuse_second)."""
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

    def act(self, member: Member, referral: Referral, command: Command) -> None:
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
    @rule(data=st.data(), command=BY_THE_RECEIVER | st.just(Accept()), ask=st.booleans())
    def somebody_acts(self, data: st.DataObject, command: Command, ask: bool) -> None:
        known = [(m, r) for m in self.members.values() for r in m.referrals.values() if r.status in LIVE]
        if not known:
            return
        member, referral = data.draw(st.sampled_from(known))
        if member.name == referral.sender.agency:
            if not ask:
                return
            command = RequestCancellation(ask_id=an_id(next(self.numbers)), reason=CancellationReason.SENT_IN_ERROR)
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
