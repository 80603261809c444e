"""Declaration of KemenPPPA: case management and companionship of women and children, by SAPA 129 and the UPTD PPA."""

from services.kemenpppa import forms
from shared.contracts.codes import IdentityField, Kind, Stage
from shared.domain import data_breach
from shared.domain.agency import Agency, Route, Service
from shared.domain.text import Text

AGENCY = Agency(
    code="kemenpppa",
    label=Text(
        "Kementerian Pemberdayaan Perempuan dan Pelindungan Anak",
        "Ministry of Women's Empowerment and Child Protection",
    ),
    subsatgas="prevention",
    coordinator="coordination",
    duties=("duty-to-report", data_breach.DUTY),
    forms=(*forms.FORMS, *data_breach.FORMS),
    channels={
        "sapa-129": Text("SAPA 129", "hotline SAPA 129"),
        "uptd": Text("Datang ke UPTD PPA", "came to a UPTD PPA"),
        "outreach": Text("Penjangkauan", "outreach"),
        "public-report": Text("Laporan masyarakat", "report from the public"),
    },
    services=(
        Service(
            "case-management",
            Text("Manajemen kasus dan pendampingan", "Case management and companionship"),
            Stage.PROTECTION,
            "rehabilitation-service",
            needs=frozenset(IdentityField) - {IdentityField.SAFE_HOUSE},
        ),
        Service(
            "outreach",
            Text("Penjangkauan korban", "Outreach"),
            Stage.PROTECTION,
            "rehabilitation-service",
            needs=frozenset({IdentityField.NAME, IdentityField.PHONE, IdentityField.ADDRESS}),
        ),
    ),
    routes=(
        Route("kemenkes", "examination-and-treatment", frozenset({Kind.REFERRAL})),
        Route("kemenkes", "first-aid", frozenset({Kind.REFERRAL})),
        Route("kemensos", "shelter-and-rehabilitation", frozenset(Kind)),
        Route("police", "investigation", frozenset({Kind.REFERRAL})),
        Route("police", "temporary-protection", frozenset({Kind.REFERRAL})),
        Route("kemenpppa", "case-management", frozenset(Kind)),
    ),
)
