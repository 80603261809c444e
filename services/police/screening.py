"""The screening form: is this person a victim of trafficking? By act, means and purpose (UU 21/2007 Ps 1(1)).

The six dimensions are those of the ILO and the European Commission (operational indicators, 2009). Indicators and
weights are in our own words; every record keeps their version. The indicators only give a suggestion: an officer
decides, and gives a reason for another decision. For a child no means are needed (Ps 1(1), Palermo Protocol art. 3(c)).
First aid does not wait for screening: no rule of a referral asks for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from shared.domain.forms import Choice, Filing, Form, FormField, FormSubject, Words
from shared.domain.refusal import Refused
from shared.domain.text import Text

VERSION = "2026-1"


class Weight(IntEnum):
    """The weight with which an indicator points to trafficking."""

    WEAK = 1
    MEDIUM = 2
    STRONG = 3


@dataclass(frozen=True, slots=True)
class Indicator:
    """One sign of trafficking that an officer has seen or heard, and its weight."""

    weight: Weight
    label: Text


def _strong(indonesian: str, english: str) -> Indicator:
    return Indicator(Weight.STRONG, Text(indonesian, english))


def _medium(indonesian: str, english: str) -> Indicator:
    return Indicator(Weight.MEDIUM, Text(indonesian, english))


def _weak(indonesian: str, english: str) -> Indicator:
    return Indicator(Weight.WEAK, Text(indonesian, english))


ACTS = {
    "recruited": Text("Direkrut", "Recruited"),
    "transported": Text("Diangkut", "Transported"),
    "harboured": Text("Ditampung", "Harboured"),
    "sent": Text("Dikirim", "Sent"),
    "handed-over": Text("Dipindahtangankan", "Handed over"),
    "received": Text("Diterima", "Received"),
}
MEANS = {
    "threat": Text("Ancaman kekerasan", "Threat of force"),
    "force": Text("Penggunaan kekerasan", "Use of force"),
    "abduction": Text("Penculikan", "Abduction"),
    "confinement": Text("Penyekapan", "Confinement"),
    "forgery": Text("Pemalsuan", "Forgery"),
    "deception": Text("Penipuan", "Deception"),
    "abuse-of-power": Text("Penyalahgunaan kekuasaan", "Abuse of power"),
    "abuse-of-vulnerability": Text("Penyalahgunaan posisi rentan", "Abuse of a position of vulnerability"),
    "debt-bondage": Text("Penjeratan utang", "Debt bondage"),
    "payment": Text(
        "Pembayaran atau manfaat kepada yang memegang kendali", "Payment or benefit to who has control of the person"
    ),
}
PURPOSES = {
    "prostitution": Text("Pelacuran", "Prostitution of others"),
    "forced-labour": Text("Kerja atau pelayanan paksa", "Forced labour or services"),
    "slavery": Text("Perbudakan atau serupa perbudakan", "Slavery or practices like it"),
    "sexual": Text("Pemanfaatan seksual lain", "Other sexual exploitation"),
    "organs": Text("Pengambilan organ", "Removal of organs"),
    "forced-crime": Text("Dipaksa melakukan kejahatan, seperti penipuan daring", "Forced to commit crimes, as scams"),
    "other": Text("Eksploitasi lain", "Other exploitation"),
}

DIMENSIONS: Mapping[str, tuple[Text, Mapping[str, Indicator]]] = {
    "deceptive_recruitment": (
        Text("Perekrutan dengan tipu daya", "Deceptive recruitment"),
        {
            "job-not-as-promised": _strong(
                "Pekerjaannya lain dari yang dijanjikan", "The work was not what was promised"
            ),
            "wage-not-as-promised": _strong("Upahnya lain dari yang dijanjikan", "The pay was not what was promised"),
            "place-not-as-promised": _medium("Tempat atau negaranya lain", "It was another place or country"),
            "papers-lied-about": _medium("Dibohongi soal izin atau kontrak", "Lied to about permits or a contract"),
            "schooling-or-marriage-promised": _medium(
                "Dijanjikan sekolah atau pernikahan", "Schooling or a marriage was promised"
            ),
            "lodging-lied-about": _weak("Dibohongi soal tempat tinggal", "Lied to about the lodging"),
        },
    ),
    "coercive_recruitment": (
        Text("Perekrutan dengan paksaan", "Coercive recruitment"),
        {
            "taken-by-force": _strong("Dibawa paksa atau diculik", "Taken by force, or abducted"),
            "family-threatened-then": _strong(
                "Keluarga diancam agar ikut", "The family was threatened, to make them go"
            ),
            "debt-before-leaving": _medium("Dijerat utang sebelum berangkat", "Bound by a debt before leaving"),
            "papers-taken-then": _medium("Dokumen diambil saat perekrutan", "Papers were taken at recruitment"),
            "locked-in-before-leaving": _medium("Dikurung di penampungan", "Locked in before leaving"),
            "watched-on-the-way": _weak("Diawasi sepanjang jalan", "Watched all the way"),
        },
    ),
    "recruitment_by_vulnerability": (
        Text("Perekrutan dengan memanfaatkan kerentanan", "Recruitment by abuse of vulnerability"),
        {
            "under-age-hidden": _strong("Usia anak dipalsukan", "A child's age was forged"),
            "given-by-guardian": _strong("Diserahkan oleh orang tua atau wali", "Given away by a parent or guardian"),
            "no-way-to-live": _medium("Tidak punya penghasilan lain", "Had no other way to live"),
            "family-in-debt": _medium("Keluarga berutang kepada perekrut", "The family owed the recruiter"),
            "disaster-or-conflict": _medium(
                "Mengungsi karena bencana atau konflik", "Displaced by disaster or conflict"
            ),
            "does-not-read": _weak("Tidak dapat membaca yang ditandatangani", "Could not read what was signed"),
        },
    ),
    "exploitation": (
        Text("Keadaan eksploitasi", "Exploitative conditions"),
        {
            "no-wage": _strong("Tidak diupah atau upahnya diambil", "Not paid, or the pay was taken"),
            "excessive-hours": _strong("Bekerja jauh melebihi jam yang wajar", "Worked far beyond any decent hours"),
            "made-to-do-crimes": _strong("Disuruh menipu atau berbuat jahat", "Made to defraud or commit crimes"),
            "sex-with-others": _strong("Disuruh melayani seks", "Made to have sex with others"),
            "dangerous-work": _medium("Bekerja berbahaya tanpa perlindungan", "Dangerous work without protection"),
            "bad-lodging-and-food": _medium("Tempat dan makanan tidak layak", "Lodging and food were indecent"),
            "no-contract": _weak("Tanpa kontrak", "No contract"),
        },
    ),
    "coercion_at_destination": (
        Text("Paksaan di tempat tujuan", "Coercion at destination"),
        {
            "locked-in": _strong("Dikurung atau dijaga", "Locked in or guarded"),
            "beaten": _strong("Dipukul, disetrum atau diperkosa", "Beaten, shocked or raped"),
            "papers-kept": _strong("Paspor atau telepon ditahan", "Passport or telephone was kept"),
            "sold-on": _strong("Dijual ke tempat lain", "Sold on to another place"),
            "ransom": _medium("Dimintai tebusan agar boleh pulang", "A ransom was asked to let them go"),
            "targets-and-fines": _medium("Target dengan denda atau hukuman", "Targets with fines or punishment"),
            "threatened-with-police": _weak("Diancam dilaporkan ke aparat", "Threatened with the authorities"),
        },
    ),
    "vulnerability_at_destination": (
        Text("Pemanfaatan kerentanan di tempat tujuan", "Abuse of vulnerability at destination"),
        {
            "dependent-for-everything": _medium(
                "Bergantung pada pelaku untuk makan dan tempat", "Depended on the exploiter for food and lodging"
            ),
            "no-legal-stay": _medium("Tanpa izin tinggal", "Had no right to stay"),
            "debt-grows": _medium("Utangnya terus bertambah", "The debt kept growing"),
            "cut-off": _medium("Diputus dari keluarga dan dunia luar", "Cut off from family and the world"),
            "speaks-no-language": _weak("Tidak mengerti bahasa setempat", "Did not understand the language"),
        },
    ),
}
"""Dimension → (its name, its indicators by code)."""

FINDINGS = {
    "presumed-victim": Text("Diduga korban perdagangan orang", "Presumed victim of trafficking"),
    "not-found": Text("Tidak ditemukan petunjuk", "No indication found"),
    "undecided": Text("Belum dapat diputuskan", "Cannot be decided yet"),
}


def grade(weights: list[Weight]) -> str:
    """The grade of one dimension, from the weights of its indicators.

    ``strong``: a strong indicator with any other, or three or more of which at least two are medium.
    ``medium``: one strong indicator or two medium ones. ``weak``: any other indicators. ``none``: no indicator.
    """
    strong, medium = weights.count(Weight.STRONG), weights.count(Weight.MEDIUM)
    if (strong and len(weights) > 1) or (len(weights) > 2 and medium >= 2):
        return "strong"
    if strong or medium > 1:
        return "medium"
    return "weak" if weights else "none"


EXPLOITATION = "exploitation"
POSITIVE = frozenset({"strong", "medium"})


def grades(values: Mapping[str, Any]) -> dict[str, str]:
    """Dimension → its grade, from the fields of the form."""
    return {
        code: grade([indicators[name].weight for name in values.get(code, ())])
        for code, (_, indicators) in DIMENSIONS.items()
    }


def suggest(filing: Filing) -> dict[str, Any]:
    """The facts kept beside the answers: ``grade_<dimension>``, ``elements`` found and ``suggests``, a FINDINGS code.

    A child counts as having the element of means. All three elements suggest a presumed victim.
    """
    found = grades(filing.values)
    means = (
        filing.is_child
        or bool(filing.values.get("means"))
        or any(found[code] in POSITIVE for code in DIMENSIONS if code != EXPLOITATION)
    )
    purpose = bool(filing.values.get("purposes")) or found[EXPLOITATION] in POSITIVE
    elements = {"act": bool(filing.values.get("acts")), "means": means, "purpose": purpose}
    if all(elements.values()):
        suggested = "presumed-victim"
    else:
        suggested = "undecided" if any(grade != "none" for grade in found.values()) else "not-found"
    return {
        **{f"grade_{code}": grade for code, grade in found.items()},
        "elements": sorted(name for name, there in elements.items() if there),
        "suggests": suggested,
    }


def a_person_decides(filing: Filing) -> None:
    """An officer who decides against the suggestion gives a reason. Raises Refused("why-required")."""
    if filing.values["decision"] != suggest(filing)["suggests"] and "why" not in filing.values:
        raise Refused("why-required", field="why")


SCREENING = Form(
    code="screening",
    label=Text("Penapisan korban", "Screening of a victim"),
    about=FormSubject.VICTIM,
    basis="UU 21/2007 Ps 1(1); ILO/EC 2009",
    version=VERSION,
    fields=(
        FormField("acts", Text("Proses", "Act"), Choice(ACTS, many=True), required=False),
        FormField("means", Text("Cara", "Means"), Choice(MEANS, many=True), required=False),
        FormField("purposes", Text("Tujuan eksploitasi", "Purpose"), Choice(PURPOSES, many=True), required=False),
        *(
            FormField(
                code, label, Choice({name: one.label for name, one in indicators.items()}, many=True), required=False
            )
            for code, (label, indicators) in DIMENSIONS.items()
        ),
        FormField("decision", Text("Keputusan petugas", "The officer's decision"), Choice(FINDINGS), clear=True),
        FormField(
            "why", Text("Alasan bila lain dari saran", "Why, if other than suggested"), Words(1000), required=False
        ),
        FormField("remarks", Text("Catatan", "Remarks"), Words(), required=False),
    ),
    rule=a_person_decides,
    derive=suggest,
    refusals=("why-required",),
)
