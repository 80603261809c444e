"""A consent that stands: for whom, until when, and with which part of a guardian."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.contracts.codes import (
    AgeClass,
    ConsentManner,
    ConsentPurpose,
    GuardianPart,
    IdentityField,
    LegalBasis,
    Stage,
)
from shared.domain.consent import Consent, disclosed, has_guardian_part, is_withdrawn_for
from shared.domain.refusal import Refused

NOW = datetime(2026, 11, 29, 8, tzinfo=UTC)
NAME = frozenset({IdentityField.NAME})
WITH_A_PART = {GuardianPart.AGREED, GuardianPart.EXCLUDED}


def a_consent(guardian: GuardianPart, ended_at: datetime | None = None) -> Consent:
    return Consent(
        id="0193f0a2-7a10-7000-8000-00000000000a",
        version=1,
        notice="2026-1",
        purposes=frozenset({ConsentPurpose.MEDICAL}),
        fields=NAME,
        recipients=frozenset({"kemenkes"}),
        valid_until=NOW + timedelta(days=1),
        manner=ConsentManner.WRITTEN,
        guardian=guardian,
        recorded_at=NOW - timedelta(days=1),
        ended_at=ended_at,
    )


def refusal(consent: Consent, age: AgeClass, stage: Stage = Stage.MEDICAL_REHABILITATION) -> str:
    with pytest.raises(Refused) as refused:
        disclosed(LegalBasis.CONSENT, age, consent, "kemenkes", stage, NAME, NOW)
    return refused.value.problem


@pytest.mark.parametrize("guardian", list(GuardianPart))
@pytest.mark.parametrize("age", list(AgeClass))
def test_only_an_adult_consents_without_a_guardians_part(age: AgeClass, guardian: GuardianPart) -> None:
    consent = a_consent(guardian)
    enough = age is AgeClass.ADULT or guardian in WITH_A_PART
    assert has_guardian_part(age, guardian) is enough and consent.stands(NOW, age) is enough
    assert is_withdrawn_for("kemenkes", NOW - timedelta(days=2), consent, NOW, age) is not enough
    if enough:
        stage = Stage.MEDICAL_REHABILITATION
        assert disclosed(LegalBasis.CONSENT, age, consent, "kemenkes", stage, NAME, NOW) == NAME
    else:
        assert refusal(consent, age) == "guardian-part-missing"


def test_a_guardians_part_mends_neither_an_end_nor_another_purpose() -> None:
    for guardian in GuardianPart:
        assert refusal(a_consent(guardian, ended_at=NOW), AgeClass.CHILD) == "no-consent"
        assert refusal(a_consent(guardian), AgeClass.CHILD, Stage.LAW_ENFORCEMENT) == "no-consent"


def test_another_basis_asks_for_no_consent() -> None:
    stage = Stage.MEDICAL_REHABILITATION
    for basis in (LegalBasis.VITAL_INTEREST, LegalBasis.CHILD_PROTECTION):
        assert disclosed(basis, AgeClass.CHILD, None, "kemenkes", stage, NAME, NOW) == NAME
