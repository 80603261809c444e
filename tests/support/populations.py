"""Invented people at coordination: regencies of uneven size, desks, stages, hand-overs and clocks."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.coordination.tables import AlarmRow, CaseFactsRow, CustodyRow, JourneyRow, StageRow
from shared.contracts.codes import AgeClass, Exploitation, Level, Sex, Stage, Status
from shared.reference.office import new_id
from shared.storage.tables import ReferralRow

THEN = datetime(2026, 3, 24, 5, tzinfo=UTC)
NOT_YET = datetime(2100, 1, 1, tzinfo=UTC)
AGENCIES = ("police", "kemenpppa", "kemensos", "kemenkes")


@dataclass(frozen=True)
class HandedOver:
    """One hand-over of a person."""

    id: str
    sender: str
    receiver: str
    status: Status
    late: bool
    gap: bool


@dataclass(frozen=True)
class Person:
    """One invented person: the facts, and how far the journey went."""

    id: str
    case: str
    facts: tuple[AgeClass, Sex, str, Exploitation]
    held_in: tuple[str, ...]
    """The region of each custody link, the present one last."""
    agency: str
    stage: Stage
    closed: bool
    handovers: tuple[HandedOver, ...]
    clock: tuple[str, Level] | None

    def whole_for(self, province: str | None) -> bool:
        """Whether a province follows the journey: its desk has custody or is at work. None: the nation."""
        working = {Status.ACCEPTED, Status.IN_PROGRESS, Status.ON_HOLD}
        at_work = {one.receiver for one in self.handovers if one.status in working}
        return province is None or any(lies_in(region, province) for region in {self.held_in[-1], *at_work})

    def seen_handovers(self, province: str | None) -> list[HandedOver]:
        """The hand-overs from or to a desk of a province."""
        return [one for one in self.handovers if lies_in(one.sender, province) or lies_in(one.receiver, province)]


def lies_in(region: str, province: str | None) -> bool:
    return province is None or region == province or region.startswith(f"{province}.")


def desk_in(region: str) -> str:
    return f"desk-{region.lower()}"


def people(regencies: Sequence[str], number: int, seed: int) -> list[Person]:
    """So many people. A few regencies hold most of them, as in the country; some desks stand abroad."""
    chance = random.Random(seed)
    order = chance.sample(regencies, len(regencies))
    sizes = [1 / (place + 1) for place in range(len(order))]

    def region() -> str:
        return chance.choices([*order, "00.KH"], [*sizes, sizes[0] / 4])[0]

    def handed_over() -> HandedOver:
        status = chance.choice([*Status])
        late = status in (Status.REQUESTED, Status.RECEIVED) and chance.random() < 0.5
        return HandedOver(new_id(), region(), region(), status, late, chance.random() < 0.1)

    def person() -> Person:
        facts = chance.choice([*AgeClass]), chance.choice([*Sex]), region(), chance.choice([*Exploitation])
        held = tuple(region() for _ in range(chance.choice([1, 1, 1, 2, 3])))
        agency, stage = chance.choices(AGENCIES, (60, 25, 12, 3))[0], chance.choice([*Stage][:6])
        clock = (held[-1], chance.choice([*Level])) if chance.random() < 0.3 else None
        handovers = tuple(handed_over() for _ in range(chance.choice([0, 1, 1, 2])))
        return Person(new_id(), new_id(), facts, held, agency, stage, chance.random() < 0.2, handovers, clock)

    return [person() for _ in range(number)]


def with_facts_of_others(population: Sequence[Person], seed: int) -> list[Person]:
    """The same journeys, of people with other facts."""
    facts = [person.facts for person in population]
    random.Random(seed).shuffle(facts)
    return [replace(person, facts=other) for person, other in zip(population, facts, strict=True)]


def rows_of(population: Iterable[Person]) -> Iterator[Any]:
    """What coordination keeps of these people."""
    for number, person in enumerate(population):
        yield from _rows(person, THEN - timedelta(days=number % 60, seconds=number))


def _rows(person: Person, at: datetime) -> Iterator[Any]:
    age_class, sex, home, exploitation = person.facts
    region, last = person.held_in[-1], len(person.held_in)
    yield JourneyRow(
        victim_id=person.id, case_id=person.case, age_class=age_class, sex=sex, home_region=home, stage=person.stage,
        stage_at=at, custody_agency=person.agency, custody_unit=desk_in(region), custody_region=region,
        custody_seq=last, registered_at=at, closed_at=at if person.closed else None,
        outcome="reintegrated" if person.closed else None, events=last,
    )  # fmt: skip
    yield CaseFactsRow(case_id=person.case, agency=person.agency, unit=desk_in(region), region=region, channel="spkt",
                       exploitation=exploitation, opened_at=at)  # fmt: skip
    yield StageRow(victim_id=person.id, stage=person.stage, agency=person.agency, unit=desk_in(region), occurred_at=at)
    for seq, held in enumerate(person.held_in, 1):
        since = at + timedelta(minutes=seq)
        yield CustodyRow(
            victim_id=person.id, seq=seq, agency=person.agency, unit=desk_in(held), region=held, since=since,
            told_since=since,
        )  # fmt: skip
    for one in person.handovers:
        due = THEN if one.late else NOT_YET
        yield ReferralRow(
            id=one.id, case_id=person.case, victim_id=person.id, kind="referral", service="first-aid",
            priority="routine", sender_agency="police", sender_unit=desk_in(one.sender), sender_region=one.sender,
            receiver_agency="kemenkes", receiver_unit=desk_in(one.receiver), receiver_region=one.receiver,
            requested_at=at, due_at=due, status=one.status, version=2, updated_at=at,
            norm_gap="no-mandate" if one.gap else None,
        )  # fmt: skip
    if person.clock is not None:
        where, level = person.clock
        yield AlarmRow(about=person.case, clock="first-aid", agency=person.agency, unit=desk_in(where), region=where,
                       victim_id=person.id, started_at=at, due_at=at, escalated_at=at, escalated_to="desk-above",
                       escalated_level=level)  # fmt: skip
