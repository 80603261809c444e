"""The two forms for a breach of personal data: one for its finding, one for the notice of the breach.

UU 27/2022 (PDP) Ps 46: the controller tells the persons concerned and the authority in writing within 3×24 hours. The
notice says what was revealed, when and how, and what the controller does about it. Every agency declares these forms
and the duty ``breach-notice``.
"""

from shared.domain.forms import Amount, Choice, Earlier, Form, FormField, FormSubject, Words, YesNo
from shared.domain.text import Text

BASIS = "UU 27/2022 Ps 46"
KINDS = {
    "revealed": Text("Terungkap kepada yang tidak berhak", "Revealed to who has no right"),
    "lost": Text("Hilang atau rusak", "Lost or destroyed"),
    "changed": Text("Diubah tanpa hak", "Changed without right"),
    "unavailable": Text("Tidak dapat diakses", "Not available"),
}
DATA = {
    "identity": Text("Nama dan nomor identitas", "Names and numbers"),
    "whereabouts": Text("Alamat atau rumah aman", "Addresses or safe houses"),
    "health": Text("Kesehatan", "Health"),
    "statements": Text("Keterangan korban", "What victims have told"),
    "case-files": Text("Berkas kasus", "Case files"),
}
FOUND = Form(
    code="data-breach",
    label=Text("Kegagalan pelindungan data ditemukan", "A breach of personal data is found"),
    about=FormSubject.DESK,
    basis=BASIS,
    fields=(
        FormField("kind", Text("Yang terjadi", "What happened"), Choice(KINDS, many=True), clear=True),
        FormField("data", Text("Data yang terdampak", "Which data"), Choice(DATA, many=True), clear=True),
        FormField("people", Text("Jumlah orang terdampak", "How many people"), Amount(least=1), clear=True),
        FormField("how", Text("Kapan dan bagaimana", "When and how"), Words()),
        FormField("measures", Text("Upaya penanganan", "What is done about it"), Words(), required=False),
    ),
)
TOLD = Form(
    code="data-breach-notice",
    label=Text("Pemberitahuan kegagalan pelindungan data", "Notice of a breach of personal data"),
    about=FormSubject.DESK,
    basis=BASIS,
    after=("data-breach",),
    fields=(
        FormField("breach", Text("Kegagalan", "The breach"), Earlier(frozenset({"data-breach"})), clear=True),
        FormField(
            "people_told", Text("Subjek data diberi tahu tertulis", "Those concerned are told"), YesNo(), clear=True
        ),
        FormField("authority_told", Text("Lembaga diberi tahu tertulis", "The authority is told"), YesNo(), clear=True),
        FormField("letter_number", Text("Nomor surat", "Number of the letter"), Words(80)),
        FormField("measures", Text("Upaya penanganan", "What is done about it"), Words()),
    ),
)
FORMS = (FOUND, TOLD)
DUTY = "breach-notice"
"""The clock of 3×24 hours, from the finding until the persons concerned and the authority are told."""
