"""Declaration of coordination: it follows every journey, holds no victim's identity, and decides for no agency."""

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
