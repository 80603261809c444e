"""What is kept sealed of a victim, and the keys that open it."""

from shared.service.slice import Slice

SLICE = Slice(
    forgets="Erasure itself destroys the keys: see ``erasure.carry_out``.",
)
