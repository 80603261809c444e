"""Find the case, victim, referral or desk that a form is about, and the desk that files the form."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.contracts.codes import AgeClass
from shared.contracts.types import UnitRef
from shared.domain.access import NOT_TAKEN_ON
from shared.domain.clocks import ClockSubject
from shared.domain.forms import FormSubject
from shared.domain.refusal import Refused
from shared.reference.acting import Acting
from shared.storage import referrals
from shared.storage import visibility as referral_visibility
from shared.storage.tables import ReferralRow
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
    def ids(self) -> dict[ClockSubject, str]:
        """The ids that clocks may run for."""
        named = {
            ClockSubject.VICTIM: self.victim.id if self.victim else None,
            ClockSubject.CASE: self.case_id,
            ClockSubject.REFERRAL: self.referral.id if self.referral else None,
        }
        return {about: ident for about, ident in named.items() if ident is not None}


def is_child(victim: VictimRow) -> bool:
    """Whether a victim is treated as a child; an unknown age counts as a child."""
    return victim.rule_age != AgeClass.ADULT


def _of_case(acting: Acting, case_id: str) -> Subject:
    case = load_case(acting.tx.session, case_id, visibility.cases(acting.sight))
    if case is None:
        raise Refused("unknown-case")
    unit = UnitRef(agency=acting.office.code, unit=case.unit, region=case.region)
    return Subject(case_id, unit, case_id=case_id)


def _of_victim(acting: Acting, victim_id: str) -> Subject:
    victim = lock_victim(acting.tx.session, acting.sight, victim_id)
    unit = speaking_unit(acting.sight, victim, referrals.live_of_victim(acting.tx.session, victim_id))
    return Subject(victim_id, unit, victim, victim.case_id)


def _of_referral(acting: Acting, referral_id: str) -> Subject:
    row = referrals.load(acting.tx.session, referral_id, referral_visibility.referrals(acting.sight))
    if row is None:
        raise Refused("unknown-referral")
    desk = referrals.to_referral(row).receiver
    if not acting.sight.covers(desk) or row.status in NOT_TAKEN_ON:
        raise Refused("not-responsible")
    victim = lock_victim(acting.tx.session, None, row.victim_id)
    return Subject(referral_id, desk, victim, row.case_id, row)


def _of_desk(acting: Acting, unit: str) -> Subject:
    desk = acting.office.our_unit(unit, acting.tx.now.date())
    acting.sight.require(desk)
    return Subject(unit, desk)


SUBJECTS: Mapping[FormSubject, Callable[[Acting, str], Subject]] = {
    FormSubject.CASE: _of_case,
    FormSubject.VICTIM: _of_victim,
    FormSubject.REFERRAL: _of_referral,
    FormSubject.DESK: _of_desk,
}
