"""Park a trusted event that cannot be applied: stored and listed, never dropped.

An applied event leaves the list 90 days later. ``reception`` tries parked events again. The security log tells of an
event that waits too long, and of a sender with too many. ``quarantine`` keeps untrusted messages.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from functools import partial

import structlog
from sqlalchemy import delete, func, select, update
from sqlmodel import Session, col

from shared.contracts.envelope import Envelope
from shared.messaging import quarantine
from shared.reference.office import Office
from shared.storage.columns import UtcMoment
from shared.storage.notifier import Topic
from shared.storage.tables import LedgerEntry, ParkedEvent, UnkeptMessages
from shared.storage.timers import Timer
from shared.storage.unit_of_work import Transaction

log = structlog.get_logger()

PARKED_KEPT = timedelta(days=90)
"""Time during which an applied parked event stays listed. The ledger keeps the event anyway."""
WAITS_LONG = timedelta(days=30)
"""After this time the security log tells of a trusted event that still waits."""
MOST_WAITING = 1000
"""At every so many waiting trusted events of one sender, the security log tells of that sender."""
AT_ONCE = 500
"""Rows that one transaction deletes."""


class Retry(Enum):
    """When reception applies a parked event again. An operator may replay any trusted event at any time."""

    NEVER = auto()
    WHEN_REFERRAL_CHANGES = auto()
    """After the next event of the same referral is applied."""
    WHEN_VICTIM_CHANGES = auto()
    """As WHEN_REFERRAL_CHANGES. Also after an event that begins a part in the victim (``trust.BEGINS_A_PART``)."""
    WHEN_TIME_COMES = auto()
    """At the moment at which the event says that it was told. At once where that moment has come.

    After the events before it (``IN_TURN``) where those are dated ahead."""
    WHEN_CUSTODY_IS_GIVEN_BACK = auto()
    """After this agency gives back a custody link of the victim (``try_kept_out``)."""
    AT_START = auto()
    """At every start of the service, which reads the reference data anew."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an event is parked, in one sentence, and when reception applies the event again."""

    meaning: str
    retry: Retry = Retry.NEVER
    alarm: bool = False
    """Whether two members contradict each other, so that people must look."""


REASONS: Mapping[str, Reason] = {
    # An event that has to arrive first is missing
    "version-gap": Reason("An earlier version of the referral is missing.", Retry.WHEN_REFERRAL_CHANGES),
    "unknown-ask": Reason("The answer names no ask, or another ask than the open one.", Retry.WHEN_REFERRAL_CHANGES),
    "unknown-referral": Reason("The request of the referral is missing.", Retry.WHEN_REFERRAL_CHANGES),
    "not-in-custody": Reason("No custody is known that allows the sender to say this.", Retry.WHEN_VICTIM_CHANGES),
    "not-theirs-to-say": Reason("The sender has no say here, as far as is known.", Retry.WHEN_VICTIM_CHANGES),
    "unknown-break-glass": Reason("The opening of the break-glass is missing.", Retry.WHEN_VICTIM_CHANGES),
    "not-taken-on": Reason("The sender has not taken the referral on, as far as is known.", Retry.WHEN_VICTIM_CHANGES),
    "unknown-desk": Reason("The network has no such desk on that day.", Retry.AT_START),
    "told-ahead-of-time": Reason("The envelope is dated more than AHEAD in the future.", Retry.WHEN_TIME_COMES),
    "behind-one-ahead": Reason(
        "An event about the referral arrived earlier on the link, and waits for its time.", Retry.WHEN_TIME_COMES
    ),
    # The event contradicts what is stored
    "unknown-victim": Reason("The proposal is about a victim that is not registered here."),
    "id-of-another-victim": Reason("The event and the stored row name different victims."),
    "id-of-another-kind": Reason("The event uses an id of ours for another kind of thing, or one id for two kinds."),
    "referral-id-taken": Reason("A referral with this id exists.", alarm=True),
    "record-id-taken": Reason("A record with this id exists."),
    "letter-code-taken": Reason("A letter with this code exists."),
    "custody-link-taken": Reason(
        "The custody chain of the victim has a link with this number.", Retry.WHEN_CUSTODY_IS_GIVEN_BACK, alarm=True
    ),
    "not-the-holder": Reason(
        "Another agency holds the link before the link that is offered.", Retry.WHEN_CUSTODY_IS_GIVEN_BACK, alarm=True
    ),
    "custody-given-back": Reason("A custody link stood in the way, and was given back.", Retry.WHEN_TIME_COMES),
    "custody-link-stands": Reason("The receiver gives back a custody link that our chain has.", alarm=True),
    "case-taken": Reason("Another agency has opened the case, or its facts are known already.", alarm=True),
    "registered-twice": Reason("The victim is registered already.", alarm=True),
    "version-conflict": Reason("Another event with this version of the referral is applied already.", alarm=True),
    "version-repeated": Reason("The event repeats in other bytes what is applied already."),
    "version-missing": Reason("The event makes a version of the referral, and names none."),
    "move-not-allowed": Reason("The status of the referral or a change of custody does not allow the event."),
    "custody-not-offered": Reason("The acceptance states another custody than the request offered."),
    "receipt-of-unknown-event": Reason("The receipt names no event that was sent to the sender of the receipt."),
    "receipt-of-other-bytes": Reason("The receipt has another hash or link number than the event that was sent."),
    # The sender may not send this event, or may not send it to this member
    "not-the-sender": Reason("The event names another sender or receiver than its envelope or its referral."),
    "not-the-receiver": Reason("The event is not from the receiver of the referral."),
    "not-the-coordinator": Reason("Only the coordinator may send this event, with a link number, about our own links."),
    "not-for-this-receiver": Reason("The event goes to a member that may not receive it."),
    "not-for-an-agency": Reason("No agency receives events of this type."),
    "original-not-proven": Reason("The event is passed on without the signed event that it is about."),
    "passed-on-too-often": Reason("The event went through more hands than MOST_HANDS of the erasure."),
    "no-legal-basis": Reason("The event discloses sealed text without a legal basis."),
    "malformed-directory": Reason("The key directory cannot be read."),
    "untrusted-directory": Reason("The key directory has no valid signature of the task force."),
    "forked-directory": Reason("The key directory differs from the known one of the same version."),
    # The content does not match the catalogue of events
    "unknown-type": Reason("The type of the event is not in the catalogue."),
    "data-of-another-shape": Reason("The data does not have the shape of the type."),
    "subject-is-not-the-data": Reason("The attribute ``subject`` and the data disagree."),
    "partitionkey-is-not-the-data": Reason("The attribute ``partitionkey`` and the victim in the data disagree."),
    "number-missing": Reason("Events of this type have a number on their link, and this one has none."),
    "number-not-expected": Reason("Events of this type have no number on their link, and this one has one."),
    "out-of-bounds": Reason("A number or a moment of the event is out of its bounds, or does not go with the rest."),
    "occurred-before-its-cause": Reason("The event occurred before the registration or the request that it follows."),
    "occurred-after-it-was-told": Reason("The event occurred later than its envelope was written."),
    "apply-failed": Reason("Applying the event raised an exception: a fault of this service."),
    # The message is not trusted: no ledger entry, no receipt
    "body-too-large": Reason("The body is larger than MAX_BODY of the envelope."),
    "not-strict-json": Reason("Parsers may read the JSON in more than one way."),
    "json-too-deep": Reason("The JSON nests too deep."),
    "duplicate-member": Reason("An object of the JSON has two members of one name."),
    "not-an-envelope": Reason("The body is no JSON of the shape of an envelope."),
    "source-is-not-the-sender": Reason("The attributes ``source`` and ``link`` name different senders."),
    "subject-is-not-an-id": Reason("The subject of a referral event is no id."),
    "unsigned": Reason("The message has no signature."),
    "malformed-signature": Reason("The signature is not base64."),
    "unknown-key": Reason("The key directory has no signing key with the id in the signature."),
    "wrong-signature": Reason("The signature is not of these bytes."),
    "revoked-key": Reason("The key was revoked."),
    "retired-key": Reason("The key was retired longer ago than GRACE."),
    "forged-sender": Reason("The key is of another agency than the sender in the envelope."),
    "forged-subject": Reason("The message travelled under another NATS subject than its envelope says."),
    "not-addressed-to-us": Reason("The receiver in the envelope is another member."),
    "number-far-ahead": Reason("The number on the link is far beyond the highest one that is recorded."),
    "id-or-number-reused": Reason("Other bytes with this id, or with this number on the link, are in the ledger."),
    "cannot-be-recorded": Reason("Reception raised an exception for this message alone."),
}
"""Reason code → its meaning. Only a code of this table may stand in the column ``reason`` of the table ``parked``."""

IN_TURN = ("told-ahead-of-time", "behind-one-ahead")
"""Reasons by which an event holds back what arrives after it, about the same referral on the same link."""

ALARMS = sorted(code for code, reason in REASONS.items() if reason.alarm)
"""The codes of the reasons that are an alarm, for a query."""


def reasons_tried(*when: Retry) -> list[str]:
    """The codes of the reasons with these kinds of retry, for a query."""
    return [code for code, reason in REASONS.items() if reason.retry in when]


class Park(Exception):
    """This event cannot be applied now. ``reason`` is a code of REASONS, which tells when the event is tried again."""

    def __init__(self, reason: str) -> None:
        if reason not in REASONS:
            raise ValueError(f"{reason} is no reason for parking")
        super().__init__(reason)
        self.reason = reason


def park(
    tx: Transaction,
    body: bytes,
    signature: str | None,
    subject: str,
    reason: str,
    envelope: Envelope,
) -> None:
    """Store a trusted event that cannot be applied, once. ``subject``: its declared words."""
    digest = hashlib.sha256(body).hexdigest()
    same = (col(ParkedEvent.sha256) == digest) & col(ParkedEvent.trusted).is_(True)
    if tx.session.scalars(select(ParkedEvent).where(same)).first() is None:
        tx.session.add(
            ParkedEvent(
                sha256=digest,
                trusted=True,
                reason=reason,
                sender=envelope.sender,
                event_id=envelope.id,
                referral_id=envelope.referral_id,
                subject=subject,
                size=len(body),
                body=body,
                signature=signature and signature[:400],
                key=tx.deliveries.keys.get(envelope.id),
                parked_at=tx.now,
            )
        )
        tx.session.flush()
        tx.changed.add(Topic.PARKED)
    _tell_of_contradiction(tx, envelope, None, reason)
    log.warning("reception.parked", reason=reason, trusted=True, sender=envelope.sender)


def try_kept_out(tx: Transaction, victim_id: str) -> None:
    """Have the timer of reception try again the events that a custody link kept out, which was given back."""
    of_victim = select(col(LedgerEntry.event_id)).where(col(LedgerEntry.victim_id) == victim_id)
    kept_out = col(ParkedEvent.reason).in_(reasons_tried(Retry.WHEN_CUSTODY_IS_GIVEN_BACK))
    waiting = col(ParkedEvent.resolved_at).is_(None) & col(ParkedEvent.event_id).in_(of_victim)
    tx.session.execute(update(ParkedEvent).where(kept_out, waiting).values(reason="custody-given-back"))
    tx.changed.add(Topic.PARKED)


def settle(tx: Transaction, row: ParkedEvent, envelope: Envelope, reason: str | None) -> None:
    """Store the outcome of another attempt: the event is applied (None), or waits for this reason."""
    before = row.reason
    if reason is None:
        row.resolved_at, row.key = tx.now, None  # applying has stored the key, or dropped it with the sealed text
    else:
        row.reason, row.resolved_at = reason, None
    _tell_of_contradiction(tx, envelope, before, reason)


def _tell_of_contradiction(tx: Transaction, envelope: Envelope, before: str | None, reason: str | None) -> None:
    """Wake who waits for the victim when a contradiction begins or ends. The security log tells of a beginning."""
    began, ended = reason in ALARMS, before in ALARMS
    if reason == before or not (began or ended):
        return
    if envelope.partitionkey is not None:
        tx.changed.add(envelope.partitionkey)
    if began:
        said, of, at = envelope.type, envelope.sender, envelope.id
        tx.afterwards.append(
            lambda: log.error("reception.contradiction", reason=reason, sender=of, type=said, event_id=at)
        )


def parked_timer(_: Office) -> Timer:
    """The retention timer of every member, an agency or not."""
    return Timer(Topic.RETENTION, next_forgotten_parked, forget_parked)


_RESOLVED, _UNTRUSTED = col(ParkedEvent.resolved_at).is_not(None), col(ParkedEvent.trusted).is_(False)


def forget_parked(tx: Transaction) -> int:
    """Delete events applied ``PARKED_KEPT`` ago, and untrusted messages and counts as old as their time.

    Tell in the security log which trusted events wait too long, and who has too many. Returns the number deleted.
    """
    _tell_of_waiting(tx)
    applied = _RESOLVED & (col(ParkedEvent.resolved_at) <= tx.now - PARKED_KEPT)
    old = applied | (_UNTRUSTED & (col(ParkedEvent.parked_at) <= tx.now - quarantine.KEPT))
    numbers = tx.session.scalars(select(col(ParkedEvent.number)).where(old).limit(AT_ONCE)).all()
    tx.session.execute(delete(ParkedEvent).where(col(ParkedEvent.number).in_(numbers)))
    tx.session.execute(delete(UnkeptMessages).where(col(UnkeptMessages.last_at) <= tx.now - quarantine.KEPT))
    return len(numbers)


_UNTOLD = (
    col(ParkedEvent.trusted).is_(True) & col(ParkedEvent.resolved_at).is_(None) & col(ParkedEvent.told_at).is_(None)
)


def _tell_of_waiting(tx: Transaction) -> None:
    oldest = func.min(col(ParkedEvent.parked_at), type_=UtcMoment)
    waiting = select(col(ParkedEvent.sender), func.count(), oldest).where(_UNTOLD).group_by(col(ParkedEvent.sender))
    for sender, messages, since in tx.session.execute(waiting).all():
        if messages < MOST_WAITING and since > tx.now - WAITS_LONG:
            continue
        told = update(ParkedEvent).where(_UNTOLD, col(ParkedEvent.sender) == sender)
        if messages < MOST_WAITING:  # only what is old: the rest has its own day
            told = told.where(col(ParkedEvent.parked_at) <= tx.now - WAITS_LONG)
        marked = tx.session.execute(told.values(told_at=tx.now)).rowcount  # type: ignore[attr-defined]
        tx.afterwards.append(partial(log.error, "reception.waits-too-long", sender=sender, messages=marked))


def next_forgotten_parked(session: Session) -> datetime | None:
    """When the next row is due for deletion or for the security log (UTC); None if there is none."""
    firsts = (
        (_RESOLVED, col(ParkedEvent.resolved_at), PARKED_KEPT),
        (_UNTRUSTED, col(ParkedEvent.parked_at), quarantine.KEPT),
        (_UNTOLD, col(ParkedEvent.parked_at), WAITS_LONG),
    )
    due = []
    for which, moment, kept in firsts:
        first: datetime | None = session.scalars(select(moment).where(which).order_by(moment).limit(1)).first()
        due += [] if first is None else [first + kept]
    return min(due, default=None)
