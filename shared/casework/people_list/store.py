"""Batches of people: the rows, and the result for each person."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select, update
from sqlmodel import Session, col

from shared.casework.people_list.tables import BatchPersonRow, BatchRow
from shared.domain.access import Sight
from shared.storage.referrals import EVERY
from shared.storage.unit_of_work import Transaction
from shared.victims.register.tables import CaseRow
from shared.victims.register.visibility import cases


def load(session: Session, batch_id: str, condition: ColumnElement[bool] = EVERY) -> BatchRow | None:
    """The row of a batch that satisfies the condition, or None."""
    return session.scalars(select(BatchRow).where(col(BatchRow.id) == batch_id, condition)).first()


def people(session: Session, batch_id: str) -> Sequence[BatchPersonRow]:
    """The results for the people processed so far, in the order of the list."""
    here = col(BatchPersonRow.batch_id) == batch_id
    return session.scalars(select(BatchPersonRow).where(here).order_by(col(BatchPersonRow.row))).all()


def counts(session: Session, batch_id: str) -> tuple[int, int]:
    """The number of people registered, and the number refused."""
    registered = func.count(col(BatchPersonRow.victim_id))
    statement = select(func.count(), registered).where(col(BatchPersonRow.batch_id) == batch_id)
    gone_through, done = session.execute(statement).one()
    return done, gone_through - done


def forget_role(tx: Transaction, victim_id: str) -> None:
    """Delete the role of an erased victim and what was left out: both may tell that the person was suspected.

    The keyed hash of the whole list goes too: it could be tried for the person's name or NIK.
    """
    theirs = col(BatchPersonRow.victim_id) == victim_id
    lists = select(col(BatchPersonRow.batch_id)).where(theirs)
    tx.session.execute(update(BatchRow).where(col(BatchRow.id).in_(lists)).values(fingerprint=None))
    tx.session.execute(update(BatchPersonRow).where(theirs).values(role=None, left_out=[]))


def visible(sight: Sight) -> ColumnElement[bool]:
    """Batches of people of a case that a desk in sight opened."""
    return select(col(CaseRow.id)).where(col(CaseRow.id) == col(BatchRow.case_id), cases(sight)).exists()
