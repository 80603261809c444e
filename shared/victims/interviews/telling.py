"""Publish an interview to every agency that works for the victim, so that all of them count it."""

from shared.contracts import events as e
from shared.reference.office import Office, tell_agencies
from shared.storage import referrals
from shared.storage.unit_of_work import Transaction
from shared.victims.interviews import store


def tell_interview(tx: Transaction, office: Office, told: e.VictimInterviewed) -> None:
    """One of our desks interviewed a victim. Tell the coordinator, and every other side of a referral of the victim.

    An agency that refused, or that we refused, has no part and is told nothing.
    """
    store.keep(tx, told.victim_id, [told.interview_id], told)
    others = referrals.working_for(tx.session, told.victim_id)
    tell_agencies(tx, office, told, told.unit, others, told.victim_id)
