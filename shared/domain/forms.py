"""Forms: an agency records its own work on forms. A form is declared as a table of fields, with its rules of filing.

A form is about a case, a victim, a referral or a desk. A filed form is a record. The ledger gets a signed
``record.filed`` with the code of the form and nothing of its content. The database keeps every field sealed, except
the ``clear`` fields. Rules, clocks and lists must read those: they are codes, days and numbers, never free text.

Long because: kinds of fields, forms and rules of filing are one language, in which an agency declares its forms.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, create_model

from shared.contracts.codes import LegalBasis
from shared.contracts.types import ONE_LINE, SEVERAL_LINES, AskedMoment, Flag, Id, Region
from shared.domain.commands import LONGEST_LINE, SORTED, Noted, example, is_past_day, whole
from shared.domain.identity import BORN_ON
from shared.domain.refusal import Refused
from shared.domain.text import Text


class FormSubject(StrEnum):
    """The kind of object that a form is about."""

    CASE = "case"
    VICTIM = "victim"
    REFERRAL = "referral"
    DESK = "desk"


@dataclass(frozen=True, slots=True)
class Words:
    """Free text of at most ``most`` characters. It is always sealed."""

    most: int = 4000

    @property
    def one_line(self) -> bool:
        """Whether the text is short: a name, a number or a place. A letter draws it on one line."""
        return self.most <= LONGEST_LINE


@dataclass(frozen=True, slots=True)
class Choice:
    """One of these codes, or with ``many`` one or more of them."""

    options: Mapping[str, Text]
    many: bool = False


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar day; with ``past`` a day that has begun."""

    past: bool = True


@dataclass(frozen=True, slots=True)
class DateTime:
    """A moment in RFC 3339 with its UTC offset."""


@dataclass(frozen=True, slots=True)
class YesNo:
    """Yes or no."""


@dataclass(frozen=True, slots=True)
class Place:
    """A region by its code."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A whole number from ``least`` to ``most``."""

    least: int = 0
    most: int = 1_000_000_000_000


@dataclass(frozen=True, slots=True)
class Earlier:
    """The id of an earlier record of one of these forms."""

    forms: frozenset[str]


FieldKind = Words | Choice | Day | DateTime | YesNo | Place | Amount | Earlier


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of a form. ``clear``: stored in clear by the agency that files it."""

    code: str
    label: Text
    kind: FieldKind
    required: bool = True
    clear: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError for free text that would be stored in clear."""
        if self.clear and isinstance(self.kind, Words):
            raise ValueError(f"field {self.code}: free text is never kept in clear")


@dataclass(frozen=True, slots=True)
class Filed:
    """An earlier record, as far as a rule may know it."""

    id: str
    form: str
    facts: Mapping[str, Any]
    """Its clear fields."""
    unit: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Filing:
    """A form about to be filed, with all that its rule may know."""

    values: Mapping[str, Any]
    at: datetime
    """When the recorded fact happened (UTC)."""
    before: tuple[Filed, ...] = ()
    """The earlier records about the same case, victim, referral or desk, oldest first.

    A correction stands in the place of the corrected record."""
    is_child: bool = False
    """Whether the victim is to be treated as a child."""
    interviews: int = 0
    """Earlier interviews of the victim that this agency knows of, by any agency."""
    named: Mapping[str, Filed] = field(default_factory=dict)
    """Field → the earlier record that it names."""

    def last(self, form: str) -> Filed | None:
        """The latest earlier record of a form, or None."""
        return next((filed for filed in reversed(self.before) if filed.form == form), None)


@dataclass(frozen=True, slots=True)
class Printed:
    """The printed form of a record. ``signers``: the field with a signer's name → the label of that signer."""

    title: Text
    signers: Mapping[str, Text]


def nothing_more(_: Filing) -> Mapping[str, Any]:
    """Derive no further facts."""
    return {}


def no_rule(_: Filing) -> None:
    """Allow every filing."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form as an agency declares it.

    ``after``: forms of which one must already be filed about the same object. ``once``: filed once, then only
    corrected. ``rule`` raises Refused. ``basis``: the law or the standard that asks for the form.
    """

    code: str
    label: Text
    about: FormSubject
    fields: tuple[FormField, ...]
    basis: str
    version: str = "2026-1"
    after: tuple[str, ...] = ()
    once: bool = False
    rule: Callable[[Filing], None] = no_rule
    derive: Callable[[Filing], Mapping[str, Any]] = nothing_more
    """Derives further facts from the answers. The agency stores them in clear beside the answers."""
    counts_as_interview: bool = False
    """Whether the form records an interview of the victim. Interviews are counted across agencies."""
    statement: str | None = None
    """The field that becomes the victim's statement. It travels sealed, so that the victim need not tell it twice."""
    of_service: str | None = None
    """The service that the referral must have asked for; None allows a referral for any service."""
    delivered: LegalBasis | None = None
    """The legal basis on which the sender of the referral gets the whole record, sealed. None: no delivery."""
    announced: bool = False
    """Whether every agency gets the whole record, so that each sender of referrals knows what a desk can do."""
    printed: Printed | None = None
    """The printed form of a record for signing by hand; None: a record may not be printed."""
    refusals: tuple[str, ...] = ()
    """The codes of the problems with which its rule, or another effect of its filing, may refuse it."""

    @property
    def body(self) -> str:
        """The name of the request body that files it: ``police-report`` → ``PoliceReport``."""
        return "".join(word.capitalize() for word in self.code.split("-"))

    @property
    def operation(self) -> str:
        """The name of the operation that files it."""
        return f"file_{self.code.replace('-', '_')}"


AGREED = FormField("agreed", Text("Disetujui korban", "Agreed by the victim"), YesNo(), clear=True)


def agreed_by_the_victim(filing: Filing) -> None:
    """Raise Refused("plan-not-agreed") unless the victim agreed, because a plan is the victim's own."""
    if not filing.values[AGREED.code]:
        raise Refused("plan-not-agreed", field=AGREED.code)


class Filled(Noted):
    """The request fields that are common to all forms. Each form adds its own."""

    corrects: Id | None = Field(default=None, description="Catatan yang dibetulkan / the record that this corrects.")


def body_of(form: Form) -> type[Filled]:
    """The request model that files a form. Each field has its Indonesian label as title, the English as description."""
    fields: dict[str, Any] = {}
    for one in form.fields:
        default = ... if one.required else None
        kind = _type_of(one.kind)
        words = Field(default=default, title=one.label.id, description=one.label.en)
        fields[one.code] = (kind if one.required else kind | None, words)
    shown = {one.code: _example_of(one.kind) for one in form.fields if one.required}
    base = type(f"{form.body}Base", (Filled,), {"model_config": example(**shown), "__doc__": form.label.id})
    made: type[Filled] = create_model(form.body, __base__=base, __doc__=f"{form.label.id} / {form.label.en}", **fields)
    return made


def _type_of(kind: FieldKind) -> Any:
    match kind:
        case Words(most):
            form = ONE_LINE if kind.one_line else SEVERAL_LINES
            return Annotated[str, Field(min_length=1, max_length=most, pattern=form)]
        case Choice(options, many):
            code: Any = Literal[tuple(options)]
            return Annotated[frozenset[code], Field(min_length=1), SORTED] if many else code
        case Day():
            return Annotated[str, Field(pattern=BORN_ON)]
        case Amount(least, most):
            return Annotated[int, Field(ge=least, le=most, strict=True), BeforeValidator(whole)]
    return {DateTime: AskedMoment, YesNo: Flag, Place: Region, Earlier: Id}[type(kind)]


def _example_of(kind: FieldKind) -> Any:
    match kind:
        case Words():
            return "Contoh rekaan"
        case Choice(options, many):
            first = next(iter(options))
            return [first] if many else first
        case Amount(least):
            return least
        case Day(past):
            return "2026-01-31" if past else "2099-12-31"
    return {
        DateTime: "2026-01-31T09:00:00+07:00",
        YesNo: True,
        Place: "74.01",
        Earlier: "0193f0a2-7a10-7000-8000-000000000001",
    }[type(kind)]


def decide(form: Form, filing: Filing, corrects: str | None, now: datetime, regions: Callable[[str], bool]) -> None:
    """Raise Refused, naming the field, unless the form may be filed. ``now``: UTC; ``regions``: whether a code exists.

    ``corrects`` is the id of the record that this filing corrects, or None.
    """
    for one in form.fields:
        value = filing.values.get(one.code)
        if value is None:
            continue
        if isinstance(one.kind, Day) and not _is_day(value, one.kind.past, now):
            raise Refused("no-such-day", field=one.code)
        if isinstance(one.kind, Place) and not regions(value):
            raise Refused("unknown-region", field=one.code)
    there = {filed.form for filed in filing.before}
    if form.after and there.isdisjoint(form.after):
        raise Refused("form-not-yet", form=" / ".join(form.after))
    if form.once and corrects is None and form.code in there:
        raise Refused("already-filed", form=form.code)
    form.rule(filing)


def _is_day(value: str, past: bool, now: datetime) -> bool:
    if past:
        return is_past_day(value, now)
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def check_forms(forms: Iterable[Form]) -> None:
    """Raise ValueError, naming the form, unless the forms of an agency are consistent."""
    by_code: dict[str, Form] = {}
    for form in forms:
        names = [one.code for one in form.fields]
        if form.code in by_code or len(names) > len(set(names)) or set(names) & set(Filled.model_fields):
            raise ValueError(f"form {form.code}: a code is used twice, or is a code that every form has")
        if form.printed is not None and not form.printed.signers.keys() <= set(names):
            raise ValueError(f"form {form.code}: each signer on paper must be a field of the form")
        by_code[form.code] = form
    for form in by_code.values():
        named = {code for one in form.fields if isinstance(one.kind, Earlier) for code in one.kind.forms}
        if unknown := (named | set(form.after)) - by_code.keys():
            raise ValueError(f"form {form.code}: no such form: {', '.join(sorted(unknown))}")
        told = all(one.clear and isinstance(one.kind, Choice | YesNo | Amount) for one in form.fields)
        if form.announced and not (form.about is FormSubject.DESK and told):
            raise ValueError(
                f"form {form.code}: an announced form must be about a desk, with clear codes and numbers alone"
            )
        if (form.of_service or form.delivered) and form.about is not FormSubject.REFERRAL:
            raise ValueError(
                f"form {form.code}: a form that is delivered, or belongs to a service, must be about a referral"
            )
        if any(by_code[code].about is not form.about for code in form.after):
            raise ValueError(f"form {form.code}: `after` must name forms about the same kind of thing")
