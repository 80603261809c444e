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
    """The human for whom the client calls: a pseudonym (``sub``). Empty where the token names no human (0035)."""
    until: int = 0
    """When the token expires (``exp``), in seconds since 1970 (UTC)."""
    token: str = ""
    """The id of the caller's token (``jti``)."""

    @property
    def counts_as(self) -> str:
        """The key under which limits count: the human, at any client; the client where the token names no human."""
        return f"person {self.person}" if self.person else f"client {self.client}"


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
    CLOSURE = "closure"
    BACKDATED = "backdated"
    """A fact that a desk told late."""
    SERVICE = "service"
    """The whole service: only a caller whose sight is the whole agency may."""


@dataclass(frozen=True, slots=True)
class AccessRule:
    """One row of the table: the roles that may call an operation, and its object. No roles: no token needed."""

    roles: frozenset[Role]
    about: Target
    person: bool = False
    """Whether only a human may call it, through a client. A token that names no human is then refused."""

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


def by_human(roles: frozenset[Role], about: Target) -> AccessRule:
    """The rule of an operation that only a human may call: an identity, or a decision that takes two people."""
    return AccessRule(roles, about, person=True)


ANYBODY = AccessRule(frozenset(), Target.NOTHING)

PUBLIC: Mapping[str, AccessRule] = dict.fromkeys(
    ("list_schemas", "see_schema", "see_keys", "list_problems", "alive", "ready"), ANYBODY
)
"""The operations without a token: contracts, public keys, problems, and whether the service is up."""

OPERATIONS: Mapping[str, AccessRule] = {
    **PUBLIC,
    "list_parked": AccessRule(KEEPERS, Target.SERVICE),
    "replay": AccessRule(frozenset({Role.ADMINISTRATOR}), Target.SERVICE),
    "list_links": AccessRule(KEEPERS, Target.SERVICE),
}
"""The operations of an operator, at every member."""

_ACTIONS = (
    "accept", "reject", "start", "hold", "resume", "complete", "fail", "answer_cancellation",
    "request_cancellation", "provide_information", "remind",
)  # fmt: skip

AGENCY_RULES: Mapping[str, AccessRule] = {
    **OPERATIONS,
    "see_agency": AccessRule(EVERYONE, Target.NOTHING),
    "find_units": AccessRule(EVERYONE, Target.NOTHING),
    "list_clock_table": AccessRule(EVERYONE, Target.NOTHING),
    "list_clocks": AccessRule(READERS, Target.MANY),
    "list_forms": AccessRule(EVERYONE, Target.NOTHING),
    "list_capacity": AccessRule(EVERYONE, Target.NOTHING),
    "announce_capacity": AccessRule(DOERS, Target.UNIT),
    "list_case_records": AccessRule(READERS, Target.CASE),
    "list_victim_records": AccessRule(READERS, Target.VICTIM),
    "list_desk_records": AccessRule(READERS, Target.UNIT),
    "see_record": by_human(DOERS, Target.RECORD),
    "open_case": AccessRule(DOERS, Target.UNIT),
    "see_case": AccessRule(READERS, Target.CASE),
    "register_victim": by_human(DOERS, Target.CASE),
    "take_in": by_human(DOERS, Target.CASE),
    "take_in_csv": by_human(DOERS, Target.CASE),
    "list_batches": AccessRule(WITNESSES, Target.CASE),
    "see_batch": AccessRule(WITNESSES, Target.BATCH),
    "see_victim": AccessRule(READERS, Target.VICTIM),
    "record_identity": by_human(DOERS, Target.IDENTITY),
    "see_identity": by_human(DOERS, Target.IDENTITY),
    "take_over_identity": by_human(DOERS, Target.IDENTITY),
    "correct_facts": by_human(DOERS, Target.VICTIM),
    "confirm_facts": by_human(DOERS, Target.VICTIM),
    "record_stage": AccessRule(DOERS, Target.VICTIM),
    "close_journey": by_human(DOERS, Target.VICTIM),
    "decide_closure": by_human(DOERS, Target.VICTIM),
    "list_closures": AccessRule(WITNESSES, Target.MANY),
    "see_closure_note": by_human(DOERS, Target.CLOSURE),
    "list_backdated": AccessRule(SUPERVISORS | {Role.AUDITOR}, Target.MANY),
    "see_backdated_note": by_human(SUPERVISORS, Target.BACKDATED),
    "create_referral": AccessRule(DOERS, Target.VICTIM),
    "list_referrals": AccessRule(READERS, Target.MANY),
    "see_referral": AccessRule(READERS, Target.REFERRAL),
    "check_custody": AccessRule(DOERS, Target.REFERRAL),
    "see_history": AccessRule(READERS, Target.REFERRAL),
    "see_notes": by_human(DOERS, Target.REFERRAL),
    **dict.fromkeys(_ACTIONS, AccessRule(DOERS, Target.REFERRAL)),
    "issue_letter": AccessRule(DOERS, Target.REFERRAL),
    "answer_on_paper": AccessRule(DOERS, Target.REFERRAL),
    "print_record": AccessRule(DOERS, Target.RECORD),
    "check_letter": AccessRule(READERS, Target.LETTER),
    "print_letter": by_human(DOERS, Target.LETTER),
    **dict.fromkeys(("letter_form", "letter_page"), ANYBODY),
    "search_victims": by_human(DOERS, Target.MANY),
    "list_matches": AccessRule(WITNESSES, Target.MANY),
    "decide_match": by_human(DOERS, Target.MATCH),
    "record_consent": AccessRule(DOERS, Target.VICTIM),
    "withdraw_consent": AccessRule(DOERS, Target.VICTIM),
    "list_consents": AccessRule(WITNESSES, Target.VICTIM),
    "list_disclosures": AccessRule(WITNESSES, Target.VICTIM),
    "see_access_report": AccessRule(WITNESSES, Target.VICTIM),
    "list_access": AccessRule(SUPERVISORS | {Role.AUDITOR}, Target.MANY),
    "place_hold": by_human(SUPERVISORS, Target.VICTIM),
    "confirm_hold": by_human(SUPERVISORS, Target.VICTIM),
    "list_holds": AccessRule(SUPERVISORS | {Role.AUDITOR}, Target.MANY),
    "lift_holds": by_human(SUPERVISORS, Target.VICTIM),
    "erase": by_human(SUPERVISORS, Target.VICTIM),
    "decide_erasure": by_human(SUPERVISORS, Target.VICTIM),
    "list_erasures": AccessRule(SUPERVISORS | {Role.AUDITOR}, Target.MANY),
    "break_glass": by_human(DOERS, Target.BREAK_GLASS),
    "end_break_glass": AccessRule(DOERS, Target.BREAK_GLASS),
    "list_break_glass": AccessRule(WITNESSES, Target.MANY),
    "see_break_glass_note": by_human(SUPERVISORS, Target.BREAK_GLASS),
    "review_break_glass": by_human(SUPERVISORS, Target.BREAK_GLASS),
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


def admit(rules: Mapping[str, AccessRule], operation: str, caller: Caller, sight: Sight, people: bool = False) -> None:
    """Raise Refused unless the caller may call this operation at all.

    ``people``: whether the profile enforces that a human calls where the rule says so. The codes are
    ``role-not-allowed``, ``person-needed`` and ``not-your-unit``.
    """
    rule = rules[operation]
    if caller.role not in rule.roles:
        raise Refused("role-not-allowed", role=caller.role, allowed=", ".join(sorted(rule.roles)))
    if people and rule.person and not caller.person:
        raise Refused("person-needed")
    if rule.about is Target.SERVICE and sight.units is not None:
        raise Refused("not-your-unit")


def require_second_person(caller: Caller, client: str | None, person: str | None, field: str | None = None) -> None:
    """Raise Refused("second-person-needed") where the caller acted first.

    A second person is another human, also at the same client; one human with two clients is one person. Where a token
    names no human, the client counts. ``client`` and ``person``: the first of the two. ``field`` is the request field
    to name.
    """
    if is_same_person(caller, client, person):
        raise Refused("second-person-needed", field=field)


def is_same_person(caller: Caller, client: str | None, person: str | None) -> bool:
    """Whether the caller is the human ``person``, or the same ``client`` where one of the two names no human."""
    both_known = bool(person) and bool(caller.person)
    return person == caller.person if both_known else client == caller.client


MAY_SEE_IDENTITY = frozenset({Status.ACCEPTED, Status.IN_PROGRESS, Status.ON_HOLD})
"""In these statuses the receiver works for the victim, and needs the victim's identity."""

NOT_TAKEN_ON = frozenset({Status.REQUESTED, Status.RECEIVED, Status.REJECTED, Status.CANCELLED})
"""In these statuses the receiver has no part in the victim, or none any more."""
TURNED_AWAY = frozenset({Status.REJECTED, Status.CANCELLED})
"""The receiver refused, or the sender took the request back before the work began."""


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
