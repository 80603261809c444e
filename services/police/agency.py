"""Declaration of Polri: it finds victims, opens the case, investigates, and hands victims over to care."""

from services.police import casework, interviews, screening
from shared.contracts.codes import IdentityField, Kind, Stage
from shared.domain import data_breach
from shared.domain.agency import Agency, Route, Service
from shared.domain.text import Text

WHO = frozenset(
    {IdentityField.NAME, IdentityField.NIK, IdentityField.PASSPORT, IdentityField.BORN_ON, IdentityField.PHONE}
)

AGENCY = Agency(
    code="police",
    label=Text("Kepolisian Negara Republik Indonesia", "Indonesian National Police"),
    subsatgas="law-enforcement",
    coordinator="coordination",
    duties=("request-to-lpsk", "spdp", "restitution", data_breach.DUTY),
    forms=(*casework.FORMS, screening.SCREENING, *interviews.FORMS, *data_breach.FORMS),
    channels={
        "spkt": Text("Sentra Pelayanan Kepolisian Terpadu", "police service desk"),
        "patrol": Text("Patroli atau operasi", "patrol or operation"),
        "call-110": Text("Layanan 110", "emergency line 110"),
        "attache": Text("Atase atau liaison Polri", "police attaché abroad"),
        "immigration": Text("Pelimpahan Imigrasi", "handed over by Immigration"),
        "public-report": Text("Laporan masyarakat", "report from the public"),
    },
    services=(
        Service(
            "investigation",
            Text("Penyelidikan dan penyidikan", "Investigation"),
            Stage.LAW_ENFORCEMENT,
            "report-to-police",
            needs=WHO | {IdentityField.ADDRESS, IdentityField.STATEMENT},
        ),
        Service(
            "temporary-protection",
            Text("Pelindungan sementara", "Temporary protection"),
            Stage.PROTECTION,
            "temporary-protection",
            needs=WHO | {IdentityField.SAFE_HOUSE},
        ),
    ),
    routes=(
        Route("kemenpppa", "case-management", frozenset(Kind)),
        Route("kemenkes", "examination-and-treatment", frozenset({Kind.REFERRAL})),
        Route("kemenkes", "first-aid", frozenset({Kind.REFERRAL})),
        Route("kemenkes", "visum-et-repertum", frozenset({Kind.REFERRAL})),
        Route("kemensos", "shelter-and-rehabilitation", frozenset(Kind)),
        Route("police", "investigation", frozenset(Kind)),
    ),
)
