"""Forms of a shelter's beds: the beds of each ward, a bed assigned, a bed released.

A ward is for one sex and one age class. The separate room is for a victim who needs a room alone. Examples are a
mother with her children, a victim whose sex is not stated, and a victim in danger. A rule says which wards are
allowed; a person chooses.
"""

from shared.contracts.codes import AgeClass, Sex
from shared.domain.forms import Amount, Choice, Form, FormField, FormSubject, Words
from shared.domain.text import Text

BASIS = "PP 9/2008 Ps 1(5); Permensos 8/2023"
SEPARATE = "separate"
WARDS = {
    "female-adult": Text("Perempuan dewasa", "Women"),
    "male-adult": Text("Laki-laki dewasa", "Men"),
    "female-child": Text("Anak perempuan", "Girls"),
    "male-child": Text("Anak laki-laki", "Boys"),
    SEPARATE: Text("Kamar terpisah", "Separate room"),
}
REASONS = {
    "went-home": Text("Dipulangkan", "Went home"),
    "moved": Text("Pindah ke rumah aman lain", "Moved to another shelter"),
    "hospital": Text("Dirawat di rumah sakit", "In hospital"),
    "own-wish": Text("Atas permintaan sendiri", "At their own wish"),
    "missing": Text("Pergi tanpa kabar", "Gone without word"),
    "deceased": Text("Meninggal dunia", "Deceased"),
}
MOST_BEDS = 500

BEDS = Form(
    code="shelter-beds",
    label=Text("Tempat tidur rumah aman", "Beds of a shelter"),
    about=FormSubject.DESK,
    basis=BASIS,
    fields=tuple(
        FormField(ward.replace("-", "_"), label, Amount(most=MOST_BEDS), clear=True) for ward, label in WARDS.items()
    ),
    announced=True,
    refusals=("beds-in-use",),
)
ASSIGNED = Form(
    code="bed-assigned",
    label=Text("Penempatan di rumah aman", "A bed is given"),
    about=FormSubject.VICTIM,
    basis=BASIS,
    fields=(
        FormField("ward", Text("Ruang", "Ward"), Choice(WARDS), clear=True),
        FormField("remarks", Text("Catatan", "Remarks"), Words(1000), required=False),
    ),
    refusals=("ward-not-for-them", "already-has-bed", "no-bed-free"),
)
RELEASED = Form(
    code="bed-released",
    label=Text("Keluar dari rumah aman", "A bed is given back"),
    about=FormSubject.VICTIM,
    basis=BASIS,
    fields=(
        FormField("reason", Text("Alasan", "Why"), Choice(REASONS), clear=True),
        FormField("remarks", Text("Catatan", "Remarks"), Words(1000), required=False),
    ),
    after=("bed-assigned",),
    refusals=("has-no-bed",),
)
FORMS = (BEDS, ASSIGNED, RELEASED)


def wards_for(sex: Sex, age: AgeClass) -> frozenset[str]:
    """The wards that a victim may be assigned to.

    With sex unspecified, both wards of the age class are allowed. An unknown age counts as a child's.
    """
    years = "adult" if age is AgeClass.ADULT else "child"
    sexes = (Sex.FEMALE, Sex.MALE) if sex is Sex.UNSPECIFIED else (sex,)
    return frozenset({SEPARATE, *(f"{one}-{years}" for one in sexes)})
