"""Access: one table of the roles that may call each operation, and the pure functions that read the table.

A caller has a role at a unit. The role decides which operations the caller may call. The unit decides which cases,
victims and referrals exist for the caller. They are those of its own desk and of the desks below. A request for any
other answers 404, and no total counts it. Custody and running services decide which identity fields the caller sees
(``fields_shown``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.contracts.codes import IdentityField, Status
from shared.contracts.types import DeskRef, UnitRef
from shared.domain.refusal import Refused


class Role(StrEnum):
    """A caller's role at an agency. One token carries one role; a person with two roles asks for two tokens."""

    OFFICER = "officer"
    """Does the work of a desk: registers, refers, accepts, sees the identity of victims in the desk's care."""
    SUPERVISOR = "supervisor"
    """An officer who also answers for the desks below: reviews a break-glass, reads the access log."""
    AUDITOR = "auditor"
    """Reads what was done and who read an identity, but never an identity."""
    INTEGRATOR = "integrator"
    """A system that follows referrals by pseudonym."""
    COORDINATOR = "coordinator"
    """Follows journeys at the coordination centre, by pseudonym."""
    ADMINISTRATOR = "administrator"
    """Keeps the service running; sees no case."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller, as a trusted issuer states it: the client, its role, and its unit of this agency."""

    client: str
    role: Role
    unit: str
    person: str = ""
    """The person at the client (``sub``), if the issuer names one."""
    until: int = 0
    """When the token expires (``exp``), in seconds since 1970 (UTC)."""
    token: str = ""
    """The id of the caller's token (``jti``)."""


class Target(StrEnum):
    """The kind of object that an operation is about. The kind decides how to check that it exists for a caller."""

    NOTHING = "nothing"
    """Reference data of this agency."""
    MANY = "many"
    """A list or a total. It contains only objects that exist for the caller."""
    UNIT = "unit"
    """A unit of this agency, named in the body."""
    CASE = "case"
    VICTIM = "victim"
    IDENTITY = "identity"
    BREAK_GLASS = "break-glass"
    """A victim outside the caller's sight, or a break-glass for such a victim."""
    REFERRAL = "referral"
    JOURNEY = "journey"
    RECORD = "record"
    BATCH = "batch"
    LETTER = "letter"
    MATCH = "match"
    SERVICE = "service"
    """The whole service: only a caller whose sight is the whole agency may."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table: the roles that may call an operation, and its object. No roles: no token needed."""

    roles: frozenset[Role]
    about: Target

    @property
    def public(self) -> bool:
        """Whether the operation needs no token."""
        return not self.roles


EVERYONE = frozenset(Role)
DOERS = frozenset({Role.OFFICER, Role.SUPERVISOR})
READERS = DOERS | {Role.AUDITOR, Role.INTEGRATOR}
WITNESSES = DOERS | {Role.AUDITOR}
SUPERVISORS = frozenset({Role.SUPERVISOR})
KEEPERS = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})

ANYBODY = Rule(frozenset(), Target.NOTHING)

PUBLIC: Mapping[str, Rule] = dict.fromkeys(
    ("list_schemas", "see_schema", "see_keys", "list_problems", "alive", "ready"), ANYBODY
)
"""The operations without a token: contracts, public keys, problems, and whether the service is up."""

OPERATIONS: Mapping[str, Rule] = {
    **PUBLIC,
    "list_parked": Rule(KEEPERS, Target.SERVICE),
    "replay": Rule(frozenset({Role.ADMINISTRATOR}), Target.SERVICE),
    "list_links": Rule(KEEPERS, Target.SERVICE),
}
"""The operations of an operator, at every member."""

_ACTIONS = (
    "accept", "reject", "start", "hold", "resume", "complete", "fail", "answer_cancellation",
    "request_cancellation", "provide_information", "remind",
)  # fmt: skip

AGENCY: Mapping[str, Rule] = {
    **OPERATIONS,
    "see_agency": Rule(EVERYONE, Target.NOTHING),
    "find_units": Rule(EVERYONE, Target.NOTHING),
    "list_clock_table": Rule(EVERYONE, Target.NOTHING),
    "list_clocks": Rule(READERS, Target.MANY),
    "list_forms": Rule(EVERYONE, Target.NOTHING),
    "list_capacity": Rule(EVERYONE, Target.NOTHING),
    "announce_capacity": Rule(DOERS, Target.UNIT),
    "list_case_records": Rule(READERS, Target.CASE),
    "list_victim_records": Rule(READERS, Target.VICTIM),
    "list_desk_records": Rule(READERS, Target.UNIT),
    "see_record": Rule(DOERS, Target.RECORD),
    "open_case": Rule(DOERS, Target.UNIT),
    "see_case": Rule(READERS, Target.CASE),
    "register_victim": Rule(DOERS, Target.CASE),
    "take_in": Rule(DOERS, Target.CASE),
    "take_in_csv": Rule(DOERS, Target.CASE),
    "list_batches": Rule(WITNESSES, Target.CASE),
    "see_batch": Rule(WITNESSES, Target.BATCH),
    "see_victim": Rule(READERS, Target.VICTIM),
    "record_identity": Rule(DOERS, Target.IDENTITY),
    "see_identity": Rule(DOERS, Target.IDENTITY),
    "record_stage": Rule(DOERS, Target.VICTIM),
    "close_journey": Rule(DOERS, Target.VICTIM),
    "create_referral": Rule(DOERS, Target.VICTIM),
    "list_referrals": Rule(READERS, Target.MANY),
    "see_referral": Rule(READERS, Target.REFERRAL),
    "see_history": Rule(READERS, Target.REFERRAL),
    "see_notes": Rule(DOERS, Target.REFERRAL),
    **dict.fromkeys(_ACTIONS, Rule(DOERS, Target.REFERRAL)),
    "issue_letter": Rule(DOERS, Target.REFERRAL),
    "answer_on_paper": Rule(DOERS, Target.REFERRAL),
    "print_record": Rule(DOERS, Target.RECORD),
    "check_letter": Rule(READERS, Target.LETTER),
    "print_letter": Rule(DOERS, Target.LETTER),
    **dict.fromkeys(("letter_form", "letter_page"), ANYBODY),
    "search_victims": Rule(DOERS, Target.MANY),
    "list_matches": Rule(WITNESSES, Target.MANY),
    "decide_match": Rule(DOERS, Target.MATCH),
    "record_consent": Rule(DOERS, Target.VICTIM),
    "withdraw_consent": Rule(DOERS, Target.VICTIM),
    "list_consents": Rule(WITNESSES, Target.VICTIM),
    "list_disclosures": Rule(WITNESSES, Target.VICTIM),
    "see_access_report": Rule(WITNESSES, Target.VICTIM),
    "list_access": Rule(SUPERVISORS | {Role.AUDITOR}, Target.MANY),
    "place_hold": Rule(SUPERVISORS, Target.VICTIM),
    "lift_holds": Rule(SUPERVISORS, Target.VICTIM),
    "erase": Rule(SUPERVISORS, Target.VICTIM),
    "decide_erasure": Rule(SUPERVISORS, Target.VICTIM),
    "list_erasures": Rule(SUPERVISORS | {Role.AUDITOR}, Target.MANY),
    "break_glass": Rule(DOERS, Target.BREAK_GLASS),
    "end_break_glass": Rule(DOERS, Target.BREAK_GLASS),
    "list_break_glass": Rule(WITNESSES, Target.MANY),
    "see_break_glass_note": Rule(SUPERVISORS, Target.BREAK_GLASS),
    "review_break_glass": Rule(SUPERVISORS, Target.BREAK_GLASS),
}
"""Operation → rule, for every operation that all agencies have. Each agency adds operations to file its own forms.

A service with an operation in no table does not start."""


@dataclass(frozen=True, slots=True)
class Sight:
    """The units and regions that a caller sees. None means all units of the agency, or all regions of the country."""

    agency: str
    units: frozenset[str] | None
    regions: frozenset[str] | None

    def covers(self, desk: UnitRef | DeskRef | None) -> bool:
        """Whether ``desk`` is a desk of the caller's agency, at or below the caller's own unit."""
        return desk is not None and desk.agency == self.agency and (self.units is None or desk.unit in self.units)

    def require(self, desk: UnitRef | DeskRef, field: str | None = None) -> None:
        """Raise Refused("not-your-unit") unless this sight covers ``desk``. ``field`` is the request field to name."""
        if not self.covers(desk):
            raise Refused("not-your-unit", field=field)


def admit(rules: Mapping[str, Rule], operation: str, caller: Caller, sight: Sight) -> None:
    """Raise Refused unless the caller may call this operation at all: ``role-not-allowed`` or ``not-your-unit``."""
    rule = rules[operation]
    if caller.role not in rule.roles:
        raise Refused("role-not-allowed", role=caller.role)
    if rule.about is Target.SERVICE and sight.units is not None:
        raise Refused("not-your-unit")


MAY_SEE_IDENTITY = frozenset({Status.ACCEPTED, Status.IN_PROGRESS, Status.ON_HOLD})
"""In these statuses the receiver works for the victim, and needs the victim's identity."""

NOT_TAKEN_ON = frozenset({Status.REQUESTED, Status.RECEIVED, Status.REJECTED, Status.CANCELLED})
"""In these statuses the receiver has no part in the victim, or none any more."""


@dataclass(frozen=True, slots=True)
class Work:
    """A referral for access rules: the receiving desk, the status, and the identity fields that its service needs."""

    desk: UnitRef
    status: Status
    needs: frozenset[IdentityField]


def fields_shown(sight: Sight, custody: UnitRef | None, works: Iterable[Work]) -> frozenset[IdentityField]:
    """The identity fields of a victim that the caller may see.

    The unit with custody sees every field. A unit at work sees the fields that its service needs. Any other caller
    sees none.
    """
    if sight.covers(custody):
        return frozenset(IdentityField)
    return frozenset().union(*(w.needs for w in works if w.status in MAY_SEE_IDENTITY and sight.covers(w.desk)))
