"""Apply events of other members to an agency's rows: the receiving half of ``handlers``."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.casework.capacity import announcing as capacity
from shared.casework.clocks import running as clocks
from shared.casework.consent import withdrawing
from shared.casework.letters import issuing
from shared.casework.records import delivery
from shared.casework.referrals.execution import progress, settle
from shared.casework.referrals.requesting import is_same_request
from shared.contracts import events as e
from shared.contracts.codes import RejectReason, Stage
from shared.contracts.envelope import Envelope
from shared.contracts.types import UnitRef
from shared.domain.referral import ENDED, evolve, fault, open_referral, react
from shared.domain.referral_commands import Reject
from shared.domain.refusal import Refused
from shared.messaging import key_directory_sync as known_keys
from shared.messaging.parked import Park
from shared.messaging.receipts import take_receipt
from shared.reference.office import Office
from shared.storage import referrals
from shared.storage.tables import ReferralRow
from shared.storage.unit_of_work import Transaction
from shared.victims.break_glass import receive as break_glass_receive
from shared.victims.disclosure import disclose as disclosure
from shared.victims.erasure import holders, on_told
from shared.victims.interviews import store as interviews
from shared.victims.matching import receive as matching_receive
from shared.victims.register.store import load_victim
from shared.victims.register.tables import VictimRow


@dataclass(frozen=True, slots=True)
class Inbound:
    """An agency's ``Apply``: see ``reception``."""

    office: Office

    def __call__(self, tx: Transaction, envelope: Envelope, event: e.EventData) -> None:
        """Apply one trusted event. Raises Park."""
        match event:
            case e.ReceiptRecorded():
                take_receipt(tx, envelope, event)
            case e.LinkWitnessed():
                self._witnessed(tx, envelope, event)
            case e.Requested():
                self._requested(tx, envelope, event)
            case e.CancellationRequested() | e.InformationProvided() | e.Reminder():
                self._asked(tx, envelope, event)
            case e.ReferralEvent():
                self._answered(tx, envelope, event)
            case e.ConsentWithdrawn() if withdrawing.heard(tx, self.office, envelope.sender, event):
                pass
            case e.ConsentWithdrawn() | e.ErasureRequested():
                on_told.obey(tx, self.office, envelope.sender, event, envelope.id)
            case e.DisclosureEnded():
                holders.ended(tx, envelope.sender, event)
            case e.KeysPublished():
                known_keys.heard(tx, self.office, envelope.sender, event)
            case e.VictimInterviewed():
                _spoken_by(envelope, event.unit)
                interviews.keep(tx, event.victim_id, [event.interview_id], event)
            case e.RecordDelivered():
                delivery.take(tx, self.office, envelope, event)
            case e.CapacityAnnounced():
                _spoken_by(envelope, event.unit)
                capacity.keep(tx, event)
            case e.DeskDescribed():
                _spoken_by(envelope, event.unit)
                capacity.keep_description(tx, event)
            case e.LetterIssued():
                issuing.heard(tx, envelope, event)
            case e.MatchProposed() | e.MatchWithdrawn():
                matching_receive.heard(tx, self.office, envelope, event)
            case e.ClockEvent():
                pass  # only a network without a coordinator sends it to an agency, which keeps a clock of its own
            case e.BreakGlassEvent():
                break_glass_receive.heard(tx, self.office, envelope.sender, event)
            case _:
                raise Park("not-for-an-agency")

    def _witnessed(self, tx: Transaction, envelope: Envelope, event: e.LinkWitnessed) -> None:
        sender, _, peer = event.link.partition(">")
        if envelope.sender != self.office.agency.coordinator or sender != self.office.code:
            raise Park("not-the-coordinator")
        tx.witnessed[peer] = max(event.through, tx.witnessed.get(peer, 0))
        tx.changed.add("links")

    def _requested(self, tx: Transaction, envelope: Envelope, event: e.Requested) -> None:
        """A new referral for one of our desks: store it, and send the answers that need no person."""
        if event.sender.agency != envelope.sender or event.receiver.agency != self.office.code:
            raise Park("not-the-sender")
        if referrals.load(tx.session, event.referral_id) is not None:
            raise Park("referral-id-taken")
        earlier = event.replaces and referrals.load(tx.session, event.replaces)
        if earlier and earlier.victim_id != event.victim_id:
            raise Park("id-of-another-victim")
        live = _live_of_known(tx, event)
        interviews.keep(tx, event.victim_id, event.interviews)
        self._take(tx, envelope, event, event.sealed, event.consent_id, first=True)
        referral = open_referral(event)
        row = referrals.add(tx.session, referral, envelope.basis, tx.now)
        clocks.note_referral(tx, self.office, referral, event)
        answer = react(referral, event)
        if answer is not None:
            progress(tx, self.office, row, answer, envelope.id)
        if not self._is_ours(tx, event.receiver):
            progress(tx, self.office, row, Reject(reason=RejectReason.OUT_OF_JURISDICTION), envelope.id)
        elif not any(service.code == event.service for service in self.office.agency.services):
            progress(tx, self.office, row, Reject(reason=RejectReason.WRONG_SERVICE), envelope.id)
        elif not event.forced and any(is_same_request(other, event) for other in live):
            progress(tx, self.office, row, Reject(reason=RejectReason.DUPLICATE), envelope.id)

    def _is_ours(self, tx: Transaction, desk: UnitRef) -> bool:
        """Whether the desk is one of our own units, valid today, with the same region."""
        try:
            return self.office.our_unit(desk.unit, tx.now.date()) == desk
        except Refused:
            return False

    def _take(
        self,
        tx: Transaction,
        envelope: Envelope,
        event: e.ReferralEvent,
        sealed_for_us: str | None,
        consent_id: str | None,
        first: bool,
    ) -> None:
        """Keep the identity that the sender gave us. Raises Park: no disclosure without a legal basis."""
        if sealed_for_us is None:
            return
        if envelope.basis is None:
            raise Park("no-legal-basis")
        given = disclosure.Disclosure(event.referral_id, event.victim_id, envelope.sender, envelope.basis, consent_id)
        disclosure.take(tx, self.office, envelope.id, given, sealed_for_us, first)

    def _asked(self, tx: Transaction, envelope: Envelope, event: e.ReferralEvent) -> None:
        """The sender asks. The question makes no version, but our service may answer it at once."""
        row = _known(tx, event)
        if envelope.sender != row.sender_agency:
            raise Park("not-the-sender")
        if isinstance(event, e.InformationProvided):
            load_victim(tx.session, event.victim_id)  # locks the victim: its sealed rows are written under that lock
            self._take(tx, envelope, event, event.sealed, None, first=False)
        referral = evolve(referrals.to_referral(row), event)
        settle(tx, self.office, row, referral, event)
        answer = react(referral, event)
        if answer is not None:
            progress(tx, self.office, row, answer, envelope.id)

    def _answered(self, tx: Transaction, envelope: Envelope, event: e.ReferralEvent) -> None:
        """Apply the next version, made by the receiver, to a referral that we sent."""
        row = _known(tx, event)
        if envelope.sender != row.receiver_agency:
            raise Park("not-the-receiver")
        referral = referrals.to_referral(row)
        reason = fault(referral, event, envelope.version)
        if reason is not None:
            raise Park(reason)
        after = evolve(referral, event)
        settle(tx, self.office, row, after, event)
        clocks.note_referral(tx, self.office, after, event)
        row.closed = after.status in ENDED


def _spoken_by(envelope: Envelope, unit: UnitRef) -> None:
    """Raises Park where an agency speaks for another agency's desk."""
    if unit.agency != envelope.sender:
        raise Park("not-the-sender")


def _known(tx: Transaction, event: e.ReferralEvent) -> ReferralRow:
    row = referrals.load(tx.session, event.referral_id)
    if row is None:
        raise Park("unknown-referral")
    if row.victim_id != event.victim_id:
        raise Park("id-of-another-victim")
    return row


def _live_of_known(tx: Transaction, event: e.Requested) -> Sequence[ReferralRow]:
    """The live referrals of the victim here.

    A new victim has none. We register the victim by pseudonym and coarse facts; custody we learn only by accepting it.
    """
    if load_victim(tx.session, event.victim_id) is not None:
        return referrals.live_of_victim(tx.session, event.victim_id)
    tx.session.add(
        VictimRow(
            id=event.victim_id,
            case_id=event.case_id,
            age_class=event.facts.age_class,
            sex=event.facts.sex,
            home_region=event.facts.home_region,
            stage=Stage.DETECTION,
            registered_at=tx.now,
        )
    )
    return ()
