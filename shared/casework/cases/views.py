"""HTTP answers about a case."""

from pydantic import BaseModel

from shared.contracts.codes import Exploitation
from shared.contracts.types import Id, Moment
from shared.victims.register.tables import CaseRow, VictimRow


class CaseView(BaseModel):
    """A case (kasus): one trafficking incident, with the pseudonyms of its victims."""

    id: Id
    unit: str
    region: str
    channel: str
    exploitation: Exploitation
    destination: str | None
    opened_at: Moment
    victims: list[Id] = []


def case_view(row: CaseRow, victims: list[VictimRow]) -> CaseView:
    """The view of a case."""
    return CaseView(
        id=row.id,
        unit=row.unit,
        region=row.region,
        channel=row.channel,
        exploitation=Exploitation(row.exploitation),
        destination=row.destination,
        opened_at=row.opened_at,
        victims=[victim.id for victim in victims],
    )
