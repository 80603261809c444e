"""The register of cases and victims: the victims known here, and the holders of their custody."""

from shared.service.slice import Slice
from shared.victims.register.refusals import REFUSALS

SLICE = Slice(
    refusals=REFUSALS,
    forgets="The row stays: pseudonym and coarse facts, which ledgers and other agencies name.",
)
