"""Register the people of a batch: a few per transaction, each person completely or not at all.

The batch keeps the result for each person. A repeated request with the same Idempotency-Key continues where the first
one stopped. Registered people are reported again; refused people are tried again. Of a refused person only the refusal
and its reason are kept. A supervisor of the desk may continue the list of an officer in the same way.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlmodel import col

from shared.casework.capacity import room
from shared.casework.cases import registration as cases
from shared.casework.people_list.tables import BatchPersonRow, BatchRow
from shared.casework.referrals import requesting
from shared.casework.referrals.urgent import UrgentToDesk, count_urgent
from shared.contracts.types import UnitRef
from shared.domain.commands import when
from shared.domain.people_list import AskFor, BatchPerson, TakeIn, asked_for, check_list, may_continue, urgent_asks
from shared.domain.referral_commands import Request
from shared.domain.refusal import Refused
from shared.domain.urgency import is_limited
from shared.reference.acting import CallerAtDesk
from shared.reference.backdating import Act, list_if_late
from shared.reference.office import Office, new_id
from shared.storage.unit_of_work import Transaction
from shared.victims.register import visibility
from shared.victims.register.store import load_case

AT_ONCE = 2
"""People per transaction. Few, because other writers wait until the transaction ends."""


@dataclass(frozen=True, slots=True)
class ListedPerson:
    """One row of the list: the person, or the problem document when the row itself is refused. ``row`` is from 1."""

    row: int
    person: BatchPerson | None
    problem: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch in progress: its sender, its case, the referrals to make for everybody (``refer``), and the people.

    A person who could not be read is None. ``told`` turns a refusal into a problem document. ``count`` counts the
    people of a new batch against the limits. ``batch_id`` is known once the batch has begun.
    """

    by: CallerAtDesk
    case_id: str
    refer: Sequence[AskFor]
    people: Sequence[BatchPerson | None]
    told: Callable[[Refused], Mapping[str, Any]]
    count: Callable[[], None]
    batch_id: str = ""

    def some(self, tx: Transaction, people: Sequence[ListedPerson]) -> list[BatchPersonRow]:
        """Register these people with their referrals. Returns the result for each person, in the same order.

        A refusal does not raise: the result holds the problem document.
        """
        here = (col(BatchPersonRow.batch_id) == self.batch_id) & col(BatchPersonRow.row).in_([p.row for p in people])
        # locked: a supervisor may continue the list while its officer repeats it, and each person comes in once
        done = select(BatchPersonRow).where(here).order_by(col(BatchPersonRow.row)).with_for_update()
        known = {row.row: row for row in tx.session.scalars(done)}
        return [self._one(tx, listed, known.get(listed.row)) for listed in people]

    def _one(self, tx: Transaction, listed: ListedPerson, row: BatchPersonRow | None) -> BatchPersonRow:
        if row is not None and row.victim_id is not None:
            return row
        if row is None:
            row = BatchPersonRow(batch_id=self.batch_id, row=listed.row, referrals=[], left_out=[])
            tx.session.add(row)
        row.problem = listed.problem
        if listed.person is not None:
            row.role = listed.person.role
            if listed.problem is None:
                try:
                    with tx.savepoint():
                        self._take(tx, listed.person, row)
                except Refused as refused:
                    row.victim_id, row.referrals, row.left_out = None, [], []
                    row.problem = self.told(refused)
        return row

    def _take(self, tx: Transaction, person: BatchPerson, row: BatchPersonRow) -> None:
        asks, left_out = asked_for(person, self.refer, self._is_urgent)
        acting = self.by.acting(tx)
        victim = cases.register_victim(acting, self.case_id, person, known_again_later=True)
        list_if_late(tx, Act(self.by.caller, "take_in", victim.id), person)
        made = []
        for ask in asks:
            if ask.force:
                raise Refused("force-not-in-lists", field="refer")
            request = Request(
                victim_id=victim.id,
                kind=ask.kind,
                service=ask.service,
                receiver=ask.receiver,
                priority=ask.priority,
                basis=ask.basis,
                occurred_at=person.occurred_at,
                note=person.note,
            )
            made.append(requesting.request(acting, request, counted=True).id)
        row.victim_id, row.referrals, row.left_out = victim.id, made, [ask.name for ask in left_out]

    def _is_urgent(self, ask: AskFor) -> bool:
        return self.by.office.directory.may_not_wait(ask.receiver.agency, ask.service)

    def end(self, tx: Transaction) -> BatchRow:
        """Store that all people have been processed, and return the row."""
        row = tx.session.scalars(select(BatchRow).where(col(BatchRow.id) == self.batch_id)).one()
        row.finished_at = row.finished_at or tx.now
        return row


def _may_be_asked(tx: Transaction, office: Office, ask: AskFor, region: str, field: str) -> None:
    """Check before any registration that the receiver can be asked at all.

    ``field`` is the place of the referral in the request. Raises Refused: ``no-such-route``, ``unknown-unit``,
    ``unknown-region``, ``unknown-agency`` or ``desk-is-full``.
    """
    if office.agency.route(ask.receiver.agency, ask.service) is None:
        raise Refused("no-such-route", field=f"{field}/service")
    try:
        desk = requesting.asked_desk(office, ask.receiver, region, tx.now.date())
    except Refused as refused:
        raise Refused(refused.problem, field=f"{field}/{refused.field}", **refused.facts) from None
    room.require_room(tx, office, desk, ask.service, False, f"{field}/receiver")


def _by_desk(
    tx: Transaction,
    office: Office,
    urgent: Sequence[tuple[str, AskFor]],
    region: str,
    counted_at: datetime | None = None,
) -> Sequence[UrgentToDesk]:
    """The urgent hand-overs of a list, by desk. The field is the first place that names the desk.

    A person whose desk does not exist is refused alone, later. ``counted_at``: when they were counted before.
    """
    asked: dict[UnitRef, list[str]] = {}
    for place, ask in urgent:
        with suppress(Refused):
            desk = requesting.asked_desk(office, ask.receiver, region, tx.now.date())
            asked.setdefault(desk.as_ref(), []).append(place)
    return [
        UrgentToDesk(desk, f"{places[0]}/receiver", len(places), counted_at=counted_at)
        for desk, places in asked.items()
    ]


def _count_again(tx: Transaction, batch: Batch, row: BatchRow, refer: Sequence[AskFor], region: str) -> None:
    """Count the people of a continued batch who are not registered yet: they are handed over now, and not before.

    Without this a list of each hour, refused at first, would reach the desk with all others in one hour. A supervisor
    answers for any number. Then nothing is counted, and the officer's count of the list stays.
    """
    if not is_limited(batch.by.caller.role):
        return
    known = select(col(BatchPersonRow.row)).where(col(BatchPersonRow.batch_id) == row.id)
    registered = set(tx.session.scalars(known.where(col(BatchPersonRow.victim_id).is_not(None))))
    left = [None if place in registered else person for place, person in enumerate(batch.people, 1)]
    office = batch.by.office
    urgent = urgent_asks(left, refer, office.directory.may_not_wait)
    count_urgent(batch.by.acting(tx), _by_desk(tx, office, urgent, region, row.counted_at))
    row.counted_at = tx.now


def begin(tx: Transaction, batch: Batch, command: TakeIn, name: str, fingerprint: str) -> BatchRow:
    """The row of a batch: a new row, or the row of the same request sent before.

    ``name`` identifies the Idempotency-Key, ``fingerprint`` the content of the request. Raises Refused:
    ``unknown-case``, ``idempotency-key-reused``, ``batch-already-taken-in``, ``urgent-needs-supervisor``, or for a
    referral that nobody can be asked for.
    """
    case = load_case(tx.session, batch.case_id, visibility.cases(batch.by.sight))
    if case is None:
        raise Refused("unknown-case")
    office = batch.by.office
    urgent = urgent_asks(batch.people, command.refer, office.directory.may_not_wait)
    check_list(batch.by.caller.role, command, urgent)
    for place, ask in enumerate(command.refer):
        _may_be_asked(tx, office, ask, case.region, f"refer/{place}")
    when(command, tx.now)
    if (row := _begun(tx, batch, name, fingerprint)) is not None:
        _count_again(tx, batch, row, command.refer, case.region)
        return row
    row = BatchRow(
        id=new_id(),
        case_id=batch.case_id,
        name=name,
        fingerprint=fingerprint,
        people=len(command.people),
        client=batch.by.caller.client,
        person=batch.by.caller.person,
        unit=batch.by.caller.unit,
        begun_at=tx.now,
        counted_at=tx.now,
    )
    tx.session.add(row)
    tx.session.flush()  # first, so that the same request at the same time waits here, and counts nothing of its own
    count_urgent(batch.by.acting(tx), _by_desk(tx, office, urgent, case.region))
    batch.count()
    return row


def _begun(tx: Transaction, batch: Batch, name: str, fingerprint: str) -> BatchRow | None:
    """The row of a batch that began before, or None.

    It is the same request sent again, or the same list that a supervisor of its desk continues.

    Raises Refused: ``idempotency-key-reused``, or ``batch-already-taken-in`` for the list of somebody else.
    """
    # locked: the same request at the same time counts after this one, from the moment that this one leaves
    named = or_(col(BatchRow.name) == name, col(BatchRow.continued_as) == name)
    row = tx.session.scalars(select(BatchRow).where(named).with_for_update()).first()
    if row is not None:
        if row.fingerprint != fingerprint:
            raise Refused("idempotency-key-reused", field="Idempotency-Key")
        return row
    same = (col(BatchRow.case_id) == batch.case_id) & (col(BatchRow.fingerprint) == fingerprint)
    # another thread may be committing the same POST. That is no twin: the next run finds its row
    twins = select(BatchRow).where(same, col(BatchRow.name) != name).with_for_update()
    twin = tx.session.scalars(twins).first()
    if twin is not None:
        if not may_continue(batch.by.caller, twin.unit, twin.client, twin.person):
            raise Refused("batch-already-taken-in", batch=twin.id, unit=twin.unit)
        twin.continued_as = name
    return twin
