"""HTTP answers about letters and their proof."""

from typing import Any

from pydantic import BaseModel, Field

from shared.casework.letters.checking import Checked, Proof
from shared.casework.letters.tables import LetterRow
from shared.contracts.codes import LetterKind
from shared.contracts.types import Id, Moment, UnitRef
from shared.domain.letters import Standing, grouped


class LetterView(BaseModel):
    """A letter (surat) by its code. Its content is in its PDF alone."""

    code: str = Field(examples=["K3M9-QXD7-R2TF"])
    kind: LetterKind
    unit: UnitRef = Field(description="The desk that printed the letter.")
    issued_at: Moment
    victim_id: Id | None
    referral_id: Id | None
    version: int | None = Field(description="The version of the referral that the letter shows.")
    record_id: Id | None


class LetterCheck(LetterView):
    """The ledger's proof of a letter. Its ids are null for a caller who may not see its victim, referral or record."""

    recorded_at: Moment = Field(description="When the letter was recorded here.")
    issued: Proof = Field(description="The proof of the signed event that this letter was printed.")
    tells: Proof = Field(description="The proof of the signed event that the letter shows.")
    standing: Standing = Field(description="Whether the content of the letter is still current.")


def letter_view(row: LetterRow) -> LetterView:
    """The view of a letter."""
    return LetterView(
        code=grouped(row.code),
        kind=LetterKind(row.kind),
        unit=UnitRef(agency=row.agency, unit=row.unit, region=row.region),
        issued_at=row.issued_at,
        victim_id=row.victim_id,
        referral_id=row.referral_id,
        version=row.version,
        record_id=row.record_id,
    )


def letter_check(found: Checked) -> LetterCheck:
    """The view of a check of a letter, without ids where the caller may not see the victim."""
    said: dict[str, Any] = letter_view(found.row).model_dump()
    if not found.in_sight:
        said |= {"victim_id": None, "referral_id": None, "version": None, "record_id": None}
    return LetterCheck(
        **said,
        recorded_at=found.row.recorded_at,
        issued=found.issued,
        tells=found.told,
        standing=found.standing,
    )
