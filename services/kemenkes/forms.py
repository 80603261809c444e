"""Forms of a hospital or puskesmas: its abilities, examinations, treatments and forensic reports.

Without the patient's agreement, no form tells a national register that the patient is a trafficking victim (DESIGN
section 6). A record that reaches a register shows an ordinary examination.
"""

from shared.contracts.codes import LegalBasis
from shared.domain.forms import Choice, DateTime, Form, FormField, FormSubject, Words, YesNo
from shared.domain.text import Text

KINDS = {
    "ppt-hospital": Text("Rumah sakit dengan PPT/PKT", "Hospital with an integrated crisis centre"),
    "hospital": Text("Rumah sakit", "Hospital"),
    "puskesmas": Text("Puskesmas", "Community health centre"),
}
ABILITIES = {
    "emergency": Text("Gawat darurat", "Emergency"),
    "forensic": Text("Visum et repertum", "Forensic examination"),
    "obstetrics": Text("Kebidanan dan kandungan", "Obstetrics"),
    "paediatrics": Text("Anak", "Paediatrics"),
    "psychiatry": Text("Kesehatan jiwa", "Psychiatry"),
    "hiv-sti": Text("HIV dan IMS", "HIV and STI"),
    "inpatient": Text("Rawat inap", "Inpatient care"),
}
CONDITIONS = {
    "no-care-needed": Text("Tidak perlu perawatan", "No care needed"),
    "outpatient": Text("Rawat jalan", "Outpatient"),
    "inpatient": Text("Rawat inap", "Inpatient"),
    "intensive": Text("Perawatan intensif", "Intensive care"),
}
RESULTS = {
    "recovered": Text("Sembuh", "Recovered"),
    "improved": Text("Membaik", "Improved"),
    "ongoing": Text("Masih dirawat", "Still in care"),
    "left": Text("Pulang atas permintaan sendiri", "Left at their own wish"),
    "deceased": Text("Meninggal dunia", "Deceased"),
}
FACILITY = Form(
    code="facility",
    label=Text("Kemampuan fasilitas", "What a facility can do"),
    about=FormSubject.DESK,
    basis="PP 9/2008 Ps 6; Permenkes 68/2013",
    announced=True,
    fields=(
        FormField("kind", Text("Jenis fasilitas", "Kind of facility"), Choice(KINDS), clear=True),
        FormField("abilities", Text("Kemampuan", "Abilities"), Choice(ABILITIES, many=True), clear=True),
    ),
)
EXAMINATION = Form(
    code="examination",
    label=Text("Pemeriksaan", "Examination"),
    about=FormSubject.REFERRAL,
    basis="UU 21/2007 Ps 51-53; UU 17/2023",
    fields=(
        FormField("condition", Text("Tindak lanjut", "What follows"), Choice(CONDITIONS), clear=True),
        FormField("agreed", Text("Pasien menyetujui pemeriksaan", "The patient agreed to it"), YesNo(), clear=True),
        FormField("findings", Text("Hasil pemeriksaan", "Findings"), Words()),
    ),
)
TREATMENT = Form(
    code="treatment",
    label=Text("Pengobatan", "Treatment"),
    about=FormSubject.REFERRAL,
    basis="UU 21/2007 Ps 51-53",
    after=("examination",),
    fields=(
        FormField("result", Text("Hasil", "Result"), Choice(RESULTS), clear=True),
        FormField("treatment", Text("Tindakan dan obat", "What was done and given"), Words()),
    ),
)
MENTAL_HEALTH = Form(
    code="mental-health",
    label=Text("Kesehatan jiwa", "Mental health"),
    about=FormSubject.REFERRAL,
    basis="UU 17/2023 Ps 76-85",
    fields=(
        FormField("danger_to_self", Text("Berisiko bagi diri sendiri", "A danger to themselves"), YesNo()),
        FormField("findings", Text("Hasil pemeriksaan", "Findings"), Words()),
        FormField("plan", Text("Rencana perawatan", "Plan of care"), Words(), required=False),
    ),
)
VISUM = Form(
    code="visum-et-repertum",
    label=Text("Visum et repertum", "Forensic medical report"),
    about=FormSubject.REFERRAL,
    basis="UU 20/2025 (KUHAP) Ps 49",
    of_service="visum-et-repertum",
    delivered=LegalBasis.LEGAL_DUTY,
    once=True,
    fields=(
        FormField("request_number", Text("Nomor surat permintaan", "Number of the request"), Words(100)),
        FormField("visum_number", Text("Nomor visum", "Number of the report"), Words(100)),
        FormField("examined_at", Text("Waktu pemeriksaan", "When the examination was"), DateTime()),
        FormField("agreed", Text("Pasien menyetujui pemeriksaan", "The patient agreed to it"), YesNo()),
        FormField("findings", Text("Pemberitaan", "What was found"), Words(4000)),
        FormField("conclusion", Text("Kesimpulan", "Conclusion"), Words(2000)),
        FormField("doctor", Text("Dokter pemeriksa", "The doctor who examined"), Words(200)),
        FormField("licence", Text("Nomor SIP dokter", "The doctor's licence to practise"), Words(100)),
    ),
)
"""The police ask for this report. It is delivered to the desk that asked, and to no other desk.

The conclusion is about injuries, never about a crime.
"""
FORMS = (FACILITY, EXAMINATION, TREATMENT, MENTAL_HEALTH, VISUM)
