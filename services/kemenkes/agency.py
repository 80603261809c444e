"""Declaration of Kemenkes: examination, treatment, first aid and forensic reports in the referral hospitals."""

from services.kemenkes import forms
from shared.contracts.codes import IdentityField, Kind, Stage
from shared.domain import data_breach
from shared.domain.agency import Agency, Route, Service
from shared.domain.text import Text

PATIENT = frozenset({IdentityField.NAME, IdentityField.BORN_ON})

AGENCY = Agency(
    code="kemenkes",
    label=Text("Kementerian Kesehatan", "Ministry of Health"),
    subsatgas="medical-rehabilitation",
    coordinator="coordination",
    duties=("duty-to-report", data_breach.DUTY),
    forms=(*forms.FORMS, *data_breach.FORMS),
    channels={
        "emergency": Text("Instalasi gawat darurat", "emergency department"),
        "outpatient": Text("Rawat jalan", "outpatient clinic"),
        "puskesmas": Text("Puskesmas", "community health centre"),
    },
    services=(
        Service(
            "examination-and-treatment",
            Text("Pemeriksaan dan pengobatan", "Examination and treatment"),
            Stage.MEDICAL_REHABILITATION,
            "rehabilitation-service",
            needs=PATIENT | {IdentityField.NIK, IdentityField.PHONE},
        ),
        Service(
            "first-aid",
            Text("Pertolongan pertama", "First aid for urgent trauma or illness"),
            Stage.MEDICAL_REHABILITATION,
            "first-aid",
            needs=PATIENT,
            urgent=True,
        ),
        Service(
            "visum-et-repertum",
            Text("Visum et repertum", "Forensic medical report"),
            Stage.LAW_ENFORCEMENT,
            "visum-et-repertum",
            needs=PATIENT | {IdentityField.NIK},
        ),
    ),
    routes=(
        Route("kemenkes", "examination-and-treatment", frozenset({Kind.REFERRAL})),
        Route("kemenpppa", "case-management", frozenset(Kind)),
        Route("kemensos", "shelter-and-rehabilitation", frozenset(Kind)),
        Route("police", "investigation", frozenset({Kind.REFERRAL})),
    ),
)
