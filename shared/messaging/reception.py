"""Receive events: trust only a signature, write the ledger before anything else, answer with a receipt.

An event that cannot be applied is parked, never dropped. An untrusted message is parked too, but gets no receipt and no
ledger entry. So a forgery can never take the place of the real event.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import OperationalError

from shared.contracts.codes import ReceiptOutcome
from shared.contracts.envelope import Envelope, Unreadable
from shared.contracts.events import EVERYONE, EventData, ReceiptRecorded
from shared.contracts.types import UnitRef
from shared.logs import trace
from shared.messaging.broker import Incoming
from shared.messaging.parked import Park, Retry, park, settle
from shared.messaging.quarantine import Quarantine
from shared.messaging.turns import Waiting, WorkList, next_ahead, parked_for, whose_time_has_come
from shared.reference.office import draft
from shared.security.key_directory import DirectoryFile
from shared.security.keys import Untrusted
from shared.security.vault import VaultUnavailable
from shared.storage import ledger
from shared.storage.notifier import Topic
from shared.storage.tables import ParkedEvent
from shared.storage.timers import Timer
from shared.storage.unit_of_work import Transaction

log = structlog.get_logger()

LONGEST_KEY = 2000
"""Maximum length of a wrapped data key, in characters."""

Apply = Callable[[Transaction, Envelope, EventData], None]
"""Applies an event to a member's rows. Raises Park.

Any other exception is our own fault and parks the event too, except trouble of the database or the vault.
"""


Objects = Callable[[Transaction, Envelope, EventData], str | None]
"""Answers why a trusted event must be parked before it is applied (``shared.domain.trust``), or None."""


TellParked = Callable[[Transaction, Envelope, EventData], None]
"""Tells others of a trusted event that is parked, because a rule or a stored row is against it."""


def tell_nobody(tx: Transaction, envelope: Envelope, event: EventData) -> None:
    """The ``TellParked`` of a member that tells nobody."""


@dataclass(frozen=True, slots=True)
class Reception:
    """One member's reception of events. A follower also receives events for others, and sends no receipt for them."""

    member: str
    unit: UnitRef
    """The unit in whose name receipts are sent."""
    keys: DirectoryFile
    apply: Apply
    objects: Objects
    quarantine: Quarantine
    """Where untrusted messages are kept."""
    tell_parked: TellParked = tell_nobody
    follower: bool = False

    def __call__(self, tx: Transaction, batch: Sequence[Incoming]) -> None:
        """Receive a batch of messages in one transaction."""
        for message in batch:
            self._take(tx, message)

    def _take(self, tx: Transaction, message: Incoming) -> None:
        try:
            envelope = self._trusted(tx, message)
        except (Untrusted, Unreadable) as error:
            self.quarantine.park(tx, message, error.reason)
            return
        known = ledger.recorded(tx.session, envelope)
        if known is None and ledger.is_far_ahead(tx.session, envelope):
            self.quarantine.park(tx, message, "number-far-ahead")  # no receipt: it is sent again
            return
        if known is None:
            key = message.key if len(message.key or "") <= LONGEST_KEY else None
            # a follower keeps no key of events for other members, and opens nothing in them
            ours = not self.follower or envelope.receiver == self.member
            if key is not None and ours and not ledger.overtaken(tx.session, envelope):
                tx.deliveries.keys[envelope.id] = key
            outcome = self._record(tx, envelope, message)
        elif known == hashlib.sha256(message.body).hexdigest():
            outcome = ReceiptOutcome.DUPLICATE
            if envelope.linkseq is not None:
                tx.deliveries.repeated.add(envelope.link)
        else:
            # same id or same number on the link, but other bytes: one of the two is not what was sent
            self.quarantine.park(tx, message, "id-or-number-reused")
            return
        self._receipt(tx, envelope, message, outcome)

    def _trusted(self, tx: Transaction, message: Incoming) -> Envelope:
        """The envelope of a message, if the signer, the sender in the envelope and the subject agree. Raises
        Untrusted."""
        signer = self.keys.verify(message.body, message.signature, tx.now)
        envelope = Envelope.read(message.body)
        if envelope.sender != signer:
            raise Untrusted("forged-sender")
        if envelope.nats_subject != message.subject:
            raise Untrusted("forged-subject")
        if not self.follower and envelope.receiver not in (self.member, EVERYONE):
            raise Untrusted("not-addressed-to-us")
        return envelope

    def _record(self, tx: Transaction, envelope: Envelope, message: Incoming) -> ReceiptOutcome:
        ledger.file_received(tx.session, envelope, message.body, message.signature or "", tx.now)
        if envelope.linkseq is not None:
            tx.deliveries.arrivals.setdefault(envelope.link, []).append(envelope.linkseq)
        reason = self.attempt(tx, envelope)
        if reason is None:
            return ReceiptOutcome.APPLIED
        subject = self.quarantine.declared(message.subject)
        park(tx, message.body, message.signature, subject, reason, envelope)
        return ReceiptOutcome.PARKED

    def attempt(self, tx: Transaction, envelope: Envelope) -> str | None:
        """Apply an event that is already in the ledger, and then what waits for it.

        Answers None, or the reason code why the event cannot be applied.
        """
        work = WorkList()
        reason = self._attempt_one(tx, envelope, None, work)
        self._try_all(tx, work)
        return reason

    def _attempt_one(self, tx: Transaction, envelope: Envelope, row: ParkedEvent | None, work: WorkList) -> str | None:
        """Apply one event. Answers None, or the reason why not. Adds to ``work`` what waits for this event.

        ``row``: the event's own parked row, where it has one. It holds back what arrived after it alone.
        """
        outer = trace.traceparent.set(envelope.traceparent)
        try:
            content = envelope.content()
            if content is None:
                return "unknown-type"
            if content.numbered is (envelope.linkseq is None):
                return "number-missing" if content.numbered else "number-not-expected"
            # outside of the savepoint, so that the rows which it locks stay locked and need no second statement
            if (objection := self.objects(tx, envelope, content)) is not None:
                self.tell_parked(tx, envelope, content)
                return objection
            try:
                with tx.savepoint():
                    self.apply(tx, envelope, content)
                    waiting = work.read(tx.session, envelope, content)
                    if work.holds_back(envelope, row):
                        raise Park("behind-one-ahead")
                work.applied(envelope, content, waiting)
            except Park as refusal:
                self.tell_parked(tx, envelope, content)
                return refusal.reason
        except (Park, Unreadable) as error:
            return error.reason
        except (OperationalError, VaultUnavailable):
            raise  # a fault of the database or the vault, not of the event
        except Exception as error:
            log.error("reception.apply-failed", type=envelope.type, error=type(error).__name__, event_id=envelope.id)
            return "apply-failed"
        finally:
            trace.traceparent.reset(outer)
        return None

    def try_ahead(self, tx: Transaction) -> int:
        """Try again the parked events whose time has come, in the order of their arrival; answers how many."""
        come = whose_time_has_come(tx.session, tx.now)
        self._try_all(tx, WorkList(come))
        return len(come)

    def try_at_start(self, tx: Transaction) -> None:
        """Try again the parked events that wait for newer reference data, which a start reads."""
        self._try_all(tx, WorkList(parked_for(tx.session, Retry.AT_START)))

    def _try_all(self, tx: Transaction, work: WorkList) -> None:
        """Try parked events, one after another, until nothing is left that may apply."""
        while (one := work.next()) is not None:
            self._attempt_waiting(tx, one, work)

    def attempt_parked(self, tx: Transaction, parked: Envelope, row: ParkedEvent) -> str | None:
        """Apply a parked event and store the outcome, which is answered as ``attempt`` does."""
        work = WorkList()
        reason = self._attempt_waiting(tx, (parked, row), work)
        self._try_all(tx, work)
        return reason

    def _attempt_waiting(self, tx: Transaction, one: Waiting, work: WorkList) -> str | None:
        parked, row = one
        row.resolved_at = tx.now  # so it does not wait for itself
        tx.deliveries.tried_again.add(parked.id)
        tx.session.flush()
        if row.key is not None:
            tx.deliveries.keys[parked.id] = row.key
        reason = self._attempt_one(tx, parked, row, work)
        settle(tx, row, parked, reason)
        if reason is not None:
            work.failed(one)
        return reason

    def _receipt(self, tx: Transaction, envelope: Envelope, message: Incoming, outcome: ReceiptOutcome) -> None:
        if envelope.linkseq is None or envelope.receiver != self.member:
            return
        receipt = ReceiptRecorded(
            event_id=envelope.id,
            sha256=hashlib.sha256(message.body).hexdigest(),
            linkseq=envelope.linkseq,
            outcome=outcome,
        )
        unit = UnitRef(agency=self.member, unit=self.unit.unit, region=envelope.region)
        tx.emit(draft(receipt, envelope.sender, unit, victim_id=envelope.partitionkey, causation_id=envelope.id))


def ahead_timer(reception: Reception) -> Timer:
    """The timer that tries events again which were dated ahead of our clock."""
    return Timer(Topic.PARKED, next_ahead, reception.try_ahead)
