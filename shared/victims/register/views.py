"""HTTP answers about a victim."""

from pydantic import BaseModel, Field

from shared.contracts.codes import AgeClass, JourneyOutcome, Sex, Stage
from shared.contracts.types import Code, Id, Moment, UnitRef, VictimFacts
from shared.domain.facts import FactsKnown
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
    facts_from: Code = Field(description="Instansi yang menyatakan fakta ini. / The agency that states these facts.")
    stage: Stage
    custody: UnitRef | None
    custody_seq: int
    registered_at: Moment
    closed_at: Moment | None
    outcome: JourneyOutcome | None


class FactsSaid(BaseModel):
    """The facts of a victim as one agency states them."""

    agency: Code
    facts: VictimFacts
    said_at: Moment
    counts: bool = Field(description="Fakta yang ditampilkan lebih dahulu. / The facts that are shown first.")
    waiting: bool = Field(
        description="Permintaan instansi itu belum diterima di sini: hanya kata anak yang berlaku. / Nobody here has "
        "accepted a request of that agency: of its word, only child has an effect."
    )
    came_with_custody: bool = Field(
        description="Fakta ini datang bersama tanggung jawab lewat penyerahan, dan berlaku sampai ada koreksi. / These "
        "facts came with the custody by a transfer, and last until a correction."
    )


class VictimSeen(VictimView):
    """A victim, what agencies say differently of the facts, and the other pseudonyms of the same person."""

    facts_differ: list[FactsSaid] = Field(
        description="Instansi yang menyatakan fakta berbeda; selama itu usia yang paling terlindung berlaku. / "
        "Agencies that state different facts. Until it is settled, the age with the most protection decides."
    )

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
        treated_as_child=row.rule_age != AgeClass.ADULT,
        sex=Sex(row.sex),
        home_region=row.home_region,
        facts_from=row.facts_from,
        stage=Stage(row.stage),
        custody=holder_of(row),
        custody_seq=row.custody_seq,
        registered_at=row.registered_at,
        closed_at=row.closed_at,
        outcome=JourneyOutcome(row.outcome) if row.outcome else None,
    )


def facts_said(known: FactsKnown) -> list[FactsSaid]:
    """What agencies say differently of the facts of a victim, the word that counts first; empty where all agree."""
    words = (known.counts, *known.disputed) if known.disputed else ()
    return [
        FactsSaid(
            agency=one.agency,
            facts=one.facts,
            said_at=one.at,
            counts=one is known.counts,
            waiting=one.waiting,
            came_with_custody=one.came_with is not None,
        )
        for one in words
    ]


class VictimList(BaseModel):
    """Victims, oldest registration first."""

    items: list[VictimView]
