"""The FastAPI dependency of every route that carries out a command: the caller at a desk of ours."""

from typing import Annotated

from fastapi import Depends

from shared.http.admission import CallerDep, SightDep
from shared.http.dependencies import OfficeDep
from shared.reference.acting import CallerAtDesk


# a coroutine, as in ``dependencies``: FastAPI would run a plain function in a thread
async def _caller_at_desk(office: OfficeDep, caller: CallerDep, sight: SightDep) -> CallerAtDesk:
    return CallerAtDesk(office, caller, sight)


CallerAtDeskDep = Annotated[CallerAtDesk, Depends(_caller_at_desk)]
