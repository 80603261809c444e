"""Consent and legal basis: when a disclosure is lawful (UU 27/2022 on the protection of personal data, "PDP").

Every disclosure needs a legal basis. Consent is one of several. A consent is recorded with the seven items that a
person must be told (Ps 21(1)). The person may withdraw it (Ps 9). A guardian's word alone never decides.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from shared.contracts.codes import (
    AgeClass,
    ConsentManner,
    ConsentPurpose,
    GuardianPart,
    IdentityField,
    LegalBasis,
    Stage,
)
from shared.contracts.types import AskedMoment, Code, Flag, NoticeVersion
from shared.domain.access import Role
from shared.domain.commands import SORTED, Noted, example
from shared.domain.noting import AGAINST_WITHDRAWAL, require_note
from shared.domain.refusal import Refused
from shared.domain.text import Text


class RecordConsent(Noted):
    """Record a person's consent, after the person was told the seven items of UU 27/2022 Ps 21(1).

    It replaces every earlier consent of the person. ``agrees`` is the person's own word, at every age.
    """

    notice: NoticeVersion
    purposes: Annotated[frozenset[ConsentPurpose], Field(min_length=1), SORTED]
    fields: Annotated[frozenset[IdentityField], Field(min_length=1), SORTED]
    recipients: Annotated[frozenset[Code], Field(min_length=1, max_length=20), SORTED]
    valid_until: AskedMoment
    manner: ConsentManner
    agrees: Flag
    guardian: GuardianPart = GuardianPart.NONE


class WithdrawConsent(Noted):
    """Record that a person withdraws a consent."""

    model_config = example()


@dataclass(frozen=True, slots=True)
class Notice:
    """A version of the notice that a person is told before consenting. It has the items that a consent leaves out."""

    valid_from: date
    source: str
    """The source of the texts and of ``retention_days``."""
    legality: Text
    """Ps 21(1) a: why the processing is lawful."""
    collected: Text
    """Ps 21(1) e: which information is collected, in detail."""
    rights: Text
    """Ps 21(1) g: the rights of the person, and how to use them."""
    retention_days: int
    """Ps 21(1) d: how long documents are kept after the journey has ended, in calendar days."""


@dataclass(frozen=True, slots=True)
class Consent:
    """A person's consent, with the items of Ps 21(1) that differ from person to person.

    ``purposes`` is item b, ``fields`` item c, ``valid_until`` item f. The notice holds items a, d, e and g.
    """

    id: str
    version: int
    notice: str
    purposes: frozenset[ConsentPurpose]
    fields: frozenset[IdentityField]
    recipients: frozenset[str]
    """The agencies to which the controller may disclose."""
    valid_until: datetime
    manner: ConsentManner
    guardian: GuardianPart
    recorded_at: datetime
    ended_at: datetime | None = None
    """When the consent was withdrawn, expired or was replaced (UTC)."""

    def stands(self, now: datetime, age: AgeClass) -> bool:
        """Whether the consent is valid at ``now``, for a person of this age class."""
        return self.ended_at is None and now < self.valid_until and has_guardian_part(age, self.guardian)

    def covers(self, recipient: str, stage: Stage, fields: Iterable[IdentityField]) -> bool:
        """Whether the person agreed to disclose these fields to ``recipient``, for a service of that stage."""
        return recipient in self.recipients and PURPOSES.get(stage) in self.purposes and self.fields.issuperset(fields)


def check_consent(age: AgeClass, agrees: bool, guardian: GuardianPart) -> None:
    """Raise Refused unless this is a consent at all: ``not-agreed`` or ``guardian-part-missing``.

    The person's own word is needed at every age. For a child, or at unknown age, a guardian agrees too (PDP Ps 25).
    A guardian who may be involved is excluded instead. A guardian's word alone is no consent.
    """
    if not agrees:
        raise Refused("not-agreed", field="agrees")
    if not has_guardian_part(age, guardian):
        raise Refused("guardian-part-missing", field="guardian")


def has_guardian_part(age: AgeClass, guardian: GuardianPart) -> bool:
    """Whether a guardian has the part in a consent that this age class needs. An adult needs none.

    It is asked again whenever a consent is used. A person who consented as an adult may be found to be a child.
    """
    return age is AgeClass.ADULT or guardian in (GuardianPart.AGREED, GuardianPart.EXCLUDED)


def current(consents: Iterable[Consent]) -> Consent | None:
    """The consent of the latest version, or None. It replaces all earlier versions, even after its withdrawal."""
    return max(consents, key=lambda consent: consent.version, default=None)


PURPOSES: Mapping[Stage, ConsentPurpose] = {
    Stage.PROTECTION: ConsentPurpose.CARE,
    Stage.MEDICAL_REHABILITATION: ConsentPurpose.MEDICAL,
    Stage.SOCIAL_REHABILITATION: ConsentPurpose.CARE,
    Stage.LAW_ENFORCEMENT: ConsentPurpose.LEGAL,
    Stage.REPATRIATION: ConsentPurpose.REPATRIATION,
    Stage.REINTEGRATION: ConsentPurpose.REINTEGRATION,
    Stage.AFTER_CARE: ConsentPurpose.REINTEGRATION,
}
"""Stage of a service → the purpose for which the service uses an identity."""


VITAL = frozenset({Stage.PROTECTION, Stage.MEDICAL_REHABILITATION, Stage.SOCIAL_REHABILITATION})
"""Stages whose services keep a person alive, unhurt and out of the traffickers' reach."""
OF_LAW = VITAL | {Stage.LAW_ENFORCEMENT, Stage.REPATRIATION}
"""Stages whose services a law prescribes for a victim: UU 21/2007 Ps 51-54, UU 12/2022 Ps 39-42, UU 20/2025 (KUHAP)."""

FITTING: Mapping[LegalBasis, frozenset[Stage]] = {
    LegalBasis.CONSENT: frozenset(PURPOSES),
    LegalBasis.VITAL_INTEREST: VITAL,
    LegalBasis.LEGAL_DUTY: OF_LAW,
    LegalBasis.PUBLIC_TASK: frozenset(Stage),
    LegalBasis.CHILD_PROTECTION: frozenset(Stage),
}
"""Legal basis → the stages of services for which it may be the basis (UU 27/2022 Ps 20(2), UU 35/2014).

A service that may not wait has a vital interest whatever its stage (``urgent``)."""


def check_basis(basis: LegalBasis, stage: Stage, urgent: bool) -> None:
    """Raise Refused("basis-not-for-service") unless the basis fits a service of this stage."""
    if stage not in FITTING[basis] and not (urgent and basis is LegalBasis.VITAL_INTEREST):
        raise Refused("basis-not-for-service", field="basis")


def is_withdrawn_for(agency: str, withdrawn_at: datetime, latest: Consent | None, now: datetime, age: AgeClass) -> bool:
    """Whether a withdrawal stands in the way of an agency: the person has not agreed to that agency since.

    The withdrawal counts for every agency that no later, valid consent names, also for one that was never named.
    Otherwise the next agency on the list would be told, on another basis, a minute after the withdrawal.
    ``latest``: the person's newest consent. ``withdrawn_at``: the moment of the newest withdrawal. ``age``: the age
    class for every rule.
    """
    if latest is None or not latest.stands(now, age) or latest.recorded_at < withdrawn_at:
        return True
    return agency not in latest.recipients


def check_against_withdrawal(role: Role, note: str | None) -> None:
    """Raise Refused unless a supervisor says why data goes to an agency, against the person's withdrawal.

    Codes: ``against-withdrawal`` for any other role, ``note-required``.
    """
    if role is not Role.SUPERVISOR:
        raise Refused("against-withdrawal", field="basis")
    require_note(note, AGAINST_WITHDRAWAL)


def disclosed(
    basis: LegalBasis,
    age: AgeClass,
    consent: Consent | None,
    recipient: str,
    stage: Stage,
    needs: frozenset[IdentityField],
    now: datetime,
) -> frozenset[IdentityField]:
    """The fields that may be disclosed to ``recipient``, out of ``needs``: the fields that the service needs.

    On consent, only the agreed fields for the agreed purposes (Ps 21(1) b), and none after withdrawal or expiry.
    Child protection is a basis for a child only, or at unknown age. Raises Refused: ``not-a-child``, ``no-consent``,
    or ``guardian-part-missing`` for a child who consented as an adult.
    """
    if basis is LegalBasis.CHILD_PROTECTION and age is AgeClass.ADULT:
        raise Refused("not-a-child", field="basis")
    if basis is not LegalBasis.CONSENT:
        return needs
    # first as if of an adult: a guardian's part mends no consent that has ended or covers something else
    if consent is None or not consent.stands(now, AgeClass.ADULT) or not consent.covers(recipient, stage, ()):
        raise Refused("no-consent", field="basis")
    if not consent.stands(now, age):
        raise Refused("guardian-part-missing", field="basis")
    return needs & consent.fields
