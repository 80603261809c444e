"""The contents of the forms that the example journey files. All of it is invented."""

from collections.abc import Mapping
from typing import Any

REHABILITATION = (
    *("first-approach", "social-assessment", "rehabilitation-plan"),
    *("rehabilitation", "resocialisation", "termination"),
)
"""The forms of the stages of Permensos 8/2023, without the visits of after-care."""
ANSWERS: Mapping[str, Mapping[str, Any]] = {
    "police-report": {
        "lp_number": "LP/B/1/CONTOH",
        "reported_by": "public",
        "region": "74.01",
        "place": "online",
        "account": "Uraian rekaan.",
    },
    "investigation-opened": {"order_number": "SP.Sidik/1/CONTOH"},
    "spdp": {"spdp_number": "SPDP/1/CONTOH"},
    "screening": {
        "acts": ["recruited", "transported"],
        "means": ["deception"],
        "purposes": ["forced-crime"],
        "deceptive_recruitment": ["job-not-as-promised", "wage-not-as-promised"],
        "decision": "presumed-victim",
    },
    "officer": {"name": "Penyidik Contoh Rekaan", "nrp": "00000000"},
    "officer-training": {"module": "victim-centred", "valid_until": "2099-12-31"},
    "interview": {"companion": "social-worker", "recorded": True, "statement": "Keterangan rekaan."},
    "assessment": {
        "medical": "urgent",
        "legal": "some",
        "physical": "some",
        "psychosocial": "some",
        "family_tracing": "none",
    },
    "service-plan": {"services": ["health", "shelter", "return"], "agreed": True, "review_on": "2099-01-31"},
    "companion": {"name": "Pendamping Contoh Rekaan", "same_sex": True},
    "examination": {"condition": "outpatient", "agreed": True, "findings": "Hasil rekaan."},
    "mental-health": {"danger_to_self": False, "findings": "Hasil rekaan."},
    "treatment": {"result": "improved", "treatment": "Tindakan rekaan."},
    "visum-et-repertum": {
        "request_number": "B/1/CONTOH",
        "visum_number": "VER/1/CONTOH",
        "examined_at": "2026-11-01T09:00:00+08:00",
        "agreed": True,
        "findings": "Hasil rekaan.",
        "conclusion": "Kesimpulan rekaan.",
        "doctor": "dr. Contoh Rekaan",
        "licence": "SIP/CONTOH",
    },
    "shelter-beds": {"female_adult": 20, "male_adult": 20, "female_child": 20, "male_child": 20, "separate": 20},
    "bed-assigned": {"ward": "separate"},
    "first-approach": {"agreed": True},
    "social-assessment": {"findings": "Hasil rekaan."},
    "rehabilitation-plan": {"agreed": True, "plan": "Rencana rekaan."},
    "rehabilitation": {"activity": "Kegiatan rekaan."},
    "resocialisation": {"family_ready": True},
    "termination": {"end": "goals-reached"},
    "bed-released": {"reason": "went-home"},
    "repatriation-plan": {"destination": "73.71", "safety": "safe", "family_ready": True, "agreed": True},
    "handover": {
        "leg": "regency",
        "giver": "shelter",
        "giver_person": "Pekerja Sosial Rekaan",
        "giver_signed": True,
        "taker": "regency-office",
        "taker_person": "Penerima Rekaan",
        "taker_signed": True,
        "region": "73.71",
        "place": "Kantor rekaan",
        "condition": "well",
        "belongings": "Satu tas rekaan.",
    },
    "reintegration-plan": {
        "needs": ["livelihood"],
        "agreed": True,
        "first_visit": "2099-01-31",
        "plan": "Rencana rekaan.",
    },
    "further-guidance": {"visited_on": "2026-11-01", "feels": "well", "risk": "none"},
    "after-care-end": {"reason": "settled"},
}
"""Form code → its fields. Fields that name earlier records are added when the form is filed."""
