"""Consent and legal basis: when a disclosure is lawful (UU 27/2022 on the protection of personal data, "PDP").

No disclosure without a basis. Consent is one of several; it is recorded with the seven things that Ps 21(1) says a
person must be told, it can be taken back (Ps 9), and a guardian's word is never the only gate.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from shared.contracts.codes import (
    AgeClass,
    ConsentManner,
    ConsentPurpose,
    GuardianPart,
    IdentityField,
    LegalBasis,
    Stage,
)
from shared.domain.refusal import Refused
from shared.domain.text import Text


@dataclass(frozen=True, slots=True)
class Notice:
    """A version of what a person is told before they agree. What a consent itself does not say, its notice does."""

    valid_from: date
    source: str
    """On whose word this text and these days rest."""
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
    """What a person has agreed to, with the items of Ps 21(1) that differ from person to person.

    ``purposes`` is item b, ``fields`` item c, ``valid_until`` item f; items a, d, e and g are the notice's.
    """

    id: str
    version: int
    notice: str
    purposes: frozenset[ConsentPurpose]
    fields: frozenset[IdentityField]
    recipients: frozenset[str]
    """The agencies to which may be disclosed."""
    valid_until: datetime
    manner: ConsentManner
    guardian: GuardianPart
    recorded_at: datetime
    ended_at: datetime | None = None
    """When it was withdrawn, had expired, or was replaced."""

    def stands(self, now: datetime) -> bool:
        """Whether it can be relied on."""
        return self.ended_at is None and now < self.valid_until

    def covers(self, recipient: str, stage: Stage, fields: Iterable[IdentityField]) -> bool:
        """Whether a disclosure of these fields, for a service of that stage, is among what was agreed to."""
        return recipient in self.recipients and PURPOSES.get(stage) in self.purposes and self.fields.issuperset(fields)


def check_consent(age: AgeClass, agrees: bool, guardian: GuardianPart) -> None:
    """Whether this is a consent at all. Raises Refused.

    The person's own word is needed at every age. For a child (or where the age is unknown) a guardian agrees too
    (PDP Ps 25), unless they are left out as possibly involved; a guardian's word alone is no consent.
    """
    if not agrees:
        raise Refused("not-agreed", field="agrees")
    if age is not AgeClass.ADULT and guardian not in (GuardianPart.AGREED, GuardianPart.EXCLUDED):
        raise Refused("guardian-part-missing", field="guardian")


def current(consents: Iterable[Consent]) -> Consent | None:
    """The latest version, which takes the place of those before, withdrawn or not."""
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
"""For what a service uses an identity, by the stage it belongs to."""


def disclosed(
    basis: LegalBasis,
    age: AgeClass,
    consent: Consent | None,
    recipient: str,
    stage: Stage,
    needs: frozenset[IdentityField],
    now: datetime,
) -> frozenset[IdentityField]:
    """Which of the fields that a service (of a ``stage``) needs may be given to ``recipient``. Raises Refused.

    On consent: what the person agreed to, for what they agreed to (Ps 21(1) b), and nothing once it is withdrawn. A
    child's protection is a basis for a child alone.
    """
    if basis is LegalBasis.CHILD_PROTECTION and age is AgeClass.ADULT:
        raise Refused("not-a-child", field="basis")
    if basis is not LegalBasis.CONSENT:
        return needs
    if consent is None or not consent.stands(now) or recipient not in consent.recipients:
        raise Refused("no-consent", field="basis")
    if PURPOSES.get(stage) not in consent.purposes:
        raise Refused("no-consent", field="basis")
    return needs & consent.fields
