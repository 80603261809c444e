"""Rights tried in full: every role × unit × operation × object × field, over HTTP, against the real apps.

The expected answers are written by hand in ``tests/support/access_matrix.py``: the services must do the same. The
operations are those of the OpenAPI documents, so that none can be forgotten.
"""

from itertools import product

import pytest
from fastapi import FastAPI

from shared.domain.access import Role
from tests.support.access_matrix import (
    AT_WORK,
    COORDINATION_ROLES_OF,
    FILING,
    NEEDED_TO_INVESTIGATE,
    NOT_FOUND,
    OWN,
    ROLES_OF,
    SEES,
    STRANGER,
    TOP,
    TRIES,
    UNITS,
    VICTIM,
    WHO,
    Try,
    ask,
    operations_of,
    roles_of,
    told,
)
from tests.support.network import asked_of_the_database

ON_ONE_LOOP = pytest.mark.asyncio(loop_scope="module")


def expected(what: Try, role: Role, unit: str) -> str:
    """The right answer to a caller, by the tables of this module alone."""
    allowed = roles_of(what.operation).split()
    if not allowed:
        return what.done
    if role not in allowed:
        return "role-not-allowed"
    if what.about and unit not in SEES[what.about]:
        return NOT_FOUND[what.about]
    return what.done if unit in what.may else what.otherwise


@ON_ONE_LOOP
@pytest.mark.parametrize("role", Role)
async def test_every_operation_on_every_object_by_every_role_at_every_unit(police: FastAPI, role: Role) -> None:
    unexpected = []
    for what in TRIES:
        for unit in UNITS:
            answer = await ask(police, "police", role, unit, what.method, what.path, **what.sent)
            if told(answer) != expected(what, role, unit):
                unexpected.append((what.operation, what.path, unit, told(answer), expected(what, role, unit)))
    assert unexpected == []


@ON_ONE_LOOP
async def test_nobody_is_let_in_without_a_token(police: FastAPI) -> None:
    for what in TRIES:
        answer = await ask(police, "police", None, TOP, what.method, what.path, **what.sent)
        assert told(answer) == ("token-required" if roles_of(what.operation) else what.done), what.operation


@ON_ONE_LOOP
@pytest.mark.parametrize("role", [Role.OFFICER, Role.SUPERVISOR])
async def test_the_fields_of_an_identity_that_exist_for_a_unit(police: FastAPI, role: Role) -> None:
    """Kolaka is responsible and sees all; Makassar investigates, and sees what that needs."""
    for unit in UNITS:
        path = f"/v1/victims/{VICTIM}/identity"
        answer = await ask(police, "police", role, unit, "GET", path, params={"purpose": "investigation"})
        if unit in OWN | AT_WORK:
            shown = {name for name, value in answer.json().items() if value is not None}
            assert shown == (set(WHO) if unit in OWN else NEEDED_TO_INVESTIGATE), unit
        else:
            assert told(answer) == "unknown-victim"


@ON_ONE_LOOP
async def test_who_may_not_ask_at_all_is_told_so_before_anything_is_looked_up(police: FastAPI) -> None:
    """So the time of a 403 tells nothing of any object, and a hidden object never gets a 403."""
    with asked_of_the_database(police) as statements:
        for what, role in product(TRIES, Role):
            allowed = roles_of(what.operation).split()
            if allowed and role not in allowed:
                refused = await ask(police, "police", role, STRANGER, what.method, what.path, **what.sent)
                assert (refused.status_code, told(refused)) == (403, "role-not-allowed"), what.path
    assert statements == []


@ON_ONE_LOOP
async def test_every_operation_of_the_contract_is_tried(police: FastAPI, coordination: FastAPI) -> None:
    assert set(operations_of(police)) == {*ROLES_OF, *FILING} == {what.operation for what in TRIES}
    assert set(operations_of(coordination)) == set(COORDINATION_ROLES_OF)


@ON_ONE_LOOP
async def test_the_contract_says_where_a_token_is_needed(police: FastAPI) -> None:
    for path in police.openapi()["paths"].values():
        for operation in path.values():
            needs = bool(roles_of(operation["operationId"]))
            assert ("security" in operation) == needs
            assert ("401" in operation["responses"]) == needs
