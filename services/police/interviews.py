"""Forms of interviews: which officer may interview, and how often a victim must tell the story.

The police register investigators and until when each training is valid. Only an officer whose victim-centred training
is valid on that day may interview a victim. A child needs an officer with the child module too (UU 11/2012 Ps 26(3),
UU 12/2022 Ps 21(1)). Interviews are counted across agencies, and every interview after the first needs a reason.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from shared.domain.forms import Choice, Day, Earlier, Filing, Form, FormField, FormSubject, Words, YesNo
from shared.domain.refusal import Refused
from shared.domain.text import Text

MODULES = {
    "victim-centred": Text("Pemeriksaan berperspektif korban", "Victim-centred interviewing"),
    "child": Text("Pemeriksaan anak", "Interviewing children"),
}
COMPANIONS = {
    "social-worker": Text("Pekerja sosial", "social worker"),
    "psychologist": Text("Psikolog", "psychologist"),
    "lawyer": Text("Penasihat hukum", "lawyer"),
    "family": Text("Keluarga (bukan terduga pelaku)", "family (not a suspect)"),
    "declined": Text("Korban menolak didampingi", "the victim declined"),
}
OFFICER = Form(
    code="officer",
    label=Text("Penyidik", "Investigator"),
    about=FormSubject.DESK,
    basis="Perkap 10/2007; UU 12/2022 Ps 21(1)",
    fields=(
        FormField("name", Text("Nama dan pangkat", "Name and rank"), Words(200)),
        FormField("nrp", Text("NRP", "Service number"), Words(20)),
    ),
)
TRAINING = Form(
    code="officer-training",
    label=Text("Pelatihan penyidik", "Training of an investigator"),
    about=FormSubject.DESK,
    basis="UU 12/2022 Ps 21(2); UU 11/2012 Ps 26(3)c",
    after=("officer",),
    fields=(
        FormField("officer", Text("Penyidik", "Investigator"), Earlier(frozenset({"officer"})), clear=True),
        FormField("module", Text("Modul", "Module"), Choice(MODULES), clear=True),
        FormField("valid_until", Text("Berlaku sampai", "Valid until"), Day(past=False), clear=True),
    ),
)


def again_for_a_reason(filing: Filing) -> None:
    """No victim is interviewed again without a reason. Raises Refused("interview-reason-required")."""
    if filing.interviews and "reason" not in filing.values:
        raise Refused("interview-reason-required", field="reason", times=str(filing.interviews))


INTERVIEW = Form(
    code="interview",
    label=Text("Pemeriksaan korban", "Interview of a victim"),
    about=FormSubject.VICTIM,
    basis="UU 12/2022 Ps 21-24, 48-50; UU 21/2007 Ps 34-36",
    fields=(
        FormField("officer", Text("Penyidik", "Investigator"), Earlier(frozenset({"officer"})), clear=True),
        FormField("companion", Text("Pendamping", "Companion"), Choice(COMPANIONS), clear=True),
        FormField("recorded", Text("Direkam secara elektronik", "Recorded electronically"), YesNo(), clear=True),
        FormField("reason", Text("Alasan memeriksa lagi", "Why again"), Words(1000), required=False),
        FormField("statement", Text("Keterangan korban", "What the victim told"), Words(), required=False),
    ),
    rule=again_for_a_reason,
    counts_as_interview=True,
    statement="statement",
    refusals=("interview-reason-required", "officer-not-trained"),
)
FORMS = (OFFICER, TRAINING, INTERVIEW)


def valid_modules(trainings: Iterable[Mapping[str, Any]], officer: str, on: date) -> set[str]:
    """The modules for which an officer's training is valid on a day.

    ``trainings``: the clear fields of the filed training records. ``officer``: the id of the officer's record. ``on``:
    a local day, the last valid one included.
    """
    return {
        str(facts["module"])
        for facts in trainings
        if facts["officer"] == officer and on <= date.fromisoformat(facts["valid_until"])
    }


def require_training(modules: set[str], is_child: bool) -> None:
    """An interview needs the victim-centred module, and of a child the child module too.

    Raises Refused("officer-not-trained") with the first missing module.
    """
    needed = ["victim-centred", "child"] if is_child else ["victim-centred"]
    for module in needed:
        if module not in modules:
            raise Refused("officer-not-trained", field="officer", module=module)
