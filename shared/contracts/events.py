"""The event catalogue: every event type that crosses the wire and the shape of its ``data``.

No field can hold a person's name, number or address, or free text. Identity travels only in ``sealed``.
Evolution is additive: a test compares these classes with the golden JSON Schemas in ``golden/``.

Long because: the events are one catalogue, which an integrator reads from top to bottom.
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
    CustodyFinding,
    DisclosureEnd,
    Exploitation,
    FactsBasis,
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
    MatchTurn,
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
    PassedOn,
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
    """The name of the field that is the CloudEvents ``subject``."""
    numbered: ClassVar[bool] = True
    """Whether the event takes a number on its link and waits for a receipt. Receipts and witness events do not."""

    @classmethod
    def type(cls) -> str:
        """The CloudEvents ``type``, such as ``id.tppo.referral.requested.v1``."""
        return f"{TYPE_PREFIX}.{cls.entity}.{cls.event}.v1"

    @property
    def subject(self) -> str:
        """The CloudEvents ``subject``: the value of ``subject_field`` as text."""
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
    """An agency has registered a victim, with the first custody holder. From here on a unit is responsible."""

    entity, event, subject_field = "victim", "registered", "victim_id"
    case_id: Id
    victim_id: Id
    facts: VictimFacts
    custody: Custody
    occurred_at: Moment


class StageRecorded(EventData):
    """The custody holder records that the victim has entered a stage of the journey."""

    entity, event, subject_field = "victim", "stage-recorded", "victim_id"
    victim_id: Id
    stage: Stage
    unit: UnitRef
    occurred_at: Moment


class FactsCorrected(EventData):
    """The custody holder corrects the facts of a victim. They settle what other agencies have said before."""

    entity, event, subject_field = "victim", "facts-corrected", "victim_id"
    correction_id: Id
    victim_id: Id
    facts: VictimFacts
    basis: FactsBasis
    passed_on: PassedOn = 0
    """How many agencies have passed the word on, on the basis ``heard``."""
    unit: UnitRef
    occurred_at: Moment


class VictimInterviewed(EventData):
    """An agency has interviewed a victim. Interviews are counted across agencies, to avoid needless repetition."""

    entity, event, subject_field = "victim", "interviewed", "victim_id"
    victim_id: Id
    interview_id: Id
    unit: UnitRef
    occurred_at: Moment


class JourneyClosed(EventData):
    """The custody holder closes the journey, after after-care."""

    entity, event, subject_field = "journey", "closed", "victim_id"
    victim_id: Id
    outcome: JourneyOutcome
    unit: UnitRef
    occurred_at: Moment


class RecordFiled(EventData):
    """An agency has filed a form of its own work. The content of the form stays with the agency."""

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
    """The receiver of a referral delivers a record to the sender of the referral, sealed for the sender alone."""

    entity, event, subject_field = "record", "delivered", "record_id"
    record_id: Id
    form: Code
    form_version: NoticeVersion
    victim_id: Id
    referral_id: Id
    corrects: Id | None = None
    unit: UnitRef
    against_withdrawal: Flag = False
    """Whether the person has withdrawn the consent for the receiver. The law demands the record all the same."""
    sealed: str
    """Every field of the form, as a JWE that only the receiving agency can open."""
    occurred_at: Moment


class ReferralEvent(EventData):
    """Any event about one referral."""

    entity, subject_field = "referral", "referral_id"
    referral_id: Id
    victim_id: Id
    occurred_at: Moment


class Requested(ReferralEvent):
    """Version 1, the only version that the sender writes: a request for a service, or for a transfer of custody."""

    event = "requested"
    case_id: Id
    kind: Kind
    service: Code
    priority: Priority
    sender: UnitRef
    receiver: UnitRef
    facts: VictimFacts
    facts_of_receiver: Flag = False
    """Whether the facts are those that the receiver has told the sender. They are no second word beside its own."""
    due_at: Moment
    clock: Code | None = None
    """The code of the clock that ends at ``due_at``, from the table of clocks."""
    custody_seq: Count | None = None
    """For a transfer: the number of the custody link that acceptance creates."""
    replaces: Id | None = None
    forced: Flag = False
    interviews: tuple[Id, ...] = ()
    """The ids of all interviews of the victim that the sender knows of, by any agency."""
    consent_id: Id | None = None
    """The consent on which the disclosure rests, if consent is its legal basis."""
    against_withdrawal: Flag = False
    """Whether a supervisor discloses on another basis after the person withdrew the consent for this receiver."""
    sealed: str | None = None
    """The identity fields that the service needs, as a JWE that only the receiving agency can open."""


class Received(ReferralEvent):
    """The receiver's service has the request; no person has decided yet."""

    event = "received"


class Accepted(ReferralEvent):
    """The receiver accepts the referral. For a transfer, ``custody`` names the new custody holder."""

    event = "accepted"
    custody: Custody | None = None


class Rejected(ReferralEvent):
    """The receiver rejects the referral, with a reason. It may name a better desk or the missing rule."""

    event = "rejected"
    reason: RejectReason
    better_desk: DeskRef | None = None
    norm_gap: NormGap | None = None


class Started(ReferralEvent):
    """The receiver has begun the work."""

    event = "started"


class Held(ReferralEvent):
    """The receiver pauses the work, with a reason."""

    event = "held"
    reason: HoldReason


class Resumed(ReferralEvent):
    """The receiver resumes the work."""

    event = "resumed"


class Completed(ReferralEvent):
    """The receiver has completed the work, with a coded outcome."""

    event = "completed"
    outcome: Outcome


class Failed(ReferralEvent):
    """The referral has failed: the work had begun and will not be completed."""

    event = "failed"
    reason: FailReason
    ask_id: Id | None = None
    """The cancellation that this event grants, if the reason is ``cancellation-granted``."""
    norm_gap: NormGap | None = None


class Cancelled(ReferralEvent):
    """The receiver grants a cancellation before the work has begun."""

    event = "cancelled"
    ask_id: Id


class CancellationRefused(ReferralEvent):
    """The receiver refuses the cancellation that the sender asked for. The referral goes on."""

    event = "cancellation-refused"
    ask_id: Id
    reason: RefusalReason


class CancellationRequested(ReferralEvent):
    """The sender asks the receiver to cancel the referral. Nothing changes until the receiver answers."""

    event = "cancellation-requested"
    ask_id: Id
    reason: CancellationReason


class InformationProvided(ReferralEvent):
    """The sender adds information. The content is sealed or fetched, never in clear."""

    event = "information-provided"
    about: InformationKind
    sealed: str | None = None
    against_withdrawal: Flag = False
    """Whether a supervisor gives an identity on another basis after the person withdrew the consent for this receiver.
    """


class Reminder(ReferralEvent):
    """The sender reminds the receiver that the sender is waiting."""

    event = "reminder"


class CustodyEvent(EventData):
    """Any event about the custody of the sender of a transfer. It makes no version of the referral."""

    entity, subject_field = "referral", "referral_id"
    referral_id: Id
    victim_id: Id
    occurred_at: Moment


class CustodyAsked(CustodyEvent):
    """The receiver of a transfer asks coordination whether the sender has custody of the victim."""

    event = "custody-asked"
    unit: UnitRef


class CustodyChecked(CustodyEvent):
    """Coordination tells the receiver of a transfer whether the sender has custody of the victim.

    ``offered_by`` and ``custody_seq`` name the offer, because another agency could use its id again. Coordination sends
    the event without being asked where another agency has custody, or where nothing shows that the sender has.
    """

    event = "custody-checked"
    offered_by: Code
    custody_seq: Count
    finding: CustodyFinding


class ConsentRecorded(EventData):
    """A person has consented to disclosures (UU 27/2022 Ps 20-25). ``version`` replaces every earlier version.

    The event holds codes only. The consent record stays with the agency that recorded it.
    """

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


class SignedEvent(Value):
    """An event as it was signed: the exact bytes of its body, and of its signature header, each as base64url."""

    body: Base64Url
    signature: Base64Url


class ConsentWithdrawn(EventData):
    """A consent is no longer valid, usually because the person withdraws it (UU 27/2022 Ps 9).

    Disclosure on this consent ends at once. Every holder of disclosed data stops using the data, erases what it may,
    and answers with ``disclosure.ended``. The recording agency sends this event to the holders. A holder with which
    the person withdrew the consent sends it to the recording agency.
    """

    entity, event, subject_field = "consent", "withdrawn", "consent_id"
    consent_id: Id
    victim_id: Id
    unit: UnitRef
    because: ConsentEnd = ConsentEnd.WITHDRAWN
    occurred_at: Moment
    original: SignedEvent | None = None
    """For an event that is passed on: the signed event of the agency that told the sender."""
    given_with: tuple[Id, ...] = ()
    """For an event that is passed on: the referrals with which the sender gave on what is taken back. None: all."""


class ErasureRequested(EventData):
    """A person's data must be erased (UU 27/2022 Ps 8, 43-44). Each holder destroys its keys unless the law forbids."""

    entity, event, subject_field = "erasure", "requested", "erasure_id"
    erasure_id: Id
    victim_id: Id
    unit: UnitRef
    occurred_at: Moment
    original: SignedEvent | None = None
    """As in ``consent.withdrawn``."""
    given_with: tuple[Id, ...] = ()
    """As in ``consent.withdrawn``."""
    custody: SignedEvent | None = None
    """For an event that is passed on: the signed acceptance of custody by the agency that told the sender.

    By it, that agency took custody over from the sender."""


class DisclosureEnded(EventData):
    """A holder's signed statement of what it stopped or erased, after a withdrawal or an erasure (``cause_id``)."""

    entity, event, subject_field = "disclosure", "ended", "cause_id"
    cause_id: Id
    victim_id: Id
    end: DisclosureEnd
    kept_because: KeptBecause | None = None
    fields: tuple[IdentityField, ...]
    occurred_at: Moment


class BreakGlassEvent(EventData):
    """Any event about one break-glass, for the agency with custody of the victim and for the coordinator."""

    entity, subject_field = "break-glass", "break_glass_id"
    break_glass_id: Id
    victim_id: Id
    occurred_at: Moment


class BreakGlassOpened(BreakGlassEvent):
    """A caller who normally may not see an identity opens it in an emergency, until ``until`` at the latest."""

    event = "opened"
    unit: UnitRef
    reason: BreakGlassReason
    until: Moment


class BreakGlassEnded(BreakGlassEvent):
    """The break-glass has ended. ``looks`` counts how often the caller read the identity."""

    event = "ended"
    end: BreakGlassEnd
    looks: Count


class BreakGlassReviewed(BreakGlassEvent):
    """A second person has reviewed the break-glass."""

    event = "reviewed"
    verdict: Verdict


class BreakGlassReviewOverdue(BreakGlassEvent):
    """No second person has reviewed the break-glass by ``due_at``. A late review is still possible."""

    event = "review-overdue"
    due_at: Moment


class ClockEvent(EventData):
    """Any event about a running clock: its desk (``unit``), its subject (``about``) and its deadline (``due_at``).

    Both sides of a hand-over run its clock, each for its own desk.
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
    """The clock's deadline is near."""

    event = "warned"


class ClockBreached(ClockEvent):
    """The clock's deadline has passed, and the agency that runs the clock knows of no event that stops it."""

    event = "breached"


class ClockEscalated(ClockEvent):
    """The breached clock still runs, so a desk above (``to``) is told."""

    event = "escalated"
    to: UnitRef
    level: Level


class ClockStopped(ClockEvent):
    """An event has stopped a clock that had already warned, in time or late."""

    event = "stopped"
    in_time: Flag
    """By the recorded moment; by the told one, ``occurred_at``, where a reply slip on paper stands behind it."""
    recorded_at: Moment | None = None


class CapacityAnnounced(EventData):
    """A desk announces its capacity for a service, so that other desks send referrals where there is room."""

    entity, event, subject_field = "capacity", "announced", "announcement_id"
    announcement_id: Id
    unit: UnitRef
    service: Code
    capacity: Capacity
    valid_until: Moment
    """From this moment on the desk's capacity is unknown."""
    occurred_at: Moment


class DeskDescribed(EventData):
    """A desk describes itself on a form of its agency, so that others know which desk to ask.

    The latest description counts, whether it is a new one or a correction.
    """

    entity, event, subject_field = "desk", "described", "record_id"
    record_id: Id
    unit: UnitRef
    form: Code
    facts: Facts
    corrects: Id | None = None
    occurred_at: Moment


class LetterIssued(EventData):
    """A desk has printed a paper about a referral or a record. The event does not repeat the text of the paper.

    The holder of the paper checks its code. The check shows whether the event on the paper (``tells``) is in the
    ledger and is still the latest.
    """

    entity, event, subject_field = "letter", "issued", "code"
    code: LetterCode
    kind: LetterKind
    victim_id: Id | None = None
    referral_id: Id | None = None
    version: Count | None = None
    """The version of the referral on the paper."""
    record_id: Id | None = None
    form: Code | None = None
    tells: Id | None = None
    """The id of the event on the paper."""
    unit: UnitRef
    occurred_at: Moment


class TokensTold(EventData):
    """Keyed hashes of a victim's identifiers, by which the victim may be recognised at another agency.

    They are for the coordinator alone. The sender hashes only identifiers that it recorded itself. The hashes replace
    all earlier hashes of that sender for the victim; without ``sealed`` there are none.
    """

    entity, event, subject_field = "tokens", "told", "victim_id"
    victim_id: Id
    sealed: str | None = None
    """The hashes by kind of identifier, as a JWE that only the coordinator can open."""
    occurred_at: Moment


class MatchEvent(EventData):
    """Any event about a proposal that two victims may be one person.

    ``match_id`` names the pair; ``victim_id`` names the victim from whose side the event speaks.
    """

    entity, subject_field = "match", "match_id"
    match_id: Id
    victim_id: Id
    occurred_at: Moment


class MatchProposed(MatchEvent):
    """The coordinator tells the agency responsible for ``victim_id`` how a proposal stands.

    The coordinator sends it when the proposal is made or becomes stronger, and when a side decides. It also sends it to
    a desk that becomes responsible. Then the other side hears nothing, unless both said ``same-person``.
    """

    event = "proposed"
    other_id: Id | None = None
    """The other victim. Only where both sides said ``same-person``: until then a proposal shows nobody the way."""
    other_desk: UnitRef | None = None
    """The desk responsible for the other victim. Only where both sides said ``same-person``."""
    kinds: tuple[MatchKind, ...]
    strength: MatchStrength
    said: SamePerson | None = None
    """The latest decision of this side."""
    said_at: Moment | None = None
    other_said: SamePerson | None = None
    """The decision of the other side, where it closes or links the proposal."""
    turn: MatchTurn | None = None
    """The side that is asked to decide now; None once both have."""
    met: Flag = False
    """Whether the other side has just told an identifier that this victim has: it searched for this person."""
    met_by: Code | None = None
    """The agency that did so. Only where another agency has taken ``victim_id`` on: an invented victim lures nobody."""
    protected: Flag = False
    """Whether ``victim_id`` is, or was, in the protection of a desk: supervisors alone see and decide the proposal."""
    people: Count | None = None
    """The number of people who have one NIK or passport, where they are too many."""
    meetings: Count | None = None
    """The meetings of this desk's registrations with others, where they are many and no referral followed."""


class MatchWithdrawn(MatchEvent):
    """The two victims no longer share an identifier: an agency corrected it, or one victim was erased."""

    event = "withdrawn"


class MatchDecided(MatchEvent):
    """The desk responsible for ``victim_id`` decides whether both are one person. Its latest decision counts."""

    event = "decided"
    decision: SamePerson
    unit: UnitRef


class ReceiptRecorded(EventData):
    """The receiver's signed statement that it has durably recorded an event (DESIGN section 4)."""

    entity, event, subject_field = "receipt", "recorded", "event_id"
    numbered = False
    event_id: Id
    sha256: Sha256
    linkseq: Count
    outcome: ReceiptOutcome


class LinkWitnessed(EventData):
    """Coordination's statement that it has recorded every event of a link up to number ``through``.

    Coordination reads events that are addressed to others, and sends no receipts for them. The broker may be wiped
    after the receiver has read an event and before coordination has. Without this statement, the event would then be
    missing from coordination's journeys for ever.
    """

    entity, event, subject_field = "link", "witnessed", "link"
    numbered = False
    link: Link
    through: Count


class KeysPublished(EventData):
    """The task force has published a new key directory: a JWS (RFC 7515) in its three parts.

    Any member may carry it. Only the signature of the task force's directory key counts, and the version.
    """

    entity, event, subject_field = "keys", "published", "version"
    version: Count
    protected: Base64Url
    payload: Base64Url
    signature: Base64Url


ReceiverEvent = (
    Received | Accepted | Rejected | Started | Held | Resumed | Completed | Failed | Cancelled | CancellationRefused
)
"""The events that the receiver writes. Each creates the next version of the referral."""

SenderAsk = CancellationRequested | InformationProvided | Reminder
"""The events that the sender writes after version 1. None creates a version."""

CATALOGUE: dict[str, type[EventData]] = {
    event.type(): event
    for event in (
        CaseOpened,
        VictimRegistered,
        StageRecorded,
        FactsCorrected,
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
        CustodyAsked,
        CustodyChecked,
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
"""The receiver of an event that every agency may read."""
