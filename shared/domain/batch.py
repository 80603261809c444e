"""Many people at once: hundreds come off one ship, and each of them is registered and referred like anybody else.

A person is done whole or not at all, whatever becomes of the others. Somebody may be taken for a recruiter: that
stays with who says it, and takes nothing from their right to first aid (UU 21/2007 Ps 53 asks nobody who they are).
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.codes import AgeClass, Kind, LegalBasis, MatchKind, MatchStrength, Priority, Sex
from shared.contracts.types import Code, Flag, Id
from shared.domain.commands import Command, Receiver, RegisterVictim, example
from shared.domain.matching import spelt, strength

MOST_PEOPLE = 1000


class PersonRole(StrEnum):
    """What somebody who came with the others is taken for."""

    VICTIM = "victim"
    SUSPECTED_RECRUITER = "suspected-recruiter"


class AskFor(BaseModel):
    """A referral or transfer to ask for, for each of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: Code
    receiver: Receiver
    basis: LegalBasis
    kind: Kind = Kind.REFERRAL
    priority: Priority = Priority.ROUTINE
    force: Flag = False
    """Ask although the desk has said that it is full."""

    @property
    def name(self) -> str:
        """What is asked of whom: ``clinic:first-aid``."""
        return f"{self.receiver.agency}:{self.service}"


class BatchPerson(RegisterVictim):
    """One of them. What is ``refer``red for this person takes the place of what is for all."""

    model_config = example(age_class=AgeClass.ADULT, sex=Sex.FEMALE, identity={"name": "Contoh Rekaan"})

    role: PersonRole = PersonRole.VICTIM
    refer: Annotated[tuple[AskFor, ...], Field(max_length=5)] | None = None


class TakeIn(Command):
    """Register many people of one case, and refer each of them. With ``check`` nothing is done: it is only said what
    would be refused."""

    model_config = example(people=[{"age_class": "adult", "sex": "female", "identity": {"name": "Contoh Rekaan"}}])

    batch_id: Id | None = None
    refer: Annotated[tuple[AskFor, ...], Field(max_length=5)] = ()
    check: Flag = False
    people: list[Any] = Field(
        min_length=1,
        max_length=MOST_PEOPLE,
        description="Tiap orang seperti RegisterVictim, dengan role dan refer bila perlu; diperiksa satu per satu. / "
        "Each like RegisterVictim, with role and refer if need be; checked one by one.",
    )
    """Each is checked by itself (``BatchPerson``), so that one who is written down wrongly holds up nobody else."""


def asked_for(
    person: BatchPerson, all_of_them: Sequence[AskFor], urgent: Callable[[AskFor], bool]
) -> tuple[list[AskFor], list[AskFor]]:
    """What is asked for a person, and what is left out: whoever is taken for a recruiter is not sent with the others to
    where victims are sheltered, unless a person says so of them; what is urgent is for everybody."""
    if person.refer is not None:
        return list(person.refer), []
    if person.role is PersonRole.VICTIM:
        return list(all_of_them), []
    return [ask for ask in all_of_them if urgent(ask)], [ask for ask in all_of_them if not urgent(ask)]


def written_twice(people: Sequence[BatchPerson | None]) -> dict[int, tuple[int, MatchKind]]:
    """Row → the earlier row with the same number that one person alone has, and what it is the number of. Rows are
    numbered from 1; None could not be read."""
    first: dict[tuple[MatchKind, str], int] = {}
    twice: dict[int, tuple[int, MatchKind]] = {}
    for row, person in enumerate(people, 1):
        known = person.identity.model_dump(exclude_none=True) if person and person.identity else {}
        for kind, number in spelt(known).items():
            if strength([kind]) is MatchStrength.STRONG and (earlier := first.setdefault((kind, number), row)) != row:
                twice.setdefault(row, (earlier, kind))
    return twice
