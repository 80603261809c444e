"""Commands of legal holds and erasures: place, lift, ask, decide."""

from shared.contracts.codes import HoldBasis
from shared.contracts.types import Flag, Id
from shared.domain.commands import Asked, Command, example


class PlaceHold(Command):
    """Forbid the erasure of a person's data for as long as the law needs them."""

    model_config = example(basis="trial")

    basis: HoldBasis


class LiftHold(Asked):
    """Allow the erasure of a person's data again."""

    model_config = example()


class Erase(Command):
    """Ask for the erasure of a person at every holder: each destroys its keys. A second person decides."""

    model_config = example()

    erasure_id: Id | None = None


class DecideErasure(Asked):
    """Approve or refuse an erasure, as a second person. Destroyed keys cannot be restored."""

    model_config = example(erasure_id="0193f0a2-7a10-7000-8000-00000000000a", approved=True)

    erasure_id: Id
    approved: Flag
