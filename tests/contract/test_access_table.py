"""The declared table of access says what is written by hand a second time."""

from collections.abc import Mapping

import pytest

from services.coordination.access import RULES as COORDINATION_RULES
from services.police.main import MEMBER as POLICE
from shared.domain.access import AGENCY_RULES, AccessRule
from tests.support.access_matrix import BY_HUMAN, COORDINATION_ROLES_OF, FILING, PAGES, ROLES_OF


@pytest.mark.parametrize(
    ("rules", "by_hand"),
    [(AGENCY_RULES, ROLES_OF), (POLICE.rules, {**ROLES_OF, **FILING}), (COORDINATION_RULES, COORDINATION_ROLES_OF)],
    ids=["agency", "police", "coordination"],
)
def test_the_declared_table_says_what_is_expected_here(
    rules: Mapping[str, AccessRule], by_hand: Mapping[str, str]
) -> None:
    declared = {name: set(rule.roles) for name, rule in rules.items() if name not in PAGES}
    assert declared == {name: set(roles.split()) for name, roles in by_hand.items()}
    assert {name for name, rule in rules.items() if rule.person} == BY_HUMAN & by_hand.keys()
