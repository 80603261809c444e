"""Forms of KemenPPPA and the UPTD PPA: intake, assessment, plan, companion, conference, legal aid, LPSK, alerts.

The forms follow the standard procedure of integrated services (Permen PPPA 8/2021) and the UPTD's case management.
"""

from shared.domain.forms import (
    AGREED,
    Choice,
    Day,
    Earlier,
    Form,
    FormField,
    FormSubject,
    Place,
    Words,
    YesNo,
    agreed_by_the_victim,
)
from shared.domain.text import Text

SOP = "Permen PPPA 8/2021"
REPORTERS = {
    "victim": Text("Korban sendiri", "the victim"),
    "family": Text("Keluarga", "family"),
    "public": Text("Masyarakat", "the public"),
    "agency": Text("Instansi atau lembaga", "an agency or organisation"),
}
RISKS = {
    "high": Text("Tinggi: jiwa terancam", "High: life in danger"),
    "medium": Text("Sedang", "Medium"),
    "low": Text("Rendah", "Low"),
}
NEEDS = {
    "none": Text("Tidak ada kebutuhan", "No need"),
    "some": Text("Ada kebutuhan", "Some need"),
    "urgent": Text("Mendesak", "Urgent"),
}
SERVICES = {
    "health": Text("Kesehatan", "Health"),
    "psychosocial": Text("Psikososial", "Psychosocial"),
    "shelter": Text("Rumah aman", "Shelter"),
    "legal": Text("Bantuan hukum", "Legal aid"),
    "family-tracing": Text("Penelusuran keluarga", "Family tracing"),
    "return": Text("Pemulangan", "Return"),
    "schooling": Text("Pendidikan atau pelatihan", "Schooling or training"),
}
ANSWERS = {
    "patrol-or-raid": Text("Razia atau patroli", "Patrol or raid"),
    "campaign": Text("Sosialisasi", "Campaign"),
    "referred": Text("Diteruskan ke instansi lain", "Passed to another agency"),
    "not-confirmed": Text("Tidak terbukti", "Not confirmed"),
}

INTAKE = Form(
    code="intake",
    label=Text("Penerimaan pengaduan SAPA 129 atau UPTD", "Intake of SAPA 129 or a UPTD"),
    about=FormSubject.CASE,
    basis=SOP,
    once=True,
    fields=(
        FormField("reported_by", Text("Pelapor", "Reported by"), Choice(REPORTERS), clear=True),
        FormField("region", Text("Wilayah kejadian", "Region of the incident"), Place(), clear=True),
        FormField("risk", Text("Tingkat risiko", "Risk"), Choice(RISKS), clear=True),
        FormField("complaint", Text("Isi pengaduan", "The complaint"), Words()),
    ),
)
DOMAINS = {
    "medical": Text("Medis", "Medical"),
    "legal": Text("Hukum", "Legal"),
    "physical": Text("Fisik dan kebutuhan dasar", "Physical and basic needs"),
    "psychosocial": Text("Psikososial", "Psychosocial"),
    "family_tracing": Text("Penelusuran keluarga", "Family tracing"),
}


def _domain(code: str, label: Text) -> tuple[FormField, FormField]:
    remarks = Text(f"{label.id}: uraian", f"{label.en}: details")
    return (
        FormField(code, label, Choice(NEEDS), clear=True),
        FormField(f"{code}_details", remarks, Words(), required=False),
    )


ASSESSMENT = Form(
    code="assessment",
    label=Text("Asesmen kebutuhan", "Assessment of needs"),
    about=FormSubject.VICTIM,
    basis=SOP,
    fields=tuple(field for code, label in DOMAINS.items() for field in _domain(code, label)),
)


PLAN = Form(
    code="service-plan",
    label=Text("Rencana layanan", "Service plan"),
    about=FormSubject.VICTIM,
    basis=SOP,
    after=("assessment",),
    fields=(
        FormField(
            "services", Text("Layanan yang disepakati", "Services agreed on"), Choice(SERVICES, many=True), clear=True
        ),
        AGREED,
        FormField("review_on", Text("Ditinjau pada", "To be reviewed on"), Day(past=False), clear=True),
        FormField("wishes", Text("Harapan korban", "What the victim wishes"), Words(), required=False),
    ),
    rule=agreed_by_the_victim,
    refusals=("plan-not-agreed",),
)
COMPANION = Form(
    code="companion",
    label=Text("Pendamping ditunjuk", "Companion assigned"),
    about=FormSubject.VICTIM,
    basis="UU 12/2022 Ps 26-27",
    fields=(
        FormField("name", Text("Nama pendamping", "Name of the companion"), Words(200)),
        FormField("contact", Text("Kontak", "Contact"), Words(200), required=False),
        FormField(
            "same_sex", Text("Sesuai jenis kelamin yang diminta korban", "Of the sex the victim asked for"), YesNo()
        ),
    ),
)
CONFERENCE = Form(
    code="case-conference",
    label=Text("Konferensi kasus", "Case conference"),
    about=FormSubject.VICTIM,
    basis=SOP,
    fields=(
        FormField("victim_took_part", Text("Korban ikut serta", "The victim took part"), YesNo(), clear=True),
        FormField("present", Text("Yang hadir", "Who was present"), Words(1000)),
        FormField("decided", Text("Keputusan", "What was decided"), Words()),
    ),
)
LEGAL_AID = Form(
    code="legal-aid",
    label=Text("Permintaan bantuan hukum", "Request for legal aid"),
    about=FormSubject.VICTIM,
    basis="UU 16/2011; UU 12/2022 Ps 68",
    fields=(
        FormField("organisation", Text("Lembaga bantuan hukum", "Legal aid organisation"), Words(200)),
        FormField("needed_for", Text("Untuk apa", "What for"), Words(1000), required=False),
    ),
)
LPSK_REQUEST = Form(
    code="lpsk-request",
    label=Text("Permohonan perlindungan ke LPSK", "Request for protection to the LPSK"),
    about=FormSubject.VICTIM,
    basis="UU 31/2014 Ps 28-29",
    fields=(
        FormField("letter_number", Text("Nomor surat", "Number of the letter"), Words(80)),
        FormField("threat", Text("Ancaman yang dihadapi", "The threat"), Words(), required=False),
    ),
)
ALERT = Form(
    code="prevention-alert",
    label=Text("Peringatan dini diterima", "Early warning received"),
    about=FormSubject.DESK,
    basis="Perpres 49/2023",
    fields=(
        FormField("region", Text("Wilayah", "Region"), Place(), clear=True),
        FormField("modus", Text("Modus yang diwaspadai", "The pattern to watch for"), Words()),
    ),
)
ALERT_ANSWER = Form(
    code="prevention-answer",
    label=Text("Peringatan dini ditindaklanjuti", "Early warning answered"),
    about=FormSubject.DESK,
    basis="Perpres 49/2023",
    after=("prevention-alert",),
    fields=(
        FormField("alert", Text("Peringatan", "The alert"), Earlier(frozenset({"prevention-alert"})), clear=True),
        FormField("action", Text("Tindak lanjut", "What was done"), Choice(ANSWERS), clear=True),
        FormField("details", Text("Uraian", "Details"), Words(), required=False),
    ),
)
FORMS = (INTAKE, ASSESSMENT, PLAN, COMPANION, CONFERENCE, LEGAL_AID, LPSK_REQUEST, ALERT, ALERT_ANSWER)
