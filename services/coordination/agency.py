"""Coordination: follows every journey, holds nobody's identity, decides nothing for an agency."""

from shared.domain.agency import Agency
from shared.domain.text import Text

AGENCY = Agency(
    code="coordination",
    label=Text("Gugus Tugas TPPO · Pusat Koordinasi", "Anti-trafficking task force · coordination"),
    subsatgas="cooperation",
    channels={},
    services=(),
    routes=(),
    coordinator=None,
)
