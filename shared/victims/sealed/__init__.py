"""The sealed data of a victim, and the keys that open them."""

from shared.service.slice import Slice

SLICE = Slice(
    forgets="Erasure itself destroys the keys: see ``erasure.carry_out``.",
)
