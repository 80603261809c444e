"""The closed vocabularies of the wire, one word for one thing (DESIGN sections 2 and 3).

A hospital's system needs no translation: status names are FHIR R4 ``Task.status`` codes, and priorities are
FHIR R4 ``request-priority`` codes.

Long because: the codes are one catalogue, in which an integrator looks up each code of an event.
"""

from enum import StrEnum


class Kind(StrEnum):
    """What a referral hands over: one service (the sender keeps custody), or custody itself (a transfer)."""

    REFERRAL = "referral"
    TRANSFER = "transfer"


class Status(StrEnum):
    """The status of a referral (FHIR R4 Task.status)."""

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
    """The detail beside the status of a referral (FHIR R4 Task.businessStatus)."""

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
    """Why the receiver pauses the work. The reason is also the business status while the referral is on hold."""

    AWAITING_INFORMATION = "awaiting-information"
    SCHEDULED = "scheduled"
    NO_SHOW = "no-show"
    CANNOT_LOCATE = "cannot-locate"


class RejectReason(StrEnum):
    """Why the receiver rejects a referral."""

    NO_CAPACITY = "no-capacity"
    NOT_ELIGIBLE = "not-eligible"
    OUT_OF_JURISDICTION = "out-of-jurisdiction"
    WRONG_SERVICE = "wrong-service"
    MISSING_INFORMATION = "missing-information"
    DUPLICATE = "duplicate"
    SAFETY_RISK = "safety-risk"
    CONSENT_WITHDRAWN = "consent-withdrawn"
    SENDER_WITHOUT_CUSTODY = "sender-without-custody"
    """Of a transfer alone, and after its acceptance too: the receiver gives the custody link back."""
    OTHER = "other"


class SenderCustody(StrEnum):
    """What the receiver of a transfer knows about the custody of the sender."""

    KNOWN_HERE = "known-here"
    """The receiver's own custody chain says that the sender has custody."""
    CONFIRMED = "confirmed"
    """Coordination has confirmed that the sender has custody."""
    CONTESTED = "contested"
    """Coordination says that another agency has custody."""
    UNCONFIRMED = "unconfirmed"
    """Coordination knows the victim, and no transfer that brought the sender near to custody."""
    UNKNOWN = "unknown"
    """Nobody has confirmed it: the receiver may ask coordination."""


class CustodyFinding(StrEnum):
    """What coordination's custody chain says about the sender of a transfer."""

    CONFIRMED = "confirmed"
    """The sender has custody of the victim."""
    CONTESTED = "contested"
    """Another agency has custody of the victim."""
    UNCONFIRMED = "unconfirmed"
    """The chain does not reach the link that is offered, and no transfer to the sender is on its way."""
    UNKNOWN = "unknown"
    """The link before is on its way, or the victim is not known yet."""


class Outcome(StrEnum):
    """The outcome of a completed referral."""

    SERVICE_PROVIDED = "service-provided"
    PARTLY_PROVIDED = "partly-provided"
    REFERRED_ONWARD = "referred-onward"
    NOT_NEEDED = "not-needed"


class FailReason(StrEnum):
    """Why a referral failed after the work had begun."""

    VICTIM_DECLINED = "victim-declined"
    CANNOT_LOCATE = "cannot-locate"
    NO_SHOW = "no-show"
    SAFETY_RISK = "safety-risk"
    SERVICE_UNAVAILABLE = "service-unavailable"
    CANCELLATION_GRANTED = "cancellation-granted"
    OTHER = "other"


class CancellationReason(StrEnum):
    """Why the sender asks the receiver to cancel a referral."""

    NOT_NEEDED = "not-needed"
    SENT_IN_ERROR = "sent-in-error"
    BETTER_DESK_FOUND = "better-desk-found"
    VICTIM_DECLINED = "victim-declined"
    SAFETY_RISK = "safety-risk"
    CONSENT_WITHDRAWN = "consent-withdrawn"
    OTHER = "other"


class RefusalReason(StrEnum):
    """Why the receiver refuses a cancellation."""

    WORK_TOO_FAR = "work-too-far"
    VICTIM_WISHES_TO_CONTINUE = "victim-wishes-to-continue"
    SAFETY_RISK = "safety-risk"
    CUSTODY_MOVED = "custody-moved"
    OTHER = "other"


class InformationKind(StrEnum):
    """The kind of information that the sender adds.

    Only the kind travels in clear; the content is sealed or stays with its holder.
    """

    IDENTITY = "identity"
    CONSENT = "consent"
    MEDICAL = "medical"
    FAMILY = "family"
    TRAVEL = "travel"
    CASE = "case"
    OTHER = "other"


class NormGap(StrEnum):
    """The missing rule that made a hand-over fail. The norm-development Subsatgas collects these gaps."""

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
    """The stages of a journey, in their usual order."""

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
    REGISTERED_BY_MISTAKE = "registered-by-mistake"
    """There was no such victim, or she was registered twice. Nobody counts this journey."""


class LegalBasis(StrEnum):
    """Why a disclosure is lawful (UU 27/2022 Ps 20; UU 35/2014 for a child)."""

    CONSENT = "consent"
    VITAL_INTEREST = "vital-interest"
    LEGAL_DUTY = "legal-duty"
    PUBLIC_TASK = "public-task"
    CHILD_PROTECTION = "child-protection"


class ConsentPurpose(StrEnum):
    """The purposes for which a person consents to the use of their data (UU 27/2022 Ps 21(1) b)."""

    CARE = "care"
    MEDICAL = "medical"
    LEGAL = "legal"
    REPATRIATION = "repatriation"
    REINTEGRATION = "reintegration"


class ConsentEnd(StrEnum):
    """Why a consent is no longer valid."""

    WITHDRAWN = "withdrawn"
    """The person withdrew it (UU 27/2022 Ps 9)."""
    EXPIRED = "expired"
    """Its period of validity is over (UU 27/2022 Ps 21(1) f)."""
    REPLACED = "replaced"
    """A later consent of the person covers less. Sent to the agencies whose data it no longer covers."""


class ConsentManner(StrEnum):
    """How consent was given: in writing or recorded, on paper or electronically (UU 27/2022 Ps 22)."""

    WRITTEN = "written"
    ELECTRONIC = "electronic"
    AUDIO = "audio"
    WITNESSED = "witnessed"
    """Spoken before a witness and written down by the officer, because the person cannot read or sign."""


class GuardianPart(StrEnum):
    """The guardian's part in a consent. It is never the only gate: the guardian may be the trafficker."""

    NONE = "none"
    AGREED = "agreed"
    REFUSED = "refused"
    EXCLUDED = "excluded"
    """Not asked, because the guardian may be involved. The child's best interest is decided without the guardian."""


class DisclosureEnd(StrEnum):
    """What a holder did after a withdrawal of consent or a request for erasure."""

    ERASED = "erased"
    STOPPED = "stopped"
    """Kept because of the law or another basis, but no longer shown or disclosed on this basis."""
    NOTHING_HELD = "nothing-held"


class KeptBecause(StrEnum):
    """Why a holder did not erase."""

    LEGAL_HOLD = "legal-hold"
    CUSTODY = "custody"
    OTHER_BASIS = "other-basis"
    """No longer sent. Data that came on another basis are a separate disclosure, which stands."""


class HoldBasis(StrEnum):
    """Why the law forbids the erasure of a person's data for now."""

    INVESTIGATION = "investigation"
    TRIAL = "trial"
    RESTITUTION = "restitution"
    AUDIT = "audit"


class BreakGlassReason(StrEnum):
    """Why a caller must see an identity that the caller normally may not see."""

    LIFE_IN_DANGER = "life-in-danger"
    CHILD_AT_RISK = "child-at-risk"
    HOLDER_UNREACHABLE = "holder-unreachable"
    COURT_ORDER = "court-order"


class Verdict(StrEnum):
    """The second person's verdict on a break-glass."""

    JUSTIFIED = "justified"
    NOT_JUSTIFIED = "not-justified"


class BreakGlassEnd(StrEnum):
    """How a break-glass ended."""

    EXPIRED = "expired"
    CLOSED = "closed"


class AgeClass(StrEnum):
    """A coarse age. Every rule treats ``unknown`` as ``child``."""

    CHILD = "child"
    ADULT = "adult"
    UNKNOWN = "unknown"


class FactsBasis(StrEnum):
    """On what an agency corrects the facts of a victim (UU 27/2022 Ps 6, 16(2) d)."""

    DOCUMENT = "document"
    """A paper, such as a birth certificate."""
    AGE_ASSESSMENT = "age-assessment"
    OWN_WORD = "own-word"
    """The victim says so."""
    MISTAKE = "mistake"
    """The facts were entered wrongly."""
    HEARD = "heard"
    """Another agency has said so. A service passes it on, and no person corrects with it."""


class Capacity(StrEnum):
    """Whether a desk can take a victim on for a service, as the desk itself announces."""

    CAPACITY = "capacity"
    WAITLIST = "waitlist"
    NO_CAPACITY = "no-capacity"


class Sex(StrEnum):
    """The sex that the victim states; nothing is presumed."""

    FEMALE = "female"
    MALE = "male"
    UNSPECIFIED = "unspecified"


class IdentityField(StrEnum):
    """The fields of a victim's identity. A service sees those it needs; each field travels sealed or not at all."""

    NAME = "name"
    NIK = "nik"
    PASSPORT = "passport"
    """The number of a passport, or of the travel document in its place (SPLP) on which a person returns home."""
    BORN_ON = "born_on"
    PHONE = "phone"
    ADDRESS = "address"
    STATEMENT = "statement"
    """The victim's statement, kept so that the victim need not tell it twice."""
    SAFE_HOUSE = "safe_house"
    """The place where the victim is sheltered. It has its own recipients, because its disclosure can kill."""


class Purpose(StrEnum):
    """The purpose for which a caller reads an identity."""

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
    """The kind of exploitation that the trafficking serves, coarse (UU 21/2007 Ps 1(7))."""

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
    """The kind of a printed paper. A code on the paper lets its holder check it against the ledger."""

    REFERRAL_LETTER = "referral-letter"
    """States the service asked of the receiving desk, and for which victim."""
    REPLY_SLIP = "reply-slip"
    """The receiving desk fills it in by hand and sends it back."""
    RECORD = "record"
    """A filed form, printed for both sides to sign: a *berita acara*."""


class MatchKind(StrEnum):
    """The kind of identifier that two victims share, so that they may be one person."""

    NIK = "nik"
    PASSPORT = "passport"
    PHONE = "phone"
    NAME_AND_BIRTH = "name-and-birth"


class MatchStrength(StrEnum):
    """How strongly the shared identifiers suggest one person."""

    POSSIBLE = "possible"
    STRONG = "strong"


class SamePerson(StrEnum):
    """A desk's decision on a match proposal. Only people decide, and each desk only for a victim in its custody."""

    SAME = "same-person"
    DIFFERENT = "different-person"
    CANNOT_TELL = "cannot-tell"


class MatchState(StrEnum):
    """The state of a match proposal."""

    OPEN = "open"
    LINKED = "linked"
    """Both sides decided ``same-person``. Nothing is merged: each victim, custody and ledger stays."""
    CLOSED = "closed"
    """One side decided ``different-person``."""
    WITHDRAWN = "withdrawn"
    """The two victims have no identifier in common any more. Supervisors and auditors of both sides still see it."""


class MatchTurn(StrEnum):
    """The side of a match proposal that is asked to decide now, as one side sees it."""

    THIS_SIDE = "this-side"
    OTHER_SIDE = "other-side"
    """The other side decides first. Its person is in the safer position, or had that identifier first."""


class ReceiptOutcome(StrEnum):
    """What the receiver did with an event that it has durably recorded."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    PARKED = "parked"


class Level(StrEnum):
    """The level of a unit in its agency."""

    REGENCY = "regency"
    PROVINCE = "province"
    NATIONAL = "national"
