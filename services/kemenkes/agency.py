"""Kemenkes: examination, first aid and treatment in the referral hospitals."""

from datetime import timedelta

from shared.contracts.codes import IdentityField, Kind, Stage
from shared.domain.agency import Agency, Clock, Route, Service, Text

FIRST_AID = Clock("first-aid", timedelta(days=7), "UU 21/2007 Ps 53")
PATIENT = frozenset({IdentityField.NAME, IdentityField.BORN_ON})
TREATMENT = Clock("rehabilitation-service", timedelta(days=7), "UU 21/2007 Ps 52(1)")

AGENCY = Agency(
    code="kemenkes",
    label=Text("Kementerian Kesehatan", "Ministry of Health"),
    subsatgas="medical-rehabilitation",
    coordinator="coordination",
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
            TREATMENT,
            needs=PATIENT | {IdentityField.NIK, IdentityField.PHONE},
        ),
        Service(
            "first-aid",
            Text("Pertolongan pertama", "First aid for urgent trauma or illness"),
            Stage.MEDICAL_REHABILITATION,
            FIRST_AID,
            needs=PATIENT,
        ),
    ),
    routes=(
        Route("kemenkes", "examination-and-treatment", frozenset({Kind.REFERRAL})),
        Route("kemenpppa", "case-management", frozenset(Kind)),
        Route("kemensos", "shelter-and-rehabilitation", frozenset(Kind)),
        Route("police", "investigation", frozenset({Kind.REFERRAL})),
    ),
)
