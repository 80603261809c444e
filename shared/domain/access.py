"""Who may do what, and what of it they see: one declared table, and the pure functions that read it.

A caller is a role at a unit. The role says which operations it may ask for; the unit says which cases, victims and
referrals exist for it: those of its own desk and of the desks below. What does not exist for it answers 404, and no
total counts it. The fields of an identity follow from custody and from the services at work (``fields_shown``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.contracts.codes import IdentityField, Status
from shared.contracts.types import DeskRef, UnitRef
from shared.domain.refusal import Refused


class Role(StrEnum):
    """What somebody is to an agency. One token carries one role; who has two asks for two tokens."""

    OFFICER = "officer"
    """Does the work of a desk: registers, refers, accepts, sees the identity of who is in its care."""
    SUPERVISOR = "supervisor"
    """An officer who also answers for the desks below: reviews a break-glass, reads the access log."""
    AUDITOR = "auditor"
    """Reads what was done and who looked, never who a victim is."""
    INTEGRATOR = "integrator"
    """A system that follows referrals by pseudonym."""
    COORDINATOR = "coordinator"
    """Follows journeys at the coordination centre, by pseudonym."""
    ADMINISTRATOR = "administrator"
    """Keeps the service running; sees no case."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, by the word of a trusted issuer: the client, its role, and the unit of this agency it acts for."""

    client: str
    role: Role
    unit: str
    person: str = ""
    """Who of the client's people, where the issuer says so (``sub``)."""
    until: int = 0
    """When the issuer's word for it ends, in seconds since 1970."""
    token: str = ""
    """The id of the token that said so (``jti``)."""


class About(StrEnum):
    """What kind of thing an operation is about, and so what decides whether it exists for a caller."""

    NOTHING = "nothing"
    """Reference data of this agency."""
    MANY = "many"
    """A list or a total: only what exists for the caller is in it."""
    UNIT = "unit"
    """A unit of this agency, named in the body."""
    CASE = "case"
    VICTIM = "victim"
    IDENTITY = "identity"
    BREAK_GLASS = "break-glass"
    """A victim who is not in sight, or a look at one."""
    REFERRAL = "referral"
    JOURNEY = "journey"
    RECORD = "record"
    BATCH = "batch"
    LETTER = "letter"
    MATCH = "match"
    SERVICE = "service"
    """The whole service: only who stands for the whole agency may."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table: who may ask for an operation, and what it is about. No roles at all: anybody, unnamed."""

    roles: frozenset[Role]
    about: About

    @property
    def public(self) -> bool:
        """Whether no token is asked for."""
        return not self.roles


EVERYONE = frozenset(Role)
DOERS = frozenset({Role.OFFICER, Role.SUPERVISOR})
READERS = DOERS | {Role.AUDITOR, Role.INTEGRATOR}
WITNESSES = DOERS | {Role.AUDITOR}
SUPERVISORS = frozenset({Role.SUPERVISOR})
KEEPERS = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})

ANYBODY = Rule(frozenset(), About.NOTHING)

PUBLIC: Mapping[str, Rule] = dict.fromkeys(
    ("list_schemas", "see_schema", "see_keys", "list_problems", "alive", "ready"), ANYBODY
)
"""What anybody may read: contracts, public keys, and whether the service is up."""

OPERATIONS: Mapping[str, Rule] = {
    **PUBLIC,
    "list_parked": Rule(KEEPERS, About.SERVICE),
    "replay": Rule(frozenset({Role.ADMINISTRATOR}), About.SERVICE),
    "list_links": Rule(KEEPERS, About.SERVICE),
}
"""What an operator does, at every member."""

_ACTIONS = (
    "accept", "reject", "start", "hold", "resume", "complete", "fail", "answer_cancellation",
    "request_cancellation", "provide_information", "remind",
)  # fmt: skip

AGENCY: Mapping[str, Rule] = {
    **OPERATIONS,
    "see_agency": Rule(EVERYONE, About.NOTHING),
    "find_units": Rule(EVERYONE, About.NOTHING),
    "list_clock_table": Rule(EVERYONE, About.NOTHING),
    "list_clocks": Rule(READERS, About.MANY),
    "list_forms": Rule(EVERYONE, About.NOTHING),
    "list_capacity": Rule(EVERYONE, About.NOTHING),
    "announce_capacity": Rule(DOERS, About.UNIT),
    "list_case_records": Rule(READERS, About.CASE),
    "list_victim_records": Rule(READERS, About.VICTIM),
    "list_desk_records": Rule(READERS, About.UNIT),
    "see_record": Rule(DOERS, About.RECORD),
    "open_case": Rule(DOERS, About.UNIT),
    "see_case": Rule(READERS, About.CASE),
    "register_victim": Rule(DOERS, About.CASE),
    "take_in": Rule(DOERS, About.CASE),
    "take_in_csv": Rule(DOERS, About.CASE),
    "list_batches": Rule(WITNESSES, About.CASE),
    "see_batch": Rule(WITNESSES, About.BATCH),
    "see_victim": Rule(READERS, About.VICTIM),
    "record_identity": Rule(DOERS, About.IDENTITY),
    "see_identity": Rule(DOERS, About.IDENTITY),
    "record_stage": Rule(DOERS, About.VICTIM),
    "close_journey": Rule(DOERS, About.VICTIM),
    "create_referral": Rule(DOERS, About.VICTIM),
    "list_referrals": Rule(READERS, About.MANY),
    "see_referral": Rule(READERS, About.REFERRAL),
    "see_history": Rule(READERS, About.REFERRAL),
    "see_notes": Rule(DOERS, About.REFERRAL),
    **dict.fromkeys(_ACTIONS, Rule(DOERS, About.REFERRAL)),
    "issue_letter": Rule(DOERS, About.REFERRAL),
    "answer_on_paper": Rule(DOERS, About.REFERRAL),
    "print_record": Rule(DOERS, About.RECORD),
    "check_letter": Rule(READERS, About.LETTER),
    "print_letter": Rule(DOERS, About.LETTER),
    **dict.fromkeys(("letter_form", "letter_page"), ANYBODY),
    "search_victims": Rule(DOERS, About.MANY),
    "list_matches": Rule(WITNESSES, About.MANY),
    "decide_match": Rule(DOERS, About.MATCH),
    "record_consent": Rule(DOERS, About.VICTIM),
    "withdraw_consent": Rule(DOERS, About.VICTIM),
    "list_consents": Rule(WITNESSES, About.VICTIM),
    "list_disclosures": Rule(WITNESSES, About.VICTIM),
    "see_access_report": Rule(WITNESSES, About.VICTIM),
    "list_access": Rule(SUPERVISORS | {Role.AUDITOR}, About.MANY),
    "place_hold": Rule(SUPERVISORS, About.VICTIM),
    "lift_holds": Rule(SUPERVISORS, About.VICTIM),
    "erase": Rule(SUPERVISORS, About.VICTIM),
    "decide_erasure": Rule(SUPERVISORS, About.VICTIM),
    "list_erasures": Rule(SUPERVISORS | {Role.AUDITOR}, About.MANY),
    "break_glass": Rule(DOERS, About.BREAK_GLASS),
    "end_break_glass": Rule(DOERS, About.BREAK_GLASS),
    "list_break_glass": Rule(WITNESSES, About.MANY),
    "see_break_glass_note": Rule(SUPERVISORS, About.BREAK_GLASS),
    "review_break_glass": Rule(SUPERVISORS, About.BREAK_GLASS),
}
"""Every operation that all agencies have → who may ask for it; beside them each files its own forms. What is in no
table does not start."""


@dataclass(frozen=True, slots=True)
class Sight:
    """How far a caller sees. None: everything of the agency (``units``), the whole country (``regions``)."""

    agency: str
    units: frozenset[str] | None
    regions: frozenset[str] | None

    def covers(self, desk: UnitRef | DeskRef | None) -> bool:
        """Whether this is a desk of the caller's agency, at or below its own unit."""
        return desk is not None and desk.agency == self.agency and (self.units is None or desk.unit in self.units)

    def require(self, desk: UnitRef | DeskRef, field: str | None = None) -> None:
        """Raises Refused("not-your-unit") for a desk that the caller cannot speak for."""
        if not self.covers(desk):
            raise Refused("not-your-unit", field=field)


def admit(rules: Mapping[str, Rule], operation: str, caller: Caller, sight: Sight) -> None:
    """Whether this role may ask for this operation at all. Raises Refused."""
    rule = rules[operation]
    if caller.role not in rule.roles:
        raise Refused("role-not-allowed", role=caller.role)
    if rule.about is About.SERVICE and sight.units is not None:
        raise Refused("not-your-unit")


AT_WORK = frozenset({Status.ACCEPTED, Status.IN_PROGRESS, Status.ON_HOLD})
"""While a referral stands here its receiver works for the victim, and needs to know who that is."""

NOT_TAKEN_ON = frozenset({Status.REQUESTED, Status.RECEIVED, Status.REJECTED, Status.CANCELLED})
"""While a referral stands here its receiver has, or keeps, no part in the victim."""


@dataclass(frozen=True, slots=True)
class Work:
    """A referral that a desk has taken on: which desk, and which fields of an identity its service needs."""

    desk: UnitRef
    status: Status
    needs: frozenset[IdentityField]


def fields_shown(sight: Sight, custody: UnitRef | None, works: Iterable[Work]) -> frozenset[IdentityField]:
    """The fields of a victim's identity that exist for a caller: all of them for the unit that is responsible,
    those that the service needs for a unit at work, none for anybody else."""
    if sight.covers(custody):
        return frozenset(IdentityField)
    return frozenset().union(*(w.needs for w in works if w.status in AT_WORK and sight.covers(w.desk)))
