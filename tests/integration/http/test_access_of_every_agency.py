"""The matrix of access is tried on the police's service (``tests/integration/access``).

Here: every other agency refuses the same callers for the same reasons.
"""

import contextlib
from pathlib import Path

import pytest

from services.kemenkes.main import MEMBER as KEMENKES
from services.kemenpppa.main import MEMBER as KEMENPPPA
from services.kemensos.main import MEMBER as KEMENSOS
from shared.domain.access import Role
from shared.domain.routing import NATION
from shared.service.member import Member
from shared.service.running import now_utc
from tests.support.access_matrix import ALL, NOT_FOUND, Try, ask, operations_of, roles_of, told, tries_of
from tests.support.network import offline

OF_THEIR_OWN = {
    "kemensos": [Try("list_shelters", "", "/v1/shelters", frozenset(), "200", method="GET", query={"region": "74.01"})]
}
"""Operations of one agency alone."""
OWN_ROLES = {"list_shelters": ALL}


@pytest.mark.parametrize("member", [KEMENPPPA, KEMENSOS, KEMENKES], ids=lambda member: str(member.agency.code))
async def test_every_agency_has_the_same_door(member: Member, tmp_path: Path, secrets: Path) -> None:
    """Every operation by every role. A role without the right is refused; an allowed role finds no object of the
    police."""
    unexpected = []
    async with contextlib.AsyncExitStack() as stack:
        app = await offline(member, tmp_path, secrets, stack)
        code = member.agency.code
        top = app.state.office.units.desk_for(code, NATION, now_utc().date()).id
        tries = [*tries_of(member.agency.forms), *OF_THEIR_OWN.get(code, ())]
        assert set(operations_of(app)) == {what.operation for what in tries}
        for what in tries:
            for role in Role:
                answer = await ask(app, code, role, top, what.method, what.path, **what.sent)
                allowed = OWN_ROLES.get(what.operation, "").split() or roles_of(what.operation).split()
                if allowed and role not in allowed:
                    fits = told(answer) == "role-not-allowed"
                elif what.about:
                    fits = told(answer) == NOT_FOUND[what.about] and answer.status_code == 404
                else:
                    fits = told(answer) != "role-not-allowed" and answer.status_code < 500
                if not fits:
                    unexpected.append((what.operation, role, told(answer)))
    assert unexpected == []
