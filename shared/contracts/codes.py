"""The closed vocabularies of the wire, one word for one thing (DESIGN section 2 and 3).

Status names are FHIR R4 ``Task.status`` codes and priorities FHIR R4 ``request-priority`` codes, so that a
hospital's system needs no translation.
"""

from enum import StrEnum


class Kind(StrEnum):
    """What is handed over: one service (the sender stays responsible), or the responsibility itself."""

    REFERRAL = "referral"
    TRANSFER = "transfer"


class Status(StrEnum):
    """Where a referral stands (FHIR R4 Task.status)."""

    REQUESTED = "requested"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in-progress"
    ON_HOLD = "on-hold"
    COMPLETED = "completed"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELLED = "cancelled"


class BusinessStatus(StrEnum):
    """The finer word beside the status (FHIR R4 Task.businessStatus)."""

    AWAITING_INFORMATION = "awaiting-information"
    SCHEDULED = "scheduled"
    NO_SHOW = "no-show"
    VICTIM_DECLINED = "victim-declined"
    CANNOT_LOCATE = "cannot-locate"
    CANCEL_REQUESTED = "cancel-requested"
    OVERDUE = "overdue"
    REFERRED_ONWARD = "referred-onward"
    CLOSED = "closed"


class HoldReason(StrEnum):
    """Why the receiver pauses. Each is also the business status shown while the referral is on hold."""

    AWAITING_INFORMATION = "awaiting-information"
    SCHEDULED = "scheduled"
    NO_SHOW = "no-show"
    CANNOT_LOCATE = "cannot-locate"


class RejectReason(StrEnum):
    """Why the receiver will not take a referral."""

    NO_CAPACITY = "no-capacity"
    NOT_ELIGIBLE = "not-eligible"
    OUT_OF_JURISDICTION = "out-of-jurisdiction"
    WRONG_SERVICE = "wrong-service"
    MISSING_INFORMATION = "missing-information"
    DUPLICATE = "duplicate"
    SAFETY_RISK = "safety-risk"
    CONSENT_WITHDRAWN = "consent-withdrawn"
    OTHER = "other"


class Outcome(StrEnum):
    """What a completed referral brought."""

    SERVICE_PROVIDED = "service-provided"
    PARTLY_PROVIDED = "partly-provided"
    REFERRED_ONWARD = "referred-onward"
    NOT_NEEDED = "not-needed"


class FailReason(StrEnum):
    """Why work that had begun did not reach its end."""

    VICTIM_DECLINED = "victim-declined"
    CANNOT_LOCATE = "cannot-locate"
    NO_SHOW = "no-show"
    SAFETY_RISK = "safety-risk"
    SERVICE_UNAVAILABLE = "service-unavailable"
    CANCELLATION_GRANTED = "cancellation-granted"
    OTHER = "other"


class CancellationReason(StrEnum):
    """Why the sender takes its request back."""

    NOT_NEEDED = "not-needed"
    SENT_IN_ERROR = "sent-in-error"
    BETTER_DESK_FOUND = "better-desk-found"
    VICTIM_DECLINED = "victim-declined"
    SAFETY_RISK = "safety-risk"
    CONSENT_WITHDRAWN = "consent-withdrawn"
    OTHER = "other"


class RefusalReason(StrEnum):
    """Why the receiver goes on although the sender asked it to stop."""

    WORK_TOO_FAR = "work-too-far"
    VICTIM_WISHES_TO_CONTINUE = "victim-wishes-to-continue"
    SAFETY_RISK = "safety-risk"
    CUSTODY_MOVED = "custody-moved"
    OTHER = "other"


class InformationKind(StrEnum):
    """What the sender has added. Only the kind crosses in clear; the content is sealed or stays with its holder."""

    IDENTITY = "identity"
    CONSENT = "consent"
    MEDICAL = "medical"
    FAMILY = "family"
    TRAVEL = "travel"
    CASE = "case"
    OTHER = "other"


class NormGap(StrEnum):
    """The rule whose want made a hand-over fail: what the norm-development Subsatgas collects."""

    NO_MANDATE = "no-mandate"
    NO_PROCEDURE = "no-procedure"
    NO_BUDGET_RULE = "no-budget-rule"
    NO_DATA_SHARING_RULE = "no-data-sharing-rule"
    CONFLICTING_RULES = "conflicting-rules"
    UNCLEAR_JURISDICTION = "unclear-jurisdiction"


class Priority(StrEnum):
    """FHIR R4 request-priority, least urgent first."""

    ROUTINE = "routine"
    URGENT = "urgent"
    ASAP = "asap"
    STAT = "stat"


class Stage(StrEnum):
    """Where a journey stands, in the order a journey usually takes."""

    DETECTION = "detection"
    IDENTIFICATION = "identification"
    PROTECTION = "protection"
    MEDICAL_REHABILITATION = "medical-rehabilitation"
    SOCIAL_REHABILITATION = "social-rehabilitation"
    LAW_ENFORCEMENT = "law-enforcement"
    REPATRIATION = "repatriation"
    REINTEGRATION = "reintegration"
    AFTER_CARE = "after-care"


class JourneyOutcome(StrEnum):
    """How a journey ended."""

    REINTEGRATED = "reintegrated"
    RETURNED_ABROAD = "returned-abroad"
    VICTIM_DECLINED = "victim-declined"
    LOST_CONTACT = "lost-contact"
    DECEASED = "deceased"


class LegalBasis(StrEnum):
    """Why a disclosure is lawful (UU 27/2022 Ps 20; UU 35/2014 for a child)."""

    CONSENT = "consent"
    VITAL_INTEREST = "vital-interest"
    LEGAL_DUTY = "legal-duty"
    PUBLIC_TASK = "public-task"
    CHILD_PROTECTION = "child-protection"


class ConsentPurpose(StrEnum):
    """For what a person agrees that their data are used (UU 27/2022 Ps 21(1) b)."""

    CARE = "care"
    MEDICAL = "medical"
    LEGAL = "legal"
    REPATRIATION = "repatriation"
    REINTEGRATION = "reintegration"


class ConsentEnd(StrEnum):
    """Why a consent can be relied on no more."""

    WITHDRAWN = "withdrawn"
    """The person took it back (UU 27/2022 Ps 9)."""
    EXPIRED = "expired"
    """The time for which it was given is over (Ps 21(1) f)."""
    REPLACED = "replaced"
    """The person has agreed to less since; said to those to whom they do not agree any more."""


class ConsentManner(StrEnum):
    """How consent was given: in writing or recorded, on paper or electronically (UU 27/2022 Ps 22)."""

    WRITTEN = "written"
    ELECTRONIC = "electronic"
    AUDIO = "audio"
    WITNESSED = "witnessed"
    """Said before a witness and written down by the officer, where the person cannot read or sign."""


class GuardianPart(StrEnum):
    """What a guardian had to do with a consent. Never the only gate: the guardian may be the trafficker."""

    NONE = "none"
    AGREED = "agreed"
    REFUSED = "refused"
    EXCLUDED = "excluded"
    """Left out because they may be involved; the best interest of the child is decided without them."""


class DisclosureEnd(StrEnum):
    """What a holder did when it was told that a consent is withdrawn or that a person is to be erased."""

    ERASED = "erased"
    STOPPED = "stopped"
    """Kept, because the law or another basis says so, and not shown or given to anybody any more on this basis."""
    NOTHING_HELD = "nothing-held"


class KeptBecause(StrEnum):
    """Why a holder did not erase."""

    LEGAL_HOLD = "legal-hold"
    CUSTODY = "custody"
    OTHER_BASIS = "other-basis"
    """Said by none of us any more: what came on another basis is another disclosure, which stands."""


class HoldBasis(StrEnum):
    """Why a person's data must not be erased now."""

    INVESTIGATION = "investigation"
    TRIAL = "trial"
    RESTITUTION = "restitution"
    AUDIT = "audit"


class BreakGlassReason(StrEnum):
    """Why somebody must look who normally may not."""

    LIFE_IN_DANGER = "life-in-danger"
    CHILD_AT_RISK = "child-at-risk"
    HOLDER_UNREACHABLE = "holder-unreachable"
    COURT_ORDER = "court-order"


class Verdict(StrEnum):
    """What the second person says of a break-glass."""

    JUSTIFIED = "justified"
    NOT_JUSTIFIED = "not-justified"


class BreakGlassEnd(StrEnum):
    """How a break-glass ended."""

    EXPIRED = "expired"
    CLOSED = "closed"


class AgeClass(StrEnum):
    """A coarse age. ``unknown`` is treated as ``child`` wherever a rule asks."""

    CHILD = "child"
    ADULT = "adult"
    UNKNOWN = "unknown"


class Capacity(StrEnum):
    """Whether a desk can take somebody on for a service, by its own word."""

    CAPACITY = "capacity"
    WAITLIST = "waitlist"
    NO_CAPACITY = "no-capacity"


class Sex(StrEnum):
    """As the victim says it; nothing is presumed."""

    FEMALE = "female"
    MALE = "male"
    UNSPECIFIED = "unspecified"


class IdentityField(StrEnum):
    """What is known of who a victim is. A service is shown those it needs; each travels sealed or not at all."""

    NAME = "name"
    NIK = "nik"
    PASSPORT = "passport"
    """Of a passport, or of the paper in place of one (SPLP) with which somebody is sent home."""
    BORN_ON = "born_on"
    PHONE = "phone"
    ADDRESS = "address"
    STATEMENT = "statement"
    """What the victim has told, so that nobody has to tell it twice."""
    SAFE_HOUSE = "safe_house"
    """Where the victim is sheltered: its own recipients, because it can kill."""


class Purpose(StrEnum):
    """For what somebody looks at an identity."""

    CARE = "care"
    FIRST_AID = "first-aid"
    MEDICAL = "medical"
    LEGAL = "legal"
    INVESTIGATION = "investigation"
    INTERVIEW = "interview"
    FAMILY_TRACING = "family-tracing"
    REPATRIATION = "repatriation"
    REINTEGRATION = "reintegration"
    EMERGENCY = "emergency"
    PERSON_REQUEST = "person-request"
    AUDIT = "audit"


class Exploitation(StrEnum):
    """The purpose of the trafficking, coarse (UU 21/2007 Ps 1(7))."""

    FORCED_LABOUR = "forced-labour"
    SEXUAL = "sexual"
    ONLINE_SCAM = "online-scam"
    DOMESTIC_SERVITUDE = "domestic-servitude"
    FISHING = "fishing"
    ORGAN_REMOVAL = "organ-removal"
    CHILD_MARRIAGE = "child-marriage"
    OTHER = "other"
    UNKNOWN = "unknown"


class LetterKind(StrEnum):
    """What is printed on paper, with a code that checks against the ledger."""

    REFERRAL_LETTER = "referral-letter"
    """What is asked of the receiving desk, and for whom."""
    REPLY_SLIP = "reply-slip"
    """What the receiving desk fills in by hand and sends back."""
    RECORD = "record"
    """A form that was filed, to be signed by both sides: a *berita acara*."""


class MatchKind(StrEnum):
    """In what two victims of two agencies are alike, so that they may be one person."""

    NIK = "nik"
    PASSPORT = "passport"
    PHONE = "phone"
    NAME_AND_BIRTH = "name-and-birth"


class MatchStrength(StrEnum):
    """How much it says that they are."""

    POSSIBLE = "possible"
    STRONG = "strong"


class SamePerson(StrEnum):
    """What a desk says of a proposal: only people decide, and each only for the victim they are responsible for."""

    SAME = "same-person"
    DIFFERENT = "different-person"
    CANNOT_TELL = "cannot-tell"


class MatchState(StrEnum):
    """What has become of a proposal."""

    OPEN = "open"
    LINKED = "linked"
    """Both sides say that it is the same person. Nothing is merged: each victim, custody and ledger stays."""
    CLOSED = "closed"
    """A side says that it is not."""


class ReceiptOutcome(StrEnum):
    """What the receiver did with an event it has durably recorded."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    PARKED = "parked"


class Level(StrEnum):
    """How high a unit stands in its agency."""

    REGENCY = "regency"
    PROVINCE = "province"
    NATIONAL = "national"
