"""The seven stages of social rehabilitation (Permensos 8/2023), one form each: none is skipped, any may be repeated."""

from shared.domain.forms import About, Choice, Day, Form, FormField, Words, YesNo
from shared.domain.text import Text

BASIS = "Permensos 8/2023"
ENDS = {
    "goals-reached": Text("Tujuan tercapai", "Goals reached"),
    "own-wish": Text("Atas permintaan sendiri", "At their own wish"),
    "moved": Text("Pindah ke layanan lain", "Moved to another service"),
    "lost-contact": Text("Kehilangan kontak", "Contact was lost"),
    "deceased": Text("Meninggal dunia", "Deceased"),
}
REMARKS = Text("Uraian", "Remarks")


def _stage(code: str, label: Text, after: str | None, *fields: FormField) -> Form:
    remarks = FormField("remarks", REMARKS, Words(), required=False)
    before = (after,) if after else ()
    return Form(code, label, About.VICTIM, (*fields, remarks), BASIS, after=before)


STAGES = (
    _stage(
        "first-approach",
        Text("Pendekatan awal", "First approach"),
        None,
        FormField("agreed", Text("Bersedia menerima layanan", "Agrees to be served"), YesNo(), clear=True),
    ),
    _stage(
        "social-assessment",
        Text("Pengungkapan dan pemahaman masalah", "Assessment"),
        "first-approach",
        FormField("findings", Text("Hasil asesmen", "Findings"), Words()),
    ),
    _stage(
        "rehabilitation-plan",
        Text("Penyusunan rencana pemecahan masalah", "Plan"),
        "social-assessment",
        FormField("agreed", Text("Disepakati korban", "Agreed by the victim"), YesNo(), clear=True),
        FormField("plan", Text("Rencana", "The plan"), Words()),
    ),
    _stage(
        "rehabilitation",
        Text("Pemecahan masalah", "Rehabilitation"),
        "rehabilitation-plan",
        FormField("activity", Text("Kegiatan", "Activity"), Words(1000)),
    ),
    _stage(
        "resocialisation",
        Text("Resosialisasi", "Resocialisation"),
        "rehabilitation",
        FormField("family_ready", Text("Keluarga siap menerima", "The family is ready"), YesNo(), clear=True),
    ),
    _stage(
        "termination",
        Text("Terminasi", "Termination"),
        "resocialisation",
        FormField("end", Text("Alasan berakhir", "Why it ends"), Choice(ENDS), clear=True),
    ),
    _stage(
        "further-guidance",
        Text("Bimbingan lanjut", "Further guidance"),
        "termination",
        FormField("visited_on", Text("Tanggal kunjungan", "Day of the visit"), Day(), clear=True),
        FormField("well", Text("Keadaan baik", "All is well"), YesNo(), clear=True),
    ),
)
"""In their order."""
