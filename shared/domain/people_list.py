"""A batch is many people at once: hundreds may come off one ship. Each is registered and referred like any victim.

A person is processed whole or not at all, whatever happens to the others. An officer may take a person for a
recruiter. The suspicion stays with the agency that records it. It takes away no right to first aid: UU 21/2007 Ps 53
asks nobody who they are.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.codes import AgeClass, Kind, LegalBasis, MatchKind, MatchStrength, Priority, Sex
from shared.contracts.pattern import Pattern
from shared.contracts.types import Code, Flag
from shared.domain.access import Caller, Role, is_same_person
from shared.domain.cases import RegisterVictim
from shared.domain.commands import Noted, example
from shared.domain.matching import normalised, strength
from shared.domain.referral_commands import Receiver
from shared.domain.refusal import Refused
from shared.domain.urgency import MOST_URGENT, is_limited, is_urgent

ASK = Pattern(
    r"^[a-z][a-z0-9-]*:[a-z][a-z0-9-]*(:[a-z0-9][a-z0-9.-]*)?$",
    "instansi:layanan, boleh dengan satuan, seperti clinic:first-aid",
    "agency:service, with a unit if need be, such as clinic:first-aid",
)
"""``agency:service``, with a desk if it is not the nearest: ``clinic:first-aid:clinic-74.01``."""
MOST_PEOPLE = 1000
"""The most people in one batch."""
MOST_BY_OFFICER = 600
"""The most people in one batch that an officer may send. A supervisor sends the larger ones."""


class PersonRole(StrEnum):
    """The role that an officer sees in a person of the group."""

    VICTIM = "victim"
    SUSPECTED_RECRUITER = "suspected-recruiter"


class AskFor(BaseModel):
    """A referral or transfer to create for each person of the group."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: Code
    receiver: Receiver
    basis: LegalBasis
    kind: Kind = Kind.REFERRAL
    priority: Priority = Priority.ROUTINE
    force: Flag = False
    """Refused in a list: only a person alone is sent to a desk that has announced that it is full."""

    @property
    def name(self) -> str:
        """The agency and the service: ``clinic:first-aid``."""
        return f"{self.receiver.agency}:{self.service}"


class BatchPerson(RegisterVictim):
    """One person of the group. ``refer`` replaces, for this person, the referrals of the whole group."""

    model_config = example(age_class=AgeClass.ADULT, sex=Sex.FEMALE, identity={"name": "Contoh Rekaan"})

    role: PersonRole = PersonRole.VICTIM
    refer: Annotated[tuple[AskFor, ...], Field(max_length=5)] | None = None


class TakeIn(Noted):
    """Register many people of one case, and refer each of them.

    With ``check`` the service stores nothing and reports what it would refuse.
    """

    model_config = example(people=[{"age_class": "adult", "sex": "female", "identity": {"name": "Contoh Rekaan"}}])

    refer: Annotated[tuple[AskFor, ...], Field(max_length=5)] = ()
    check: Flag = False
    people: list[Any] = Field(
        min_length=1,
        max_length=MOST_PEOPLE,
        description="Tiap orang seperti RegisterVictim, dengan role dan refer bila perlu; diperiksa satu per satu. / "
        "Each person as RegisterVictim, with role and refer where needed; each is validated alone.",
    )
    """Each person is validated alone (``BatchPerson``), so that one faulty entry delays nobody else."""


def asked_for(
    person: BatchPerson, all_of_them: Sequence[AskFor], urgent: Callable[[AskFor], bool]
) -> tuple[list[AskFor], list[AskFor]]:
    """The referrals to create for a person, and the referrals of the batch to leave out for that person.

    A suspected recruiter must not be sent to the victims' shelter. So a suspect gets only the urgent services of the
    batch, unless an officer states ``refer`` for that person.
    """
    if person.refer is not None:
        return list(person.refer), []
    if person.role is PersonRole.VICTIM:
        return list(all_of_them), []
    return [ask for ask in all_of_them if urgent(ask)], [ask for ask in all_of_them if not urgent(ask)]


def written_twice(people: Sequence[BatchPerson | None]) -> dict[int, tuple[int, MatchKind]]:
    """Row → the earlier row with the same number, and the kind of that number. Rows count from 1.

    Only numbers that belong to one person alone count (``MatchStrength.STRONG``). None is a row that could not be read.
    """
    first: dict[tuple[MatchKind, str], int] = {}
    twice: dict[int, tuple[int, MatchKind]] = {}
    for row, person in enumerate(people, 1):
        known = person.identity.model_dump(exclude_none=True) if person and person.identity else {}
        for kind, number in normalised(known).items():
            if strength([kind]) is MatchStrength.STRONG and (earlier := first.setdefault((kind, number), row)) != row:
                twice.setdefault(row, (earlier, kind))
    return twice


def urgent_asks(
    people: Sequence[BatchPerson | None], refer: Sequence[AskFor], may_not_wait: Callable[[str, str], bool]
) -> list[tuple[str, AskFor]]:
    """The urgent hand-overs that a list asks for: the place of each in the request, and the hand-over itself.

    None is a person who could not be read, and asks for nothing. ``may_not_wait``: whether a service of an agency is
    urgent by itself, whatever priority the list gives it.
    """

    def waits_not(ask: AskFor) -> bool:
        return may_not_wait(ask.receiver.agency, ask.service)

    found: list[tuple[str, AskFor]] = []
    for row, person in enumerate(people):
        asks, _ = asked_for(person, refer, waits_not) if person is not None else ([], [])
        for ask in asks:
            if not ask.force and is_urgent(ask.priority, waits_not(ask)):  # a forced one is refused in a list
                own = person is not None and person.refer is not None
                place = f"people/{row}/refer/{asks.index(ask)}" if own else f"refer/{list(refer).index(ask)}"
                found.append((place, ask))
    return found


def check_list(role: Role, command: TakeIn, urgent: Sequence[tuple[str, AskFor]]) -> None:
    """Raise Refused unless this role may send a list of this size and urgency.

    ``urgent``: the ``urgent_asks`` of the list. Codes: ``force-not-in-lists``, and for an officer
    ``list-needs-supervisor``.
    """
    for place, ask in enumerate(command.refer):
        if ask.force:
            raise Refused("force-not-in-lists", field=f"refer/{place}/force")
    if not is_limited(role):
        return
    if len(command.people) > MOST_BY_OFFICER:
        raise Refused("list-needs-supervisor", field="people")
    agencies = [ask.receiver.agency for _, ask in urgent]
    if any(agencies.count(agency) > MOST_URGENT for agency in set(agencies)):
        raise Refused("list-needs-supervisor", field="refer")


def may_continue(caller: Caller, unit: str, client: str, person: str | None) -> bool:
    """Whether a caller may continue, with an Idempotency-Key of its own, a list that another person began.

    Only a supervisor of the same desk may. An officer with too many urgent people is sent to that supervisor.
    ``unit``, ``client`` and ``person``: who began the list, and has its first key.
    """
    return caller.role is Role.SUPERVISOR and caller.unit == unit and not is_same_person(caller, client, person)
