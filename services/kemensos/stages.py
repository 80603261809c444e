"""Forms of the seven stages of social rehabilitation (Permensos 8/2023). No stage is skipped; any may be repeated."""

from collections.abc import Callable

from shared.domain.forms import Choice, Day, Filing, Form, FormField, FormSubject, Words, YesNo, no_rule
from shared.domain.refusal import Refused
from shared.domain.text import Text

BASIS = "Permensos 8/2023"
ENDS = {
    "goals-reached": Text("Tujuan tercapai", "Goals reached"),
    "own-wish": Text("Atas permintaan sendiri", "At their own wish"),
    "moved": Text("Pindah ke layanan lain", "Moved to another service"),
    "lost-contact": Text("Kehilangan kontak", "Contact was lost"),
    "deceased": Text("Meninggal dunia", "Deceased"),
}
FEELS = {
    "well": Text("Baik", "Well"),
    "worried": Text("Ada kesulitan", "Some worries"),
    "in-need": Text("Perlu bantuan segera", "In need of help now"),
}
RISKS = {
    "none": Text("Tidak tampak", "None seen"),
    "some": Text("Ada", "Some"),
    "high": Text("Tinggi", "High"),
}
REMARKS = Text("Uraian", "Remarks")
StageRule = Callable[[Filing], None]


def until_its_end(filing: Filing) -> None:
    """After the end of after-care no visit is filed. Raises Refused("after-care-ended")."""
    if filing.last("after-care-end") is not None:
        raise Refused("after-care-ended")


def _stage(code: str, label: Text, after: str | None, *fields: FormField, rule: StageRule = no_rule) -> Form:
    remarks = FormField("remarks", REMARKS, Words(), required=False)
    before = (after,) if after else ()
    refusals = ("after-care-ended",) if rule is until_its_end else ()
    return Form(code, label, FormSubject.VICTIM, (*fields, remarks), BASIS, after=before, rule=rule, refusals=refusals)


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
        FormField("feels", Text("Keadaan", "How they are"), Choice(FEELS), clear=True),
        FormField(
            "risk", Text("Risiko menjadi korban lagi", "Risk of being trafficked again"), Choice(RISKS), clear=True
        ),
        FormField("next_visit", Text("Kunjungan berikut", "Next visit"), Day(past=False), required=False, clear=True),
        rule=until_its_end,
    ),
)
"""The stages in their order. The last is a visit of after-care, repeated until ``after-care-end`` (``homeward``)."""
