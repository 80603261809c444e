"""The event catalogue: every event type that crosses the wire and the shape of its ``data``.

Nothing here can hold a name, a number, an address or free text. Identity travels only in ``sealed``.
Evolution is additive: the golden JSON Schemas in ``golden/`` are compared with these classes by a test.
"""

from typing import ClassVar

from shared.contracts.codes import (
    BreakGlassEnd,
    BreakGlassReason,
    CancellationReason,
    Capacity,
    ConsentEnd,
    ConsentManner,
    ConsentPurpose,
    DisclosureEnd,
    Exploitation,
    FailReason,
    GuardianPart,
    HoldReason,
    IdentityField,
    InformationKind,
    JourneyOutcome,
    KeptBecause,
    Kind,
    LetterKind,
    Level,
    MatchKind,
    MatchStrength,
    NormGap,
    Outcome,
    Priority,
    ReceiptOutcome,
    RefusalReason,
    RejectReason,
    SamePerson,
    Stage,
    Verdict,
)
from shared.contracts.types import (
    Base64Url,
    Code,
    Count,
    Country,
    Custody,
    DeskRef,
    Facts,
    Flag,
    Id,
    LetterCode,
    Link,
    Moment,
    NoticeVersion,
    Sha256,
    UnitRef,
    Value,
    VictimFacts,
)

TYPE_PREFIX = "id.tppo"


class EventData(Value):
    """The ``data`` of one event type. ``entity`` and ``event`` are the two words of its subject and type."""

    entity: ClassVar[str]
    event: ClassVar[str]
    subject_field: ClassVar[str]
    """Which field is the CloudEvents ``subject``."""
    numbered: ClassVar[bool] = True
    """Whether the event takes a number on its link and waits for a receipt. Receipts themselves do not."""

    @classmethod
    def type(cls) -> str:
        """The CloudEvents ``type``, such as ``id.tppo.referral.requested.v1``."""
        return f"{TYPE_PREFIX}.{cls.entity}.{cls.event}.v1"

    @property
    def subject(self) -> str:
        """The CloudEvents ``subject``: the id of what the event is about."""
        return str(getattr(self, self.subject_field))


class CaseOpened(EventData):
    """An agency has opened a case: one trafficking incident."""

    entity, event, subject_field = "case", "opened", "case_id"
    case_id: Id
    unit: UnitRef
    channel: Code
    exploitation: Exploitation
    destination: Country | None = None
    occurred_at: Moment


class VictimRegistered(EventData):
    """A victim is known and has a first custody holder. From here on somebody is responsible."""

    entity, event, subject_field = "victim", "registered", "victim_id"
    case_id: Id
    victim_id: Id
    facts: VictimFacts
    custody: Custody
    occurred_at: Moment


class StageRecorded(EventData):
    """The custody holder says that the victim has entered a stage of the journey."""

    entity, event, subject_field = "victim", "stage-recorded", "victim_id"
    victim_id: Id
    stage: Stage
    unit: UnitRef
    occurred_at: Moment


class VictimInterviewed(EventData):
    """A victim has been asked to tell it all. Counted across agencies: nobody tells it twice without a reason."""

    entity, event, subject_field = "victim", "interviewed", "victim_id"
    victim_id: Id
    interview_id: Id
    unit: UnitRef
    occurred_at: Moment


class JourneyClosed(EventData):
    """The custody holder ends the journey, after after-care."""

    entity, event, subject_field = "journey", "closed", "victim_id"
    victim_id: Id
    outcome: JourneyOutcome
    unit: UnitRef
    occurred_at: Moment


class RecordFiled(EventData):
    """An agency has filed a form of its own work. What stands in it stays with the agency."""

    entity, event, subject_field = "record", "filed", "record_id"
    record_id: Id
    form: Code
    form_version: NoticeVersion
    victim_id: Id | None = None
    case_id: Id | None = None
    referral_id: Id | None = None
    corrects: Id | None = None
    unit: UnitRef
    occurred_at: Moment


class RecordDelivered(EventData):
    """What was filed for a referral is delivered to the agency that asked for it, sealed for it alone."""

    entity, event, subject_field = "record", "delivered", "record_id"
    record_id: Id
    form: Code
    form_version: NoticeVersion
    victim_id: Id
    referral_id: Id
    corrects: Id | None = None
    unit: UnitRef
    sealed: str
    """Every field of the form: a JWE that the agency alone can open."""
    occurred_at: Moment


class ReferralEvent(EventData):
    """Any event about one referral."""

    entity, subject_field = "referral", "referral_id"
    referral_id: Id
    victim_id: Id
    occurred_at: Moment


class Requested(ReferralEvent):
    """Version 1, the only one the sender writes: it asks a desk for a service, or to take the victim over."""

    event = "requested"
    case_id: Id
    kind: Kind
    service: Code
    priority: Priority
    sender: UnitRef
    receiver: UnitRef
    facts: VictimFacts
    due_at: Moment
    clock: Code | None = None
    """The clock that ends then, of the table of clocks."""
    custody_seq: Count | None = None
    """For a transfer: the place in the custody chain that its acceptance takes."""
    replaces: Id | None = None
    forced: Flag = False
    interviews: tuple[Id, ...] = ()
    """The interviews of the victim that the sender knows of, by anybody."""
    consent_id: Id | None = None
    """The consent that the disclosure rests on, where that is its basis."""
    sealed: str | None = None
    """What the service needs to know of who the victim is: a JWE that the receiving agency alone can open."""


class Received(ReferralEvent):
    """The receiver's service has the request; no person has decided yet."""

    event = "received"


class Accepted(ReferralEvent):
    """The receiver takes the referral. For a transfer it names the new custody holder."""

    event = "accepted"
    custody: Custody | None = None


class Rejected(ReferralEvent):
    """The receiver will not take it, says why, and may name a better desk or the rule that is wanting."""

    event = "rejected"
    reason: RejectReason
    better_desk: DeskRef | None = None
    norm_gap: NormGap | None = None


class Started(ReferralEvent):
    """Work has begun."""

    event = "started"


class Held(ReferralEvent):
    """Work pauses."""

    event = "held"
    reason: HoldReason


class Resumed(ReferralEvent):
    """Work goes on."""

    event = "resumed"


class Completed(ReferralEvent):
    """The service has been given."""

    event = "completed"
    outcome: Outcome


class Failed(ReferralEvent):
    """Work had begun and will not reach its end."""

    event = "failed"
    reason: FailReason
    ask_id: Id | None = None
    """The cancellation this grants, where that is the reason."""
    norm_gap: NormGap | None = None


class Cancelled(ReferralEvent):
    """The receiver grants a cancellation before work began."""

    event = "cancelled"
    ask_id: Id


class CancellationRefused(ReferralEvent):
    """The receiver goes on although the sender asked it to stop."""

    event = "cancellation-refused"
    ask_id: Id
    reason: RefusalReason


class CancellationRequested(ReferralEvent):
    """The sender asks the receiver to stop. It changes nothing until the receiver answers."""

    event = "cancellation-requested"
    ask_id: Id
    reason: CancellationReason


class InformationProvided(ReferralEvent):
    """The sender has added something. Its content is sealed or fetched, never in clear."""

    event = "information-provided"
    about: InformationKind
    sealed: str | None = None


class Reminder(ReferralEvent):
    """The sender reminds the receiver that it waits."""

    event = "reminder"


class ConsentRecorded(EventData):
    """A person has agreed to disclosures: version ``version`` of what they agree to, which takes the place of any
    before (UU 27/2022 Ps 20-25). Codes alone; the record itself stays with the agency that took it."""

    entity, event, subject_field = "consent", "recorded", "consent_id"
    consent_id: Id
    victim_id: Id
    version: Count
    notice: NoticeVersion
    purposes: tuple[ConsentPurpose, ...]
    fields: tuple[IdentityField, ...]
    recipients: tuple[Code, ...]
    valid_until: Moment
    manner: ConsentManner
    guardian: GuardianPart
    unit: UnitRef
    occurred_at: Moment


class ConsentWithdrawn(EventData):
    """A consent can be relied on no more, as a rule because the person takes it back (UU 27/2022 Ps 9): nothing more
    is disclosed on it, and who holds what was disclosed on it stops, erases what it may, and answers. Said by who
    recorded it, or to them by a holder with whom the person took it back."""

    entity, event, subject_field = "consent", "withdrawn", "consent_id"
    consent_id: Id
    victim_id: Id
    unit: UnitRef
    because: ConsentEnd = ConsentEnd.WITHDRAWN
    occurred_at: Moment


class ErasureRequested(EventData):
    """A person is to be erased (UU 27/2022 Ps 8, 43-44): every holder destroys its keys unless the law forbids."""

    entity, event, subject_field = "erasure", "requested", "erasure_id"
    erasure_id: Id
    victim_id: Id
    unit: UnitRef
    occurred_at: Moment


class DisclosureEnded(EventData):
    """A holder's signed word of what it stopped or erased, in answer to a withdrawal or an erasure (``cause_id``)."""

    entity, event, subject_field = "disclosure", "ended", "cause_id"
    cause_id: Id
    victim_id: Id
    end: DisclosureEnd
    kept_because: KeptBecause | None = None
    fields: tuple[IdentityField, ...]
    occurred_at: Moment


class BreakGlassEvent(EventData):
    """Any event about one break-glass, for the agency responsible for the victim and for the coordinator."""

    entity, subject_field = "break-glass", "break_glass_id"
    break_glass_id: Id
    victim_id: Id
    occurred_at: Moment


class BreakGlassOpened(BreakGlassEvent):
    """Somebody looks who normally may not, until ``until`` at the latest."""

    event = "opened"
    unit: UnitRef
    reason: BreakGlassReason
    until: Moment


class BreakGlassEnded(BreakGlassEvent):
    """They can look no more. ``looks``: how often they did."""

    event = "ended"
    end: BreakGlassEnd
    looks: Count


class BreakGlassReviewed(BreakGlassEvent):
    """A second person has judged it."""

    event = "reviewed"
    verdict: Verdict


class BreakGlassReviewOverdue(BreakGlassEvent):
    """No second person has judged it in time. It may still be judged."""

    event = "review-overdue"
    due_at: Moment


class ClockEvent(EventData):
    """Any event about a running clock: whose it is, what it runs for (``about``), and when its time is over.

    Both sides of a hand-over keep its clock, each for its own desk.
    """

    entity, subject_field = "clock", "about"
    about: Id
    clock: Code
    victim_id: Id | None = None
    unit: UnitRef
    started_at: Moment
    due_at: Moment
    occurred_at: Moment


class ClockWarned(ClockEvent):
    """Its time is nearly over."""

    event = "warned"


class ClockBreached(ClockEvent):
    """Its time is over, and what it waits for has not happened as far as its keeper knows."""

    event = "breached"


class ClockEscalated(ClockEvent):
    """Still not: a desk above is told."""

    event = "escalated"
    to: UnitRef
    level: Level


class ClockStopped(ClockEvent):
    """What a clock that had warned was waiting for has happened, in time or late."""

    event = "stopped"
    in_time: Flag


class CapacityAnnounced(EventData):
    """A desk says whether it can take anybody on for a service, so that others ask where there is room."""

    entity, event, subject_field = "capacity", "announced", "announcement_id"
    announcement_id: Id
    unit: UnitRef
    service: Code
    capacity: Capacity
    valid_until: Moment
    """After this nothing is known any more."""
    occurred_at: Moment


class DeskDescribed(EventData):
    """A desk says what it is and what it can do, as its agency's form asks, so that others know whom to ask. The latest
    word counts: a later one, or one that corrects it."""

    entity, event, subject_field = "desk", "described", "record_id"
    record_id: Id
    unit: UnitRef
    form: Code
    facts: Facts
    corrects: Id | None = None
    occurred_at: Moment


class LetterIssued(EventData):
    """A desk has printed something of a referral or of a record. What stands on the paper is not told: whoever holds it
    checks its code, and that the event it tells of (``tells``) is in the ledger and still the last word."""

    entity, event, subject_field = "letter", "issued", "code"
    code: LetterCode
    kind: LetterKind
    victim_id: Id | None = None
    referral_id: Id | None = None
    version: Count | None = None
    """The version of the referral that it tells of."""
    record_id: Id | None = None
    form: Code | None = None
    tells: Id | None = None
    """The event that it tells of."""
    unit: UnitRef
    occurred_at: Moment


class TokensTold(EventData):
    """By what a victim may be known again at another agency: keyed hashes, for the coordinator alone, of what the
    sender has written down itself. They take the place of what it told before; with nothing ``sealed`` there are
    none."""

    entity, event, subject_field = "tokens", "told", "victim_id"
    victim_id: Id
    sealed: str | None = None
    """The tokens by kind: a JWE that the coordinator alone can open."""
    occurred_at: Moment


class MatchEvent(EventData):
    """Any event about a proposal that two victims may be one person: a pair (``match_id``), seen from one of them."""

    entity, subject_field = "match", "match_id"
    match_id: Id
    victim_id: Id
    occurred_at: Moment


class MatchProposed(MatchEvent):
    """The coordinator to who is responsible for ``victim_id``: how a proposal stands. Told when it is made, when more
    speaks for it, when a desk becomes responsible, and when the other side has said something."""

    event = "proposed"
    other_id: Id
    other_desk: UnitRef
    """Whom to ask: the desk that is responsible for the other."""
    kinds: tuple[MatchKind, ...]
    strength: MatchStrength
    said: SamePerson | None = None
    """The last word of this side."""
    said_at: Moment | None = None
    other_said: SamePerson | None = None


class MatchWithdrawn(MatchEvent):
    """There is nothing left that they have in common: it was corrected, or one of them has been erased."""

    event = "withdrawn"


class MatchDecided(MatchEvent):
    """Who is responsible for ``victim_id`` says whether it is the same person. The last word of each side counts."""

    event = "decided"
    decision: SamePerson
    unit: UnitRef


class ReceiptRecorded(EventData):
    """The receiver's signed word that it has durably recorded an event (DESIGN section 4)."""

    entity, event, subject_field = "receipt", "recorded", "event_id"
    numbered = False
    event_id: Id
    sha256: Sha256
    linkseq: Count
    outcome: ReceiptOutcome


class LinkWitnessed(EventData):
    """Coordination's word that it has recorded every event of a link up to ``through``.

    Coordination reads what is addressed to others and so sends no receipts for it; without this word a broker
    wiped between the receiver's read and coordination's would leave a hole in the journeys for ever.
    """

    entity, event, subject_field = "link", "witnessed", "link"
    numbered = False
    link: Link
    through: Count


class KeysPublished(EventData):
    """The task force has published the keys of the network anew: a JWS (RFC 7515) in its three parts.

    Who carries it does not matter: what counts is the signature of the task force's directory key, and the version.
    """

    entity, event, subject_field = "keys", "published", "version"
    version: Count
    protected: Base64Url
    payload: Base64Url
    signature: Base64Url


ReceiverEvent = (
    Received | Accepted | Rejected | Started | Held | Resumed | Completed | Failed | Cancelled | CancellationRefused
)
"""Written by the receiver; each is the next version of the referral."""

SenderAsk = CancellationRequested | InformationProvided | Reminder
"""Written by the sender; none makes a version."""

CATALOGUE: dict[str, type[EventData]] = {
    event.type(): event
    for event in (
        CaseOpened,
        VictimRegistered,
        StageRecorded,
        VictimInterviewed,
        JourneyClosed,
        RecordFiled,
        RecordDelivered,
        Requested,
        Received,
        Accepted,
        Rejected,
        Started,
        Held,
        Resumed,
        Completed,
        Failed,
        Cancelled,
        CancellationRefused,
        CancellationRequested,
        InformationProvided,
        Reminder,
        ConsentRecorded,
        ConsentWithdrawn,
        ErasureRequested,
        DisclosureEnded,
        BreakGlassOpened,
        BreakGlassEnded,
        BreakGlassReviewed,
        BreakGlassReviewOverdue,
        ClockWarned,
        ClockBreached,
        ClockEscalated,
        ClockStopped,
        CapacityAnnounced,
        DeskDescribed,
        LetterIssued,
        TokensTold,
        MatchProposed,
        MatchWithdrawn,
        MatchDecided,
        ReceiptRecorded,
        LinkWitnessed,
        KeysPublished,
    )
}
"""CloudEvents type → class of its data."""


EVERYONE = "all"
"""The addressee of an event that every agency may read."""
