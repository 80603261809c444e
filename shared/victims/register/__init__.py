"""The register of cases and victims: the victims known here, and the holders of their custody."""

from sqlalchemy import true
from sqlmodel import col

from shared.domain.ids import IdKind
from shared.service.slice import Slice
from shared.storage.known_ids import AGENCY, IdColumn
from shared.victims.register.refusals import REFUSALS
from shared.victims.register.tables import CaseRow, VictimRow

SLICE = Slice(
    refusals=REFUSALS,
    ids=(
        IdColumn(
            IdKind.VICTIM,
            col(VictimRow.id),
            ours=col(VictimRow.registered_here) | (col(VictimRow.custody_agency) == AGENCY),
        ),
        IdColumn(IdKind.CASE, col(CaseRow.id), ours=true()),
    ),
    forgets="The row stays: pseudonym and coarse facts, which ledgers and other agencies name. So do the words of "
    "other agencies about these facts, and the corrections with the people who made them.",
)
