"""Forms of the police on a case: the report, steps of investigation and trial, restitution, LPSK."""

from shared.domain.forms import Amount, Choice, Day, Filing, Form, FormField, FormSubject, Place, Words, YesNo
from shared.domain.refusal import Refused
from shared.domain.text import Text

PLACES = {
    "land-border": Text("Pos lintas batas darat", "land border post"),
    "port": Text("Pelabuhan", "port"),
    "airport": Text("Bandar udara", "airport"),
    "vessel": Text("Kapal", "vessel"),
    "holding-house": Text("Penampungan", "holding house"),
    "workplace": Text("Tempat kerja", "workplace"),
    "lodging": Text("Hotel, kos atau apartemen", "hotel, boarding house or flat"),
    "online": Text("Daring", "online"),
    "abroad": Text("Luar negeri", "abroad"),
    "other": Text("Lainnya", "other"),
}
REPORTERS = {
    "victim": Text("Korban", "the victim"),
    "family": Text("Keluarga", "family"),
    "public": Text("Masyarakat", "the public"),
    "officer": Text("Petugas (temuan sendiri)", "an officer (own finding)"),
    "agency": Text("Instansi lain", "another agency"),
}
VERDICTS = {
    "convicted": Text("Dipidana", "Convicted"),
    "acquitted": Text("Dibebaskan", "Acquitted"),
    "released": Text("Lepas dari tuntutan", "Released from prosecution"),
}

REPORT = Form(
    code="police-report",
    label=Text("Laporan polisi", "Police report"),
    about=FormSubject.CASE,
    basis="UU 20/2025 (KUHAP) Ps 23; Perkap 6/2019",
    once=True,
    fields=(
        FormField("lp_number", Text("Nomor laporan polisi (LP)", "Number of the report"), Words(80)),
        FormField("reported_by", Text("Pelapor", "Reported by"), Choice(REPORTERS), clear=True),
        FormField("region", Text("Wilayah kejadian", "Region of the incident"), Place(), clear=True),
        FormField("place", Text("Jenis tempat kejadian", "Kind of place"), Choice(PLACES), clear=True),
        FormField("incident_on", Text("Tanggal kejadian", "Day of the incident"), Day(), required=False),
        FormField("account", Text("Uraian singkat", "Short account"), Words(), required=False),
    ),
)
INVESTIGATION = Form(
    code="investigation-opened",
    label=Text("Penyidikan dimulai", "Investigation opened"),
    about=FormSubject.CASE,
    basis="UU 20/2025 (KUHAP); Perkap 6/2019 Ps 13",
    after=("police-report",),
    once=True,
    fields=(FormField("order_number", Text("Nomor surat perintah penyidikan", "Number of the order"), Words(80)),),
)
SPDP = Form(
    code="spdp",
    label=Text("SPDP dikirim ke penuntut umum", "Notice of investigation sent to the prosecutor"),
    about=FormSubject.CASE,
    basis="UU 20/2025 (KUHAP) Ps 60(1); Putusan MK 130/PUU-XIII/2015",
    after=("investigation-opened",),
    once=True,
    fields=(FormField("spdp_number", Text("Nomor SPDP", "Number of the notice"), Words(80)),),
)
FILE_COMPLETE = Form(
    code="file-complete",
    label=Text("Berkas lengkap (P-21)", "File complete (P-21)"),
    about=FormSubject.CASE,
    basis="UU 20/2025 (KUHAP) Ps 59(7)-(8)",
    after=("spdp",),
    once=True,
    fields=(FormField("p21_number", Text("Nomor P-21", "Number of the P-21"), Words(80)),),
)
TRIAL = Form(
    code="trial-opened",
    label=Text("Sidang dimulai", "Trial opened"),
    about=FormSubject.CASE,
    basis="UU 20/2025 (KUHAP)",
    after=("file-complete",),
    once=True,
    fields=(FormField("court_number", Text("Nomor perkara pengadilan", "Number at the court"), Words(80)),),
)


def only_the_convicted_pay(filing: Filing) -> None:
    """Only a convicted offender is ordered to pay restitution. Raises Refused("not-convicted")."""
    if filing.values["restitution_ordered"] and filing.values["verdict"] != "convicted":
        raise Refused("not-convicted", field="restitution_ordered")


JUDGMENT = Form(
    code="judgment",
    label=Text("Putusan berkekuatan hukum tetap", "Final judgment"),
    about=FormSubject.CASE,
    basis="UU 20/2025 (KUHAP); UU 21/2007 Ps 48",
    after=("trial-opened",),
    once=True,
    fields=(
        FormField("judgment_number", Text("Nomor putusan", "Number of the judgment"), Words(80)),
        FormField("verdict", Text("Amar", "Verdict"), Choice(VERDICTS), clear=True),
        FormField("restitution_ordered", Text("Restitusi diperintahkan", "Restitution ordered"), YesNo(), clear=True),
    ),
    rule=only_the_convicted_pay,
    refusals=("not-convicted",),
)


def paid_is_ordered(filing: Filing) -> None:
    """A payment needs a judgment that orders restitution. Raises Refused("form-not-yet")."""
    judgment = filing.last("judgment")
    if judgment is None or judgment.facts["restitution_ordered"] is not True:
        raise Refused("form-not-yet", form="judgment (restitution_ordered: true)")


RUPIAH = Text("Jumlah (rupiah)", "Amount (rupiah)")
RESTITUTION_ASKED = Form(
    code="restitution-asked",
    label=Text("Restitusi diajukan", "Restitution asked for"),
    about=FormSubject.CASE,
    basis="UU 21/2007 Ps 48; Perma 1/2022",
    after=("police-report",),
    fields=(FormField("amount", RUPIAH, Amount(least=1)),),
)
RESTITUTION_PAID = Form(
    code="restitution-paid",
    label=Text("Restitusi dibayar", "Restitution paid"),
    about=FormSubject.CASE,
    basis="UU 21/2007 Ps 48(3)-(5), 49",
    after=("judgment",),
    fields=(
        FormField("amount", RUPIAH, Amount(least=1)),
        FormField("in_full", Text("Lunas", "In full"), YesNo(), clear=True),
    ),
    rule=paid_is_ordered,
)
LPSK_REQUEST = Form(
    code="lpsk-request",
    label=Text("Permohonan perlindungan ke LPSK", "Request for protection to the LPSK"),
    about=FormSubject.VICTIM,
    basis="UU 12/2022 Ps 43; UU 31/2014",
    fields=(
        FormField("letter_number", Text("Nomor surat", "Number of the letter"), Words(80)),
        FormField("threat", Text("Ancaman yang dihadapi", "The threat"), Words(), required=False),
    ),
)
FORMS = (
    *(REPORT, INVESTIGATION, SPDP, FILE_COMPLETE, TRIAL, JUDGMENT),
    *(RESTITUTION_ASKED, RESTITUTION_PAID, LPSK_REQUEST),
)
