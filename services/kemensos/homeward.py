"""Forms of the way home: the plan, a signed hand-over at each leg, reintegration, the end of after-care.

A *berita acara serah terima* records the giver and the taker, time, place, the victim's condition and belongings. The
legs follow PP 9/2008 and the Ministry's standard for repatriation, from the port of debarkation to the village.
"""

from shared.domain.forms import (
    AGREED,
    Choice,
    Day,
    Filing,
    Form,
    FormField,
    FormSubject,
    Place,
    Printed,
    Words,
    YesNo,
    agreed_by_the_victim,
)
from shared.domain.refusal import Refused
from shared.domain.text import Text

BASIS = "UU 21/2007 Ps 54-55; Permensos 8/2023"
LEGS = {
    "port": Text("Debarkasi (pelabuhan, bandara, pos lintas batas)", "Port of debarkation"),
    "province": Text("Provinsi", "Province"),
    "regency": Text("Kabupaten/kota", "Regency"),
    "village": Text("Desa/kelurahan atau keluarga", "Village or family"),
}
"""The legs in their order. A leg may be left out; a hand-over never goes back to an earlier leg."""
PARTIES = {
    "ship-or-escort-abroad": Text("Perwakilan RI atau pengawal pemulangan", "Mission abroad or its escort"),
    "immigration": Text("Imigrasi", "Immigration"),
    "police": Text("Kepolisian", "Police"),
    "migrant-protection": Text("BP3MI", "Migrant worker protection office"),
    "ministry": Text("Kementerian Sosial atau sentranya", "Ministry of Social Affairs or its centre"),
    "province-office": Text("Dinas Sosial provinsi", "Social office of the province"),
    "regency-office": Text("Dinas Sosial kabupaten/kota", "Social office of the regency"),
    "shelter": Text("Rumah aman atau LKS", "Shelter"),
    "village": Text("Pemerintah desa/kelurahan", "Village government"),
    "family": Text("Keluarga", "Family"),
}
SAFETY = {
    "safe": Text("Aman", "Safe"),
    "with-protection": Text("Aman dengan perlindungan", "Safe with protection"),
    "unsafe": Text("Tidak aman (pelaku di rumah atau sekitarnya)", "Unsafe: who did it lives there"),
}
CONDITIONS = {
    "well": Text("Sehat", "Well"),
    "needs-care": Text("Perlu perhatian khusus", "Needs care"),
    "ill": Text("Sakit", "Ill"),
    "injured": Text("Luka", "Injured"),
}
NEEDS = {
    "housing": Text("Tempat tinggal", "Housing"),
    "livelihood": Text("Mata pencaharian", "Livelihood"),
    "schooling": Text("Sekolah atau pelatihan", "Schooling or training"),
    "health": Text("Kesehatan", "Health"),
    "psychosocial": Text("Psikososial", "Psychosocial"),
    "legal": Text("Hukum", "Legal"),
    "protection": Text("Keamanan", "Protection"),
    "documents": Text("Dokumen kependudukan", "Civil documents"),
}
ENDS = {
    "settled": Text("Mandiri", "Settled"),
    "own-wish": Text("Atas permintaan sendiri", "At their own wish"),
    "moved": Text("Pindah", "Moved"),
    "lost-contact": Text("Kehilangan kontak", "Contact was lost"),
    "trafficked-again": Text("Menjadi korban lagi", "Trafficked again"),
    "deceased": Text("Meninggal dunia", "Deceased"),
}


def agreed_and_safe(filing: Filing) -> None:
    """No victim is sent home to the trafficker. Raises Refused("plan-not-agreed") or Refused("not-safe-to-return")."""
    agreed_by_the_victim(filing)
    if filing.values["safety"] == "unsafe":
        raise Refused("not-safe-to-return", field="safety")


HOME_PLAN = Form(
    code="repatriation-plan",
    label=Text("Rencana pemulangan", "Plan of the way home"),
    about=FormSubject.VICTIM,
    basis=BASIS,
    fields=(
        FormField("destination", Text("Wilayah tujuan", "Destination"), Place(), clear=True),
        FormField("village", Text("Desa/kelurahan dan alamat", "Village and address"), Words(200), required=False),
        FormField("safety", Text("Keamanan di tujuan", "Safety there"), Choice(SAFETY), clear=True),
        FormField("family_ready", Text("Keluarga siap menerima", "The family is ready"), YesNo(), clear=True),
        AGREED,
        FormField("remarks", Text("Uraian", "Remarks"), Words(), required=False),
    ),
    rule=agreed_and_safe,
    refusals=("plan-not-agreed", "not-safe-to-return"),
)


def onwards_and_signed(filing: Filing) -> None:
    """Both parties have signed, and the leg comes after the last. Raises Refused: "not-signed", "leg-out-of-order"."""
    for field in ("giver_signed", "taker_signed"):
        if not filing.values[field]:
            raise Refused("not-signed", field=field)
    order, last = list(LEGS), filing.last("handover")
    if last is not None and order.index(filing.values["leg"]) <= order.index(last.facts["leg"]):
        raise Refused("leg-out-of-order", field="leg", last=last.facts["leg"])


def _party(code: str, label: Text) -> tuple[FormField, ...]:
    person = Text(f"{label.id}: nama dan jabatan", f"{label.en}: name and position")
    signed = Text(f"{label.id} menandatangani", f"{label.en} has signed")
    return (
        FormField(code, label, Choice(PARTIES), clear=True),
        FormField(f"{code}_person", person, Words(200)),
        FormField(f"{code}_signed", signed, YesNo(), clear=True),
    )


HANDOVER = Form(
    code="handover",
    label=Text("Berita acara serah terima", "Record of hand-over"),
    about=FormSubject.VICTIM,
    basis=BASIS,
    fields=(
        FormField("leg", Text("Diserahterimakan di", "Handed over at"), Choice(LEGS), clear=True),
        *_party("giver", Text("Yang menyerahkan", "Giver")),
        *_party("taker", Text("Yang menerima", "Taker")),
        FormField("region", Text("Wilayah", "Region"), Place(), clear=True),
        FormField("place", Text("Tempat", "Place"), Words(200)),
        FormField("escort", Text("Pengawal atau pendamping perjalanan", "Escort"), Words(200), required=False),
        FormField("condition", Text("Keadaan", "Condition"), Choice(CONDITIONS), clear=True),
        FormField("condition_details", Text("Keadaan: uraian", "Condition: details"), Words(1000), required=False),
        FormField("belongings", Text("Barang bawaan", "Belongings"), Words(1000)),
    ),
    rule=onwards_and_signed,
    printed=Printed(
        Text("Berita Acara Serah Terima", "Record of hand-over"),
        {
            "giver_person": Text("Yang menyerahkan", "Giver"),
            "taker_person": Text("Yang menerima", "Taker"),
        },
    ),
    refusals=("not-signed", "leg-out-of-order"),
)
REINTEGRATION = Form(
    code="reintegration-plan",
    label=Text("Rencana reintegrasi", "Plan of reintegration"),
    about=FormSubject.VICTIM,
    basis=BASIS,
    fields=(
        FormField("needs", Text("Kebutuhan", "Needs"), Choice(NEEDS, many=True), clear=True),
        AGREED,
        FormField("first_visit", Text("Kunjungan pertama", "First visit"), Day(past=False), clear=True),
        FormField("plan", Text("Rencana", "The plan"), Words()),
    ),
    rule=agreed_by_the_victim,
    refusals=("plan-not-agreed",),
)
AFTER_CARE_END = Form(
    code="after-care-end",
    label=Text("Bina lanjut selesai", "End of after-care"),
    about=FormSubject.VICTIM,
    basis=BASIS,
    after=("further-guidance",),
    once=True,
    fields=(
        FormField("reason", Text("Alasan", "Why"), Choice(ENDS), clear=True),
        FormField("remarks", Text("Uraian", "Remarks"), Words(), required=False),
    ),
)
FORMS = (HOME_PLAN, HANDOVER, REINTEGRATION, AFTER_CARE_END)
