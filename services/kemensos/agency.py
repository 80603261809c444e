"""Declaration of Kemensos: shelter, social rehabilitation, the way home, reintegration and after-care."""

from services.kemensos import homeward, shelter, stages
from shared.contracts.codes import IdentityField, Kind, Stage
from shared.domain import data_breach
from shared.domain.agency import Agency, Route, Service
from shared.domain.text import Text

SHELTERED = frozenset(IdentityField) - {IdentityField.STATEMENT}

AGENCY = Agency(
    code="kemensos",
    label=Text("Kementerian Sosial", "Ministry of Social Affairs"),
    subsatgas="social-rehabilitation",
    coordinator="coordination",
    duties=("duty-to-report", data_breach.DUTY),
    forms=(*stages.STAGES, *shelter.FORMS, *homeward.FORMS, *data_breach.FORMS),
    channels={
        "social-office": Text("Datang ke Dinas Sosial", "came to a social office"),
        "repatriation": Text("Kedatangan pemulangan", "arrival of returnees"),
        "public-report": Text("Laporan masyarakat", "report from the public"),
    },
    services=(
        Service(
            "shelter-and-rehabilitation",
            Text("Rumah aman dan rehabilitasi sosial", "Shelter and social rehabilitation"),
            Stage.SOCIAL_REHABILITATION,
            "rehabilitation-service",
            needs=SHELTERED,
        ),
        Service(
            "reintegration",
            Text("Pemulangan dan reintegrasi sosial", "Return and social reintegration"),
            Stage.REINTEGRATION,
            "rehabilitation-service",
            needs=SHELTERED - {IdentityField.SAFE_HOUSE},
        ),
    ),
    routes=(
        Route("kemensos", "reintegration", frozenset(Kind)),
        Route("kemensos", "shelter-and-rehabilitation", frozenset(Kind)),
        Route("kemenkes", "examination-and-treatment", frozenset({Kind.REFERRAL})),
        Route("kemenkes", "first-aid", frozenset({Kind.REFERRAL})),
        Route("kemenpppa", "case-management", frozenset(Kind)),
        Route("police", "investigation", frozenset({Kind.REFERRAL})),
    ),
)
