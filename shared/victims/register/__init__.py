"""The register of cases and victims: who is known here, and who has custody."""

from shared.service.slice import Slice
from shared.victims.register.refusals import REFUSALS

SLICE = Slice(
    refusals=REFUSALS,
    forgets="The row stays: pseudonym and coarse facts, which ledgers and other agencies name.",
)
