"""KemenPPPA: case management and companionship of women and children, from SAPA 129 and the UPTD PPA."""

from datetime import timedelta

from shared.contracts.codes import IdentityField, Kind, Stage
from shared.domain.agency import Agency, Clock, Route, Service, Text

SERVICE = Clock("rehabilitation-service", timedelta(days=7), "UU 21/2007 Ps 52(1)")
OUTREACH = Clock("outreach", timedelta(hours=12), "standar lokal (Aceh Utara)")

AGENCY = Agency(
    code="kemenpppa",
    label=Text(
        "Kementerian Pemberdayaan Perempuan dan Pelindungan Anak",
        "Ministry of Women's Empowerment and Child Protection",
    ),
    subsatgas="prevention",
    coordinator="coordination",
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
            SERVICE,
            needs=frozenset(IdentityField) - {IdentityField.SAFE_HOUSE},
        ),
        Service(
            "outreach",
            Text("Penjangkauan korban", "Outreach"),
            Stage.PROTECTION,
            OUTREACH,
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
