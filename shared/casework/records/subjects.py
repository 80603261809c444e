"""Find the case, victim, referral or desk that a form is about, and the desk that files the form."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.contracts.codes import AgeClass
from shared.contracts.types import UnitRef
from shared.domain.access import NOT_TAKEN_ON, Sight
from shared.domain.clocks import ClockSubject as Runs
from shared.domain.forms import FormSubject
from shared.domain.refusal import Refused
from shared.reference.office import Office
from shared.storage import referrals
from shared.storage import visibility as seen
from shared.storage.tables import ReferralRow
from shared.storage.unit_of_work import Transaction
from shared.victims.register import visibility
from shared.victims.register.speaking import speaking_unit
from shared.victims.register.store import load_case, lock_victim
from shared.victims.register.tables import VictimRow


@dataclass(frozen=True, slots=True)
class Subject:
    """The case, victim, referral or desk that a form is about, and the desk that files it."""

    about: str
    unit: UnitRef
    victim: VictimRow | None = None
    case_id: str | None = None
    referral: ReferralRow | None = None

    @property
    def ids(self) -> dict[Runs, str]:
        """The ids that clocks may run for."""
        named = {
            Runs.VICTIM: self.victim.id if self.victim else None,
            Runs.CASE: self.case_id,
            Runs.REFERRAL: self.referral.id if self.referral else None,
        }
        return {about: ident for about, ident in named.items() if ident is not None}


def is_child(victim: VictimRow) -> bool:
    """Whether a victim is treated as a child; an unknown age counts as a child."""
    return victim.age_class != AgeClass.ADULT


def _of_case(tx: Transaction, office: Office, sight: Sight, case_id: str) -> Subject:
    case = load_case(tx.session, case_id, visibility.cases(sight))
    if case is None:
        raise Refused("unknown-case")
    unit = UnitRef(agency=office.code, unit=case.unit, region=case.region)
    return Subject(case_id, unit, case_id=case_id)


def _of_victim(tx: Transaction, office: Office, sight: Sight, victim_id: str) -> Subject:
    victim = lock_victim(tx.session, sight, victim_id)
    unit = speaking_unit(sight, victim, referrals.live_of_victim(tx.session, victim_id))
    return Subject(victim_id, unit, victim, victim.case_id)


def _of_referral(tx: Transaction, office: Office, sight: Sight, referral_id: str) -> Subject:
    row = referrals.load(tx.session, referral_id, seen.referrals(sight))
    if row is None:
        raise Refused("unknown-referral")
    desk = referrals.to_referral(row).receiver
    if not sight.covers(desk) or row.status in NOT_TAKEN_ON:
        raise Refused("not-responsible")
    victim = lock_victim(tx.session, None, row.victim_id)
    return Subject(referral_id, desk, victim, row.case_id, row)


def _of_desk(tx: Transaction, office: Office, sight: Sight, unit: str) -> Subject:
    desk = office.our_unit(unit, tx.now.date())
    sight.require(desk)
    return Subject(unit, desk)


SUBJECTS: Mapping[FormSubject, Callable[[Transaction, Office, Sight, str], Subject]] = {
    FormSubject.CASE: _of_case,
    FormSubject.VICTIM: _of_victim,
    FormSubject.REFERRAL: _of_referral,
    FormSubject.DESK: _of_desk,
}
