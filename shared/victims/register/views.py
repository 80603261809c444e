"""HTTP answers about a victim."""

from pydantic import BaseModel, Field

from shared.contracts.codes import AgeClass, JourneyOutcome, Sex, Stage
from shared.contracts.types import Id, Moment, UnitRef
from shared.victims.register.store import holder_of
from shared.victims.register.tables import VictimRow


class VictimView(BaseModel):
    """A victim (korban) by pseudonym and coarse facts. ``custody`` is the holder that this agency knows of."""

    id: Id
    case_id: Id
    age_class: AgeClass
    treated_as_child: bool
    sex: Sex
    home_region: str | None
    stage: Stage
    custody: UnitRef | None
    custody_seq: int
    registered_at: Moment
    closed_at: Moment | None
    outcome: JourneyOutcome | None


class VictimSeen(VictimView):
    """A victim, and the other pseudonyms of the same person."""

    same_person: list[Id] = Field(
        description="Kedua pihak menyatakan orang yang sama; hanya untuk penanggung jawab. / Both sides said that they "
        "are the same person; shown to the custody holder only."
    )


def victim_view(row: VictimRow) -> VictimView:
    """The view of a victim."""
    return VictimView(
        id=row.id,
        case_id=row.case_id,
        age_class=AgeClass(row.age_class),
        treated_as_child=row.age_class != AgeClass.ADULT,
        sex=Sex(row.sex),
        home_region=row.home_region,
        stage=Stage(row.stage),
        custody=holder_of(row),
        custody_seq=row.custody_seq,
        registered_at=row.registered_at,
        closed_at=row.closed_at,
        outcome=JourneyOutcome(row.outcome) if row.outcome else None,
    )


class VictimList(BaseModel):
    """Victims, oldest registration first."""

    items: list[VictimView]
