"""Answers of the HTTP API about forms and records."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

from shared.casework.records.tables import RecordRow
from shared.contracts.types import Id, Moment
from shared.domain.forms import (
    Amount,
    Choice,
    DateTime,
    Day,
    Earlier,
    FieldKind,
    Form,
    FormField,
    FormSubject,
    Place,
    Words,
    YesNo,
)

KINDS: Mapping[type[FieldKind], str] = {
    Words: "words",
    Choice: "choice",
    Day: "day",
    DateTime: "moment",
    YesNo: "yes-no",
    Place: "region",
    Amount: "amount",
    Earlier: "record",
}
"""Kind of field → its name in the API, for programs that draw a form."""


class OptionView(BaseModel):
    """One option of a choice."""

    code: str
    label: str
    label_en: str


class FieldView(BaseModel):
    """A field of a form, with its labels in Indonesian and English."""

    code: str
    label: str
    label_en: str
    kind: str = Field(description="words, choice, day, moment, yes-no, region, amount, record")
    many: bool
    options: list[OptionView]
    required: bool
    sealed: bool


class FormView(BaseModel):
    """A form (formulir) of this agency, with everything needed to draw it on paper or on a screen."""

    code: str
    version: str
    label: str
    label_en: str
    about: FormSubject
    basis: str
    operation: str = Field(description="The operation that files this form, in the OpenAPI document.")
    after: list[str]
    once: bool
    announced: bool = Field(description="Diumumkan ke semua instansi / whether its content goes to every agency.")
    printed: str | None = Field(description="Judulnya di kertas / its title on paper, where it can be printed.")
    fields: list[FieldView]


class FormList(BaseModel):
    """Every form of this agency."""

    items: list[FormView]


def form_view(form: Form) -> FormView:
    """The view of a form."""
    return FormView(
        code=form.code,
        version=form.version,
        label=form.label.id,
        label_en=form.label.en,
        about=form.about,
        basis=form.basis,
        operation=form.operation,
        after=list(form.after),
        once=form.once,
        announced=form.announced,
        printed=form.printed.title.id if form.printed else None,
        fields=[_field_view(field) for field in form.fields],
    )


def _field_view(field: FormField) -> FieldView:
    options = field.kind.options if isinstance(field.kind, Choice) else {}
    return FieldView(
        code=field.code,
        label=field.label.id,
        label_en=field.label.en,
        kind=KINDS[type(field.kind)],
        many=isinstance(field.kind, Choice) and field.kind.many,
        options=[OptionView(code=code, label=text.id, label_en=text.en) for code, text in options.items()],
        required=field.required,
        sealed=not field.clear,
    )


class RecordView(BaseModel):
    """A record (catatan): a filed form, with its clear fields."""

    id: Id
    form: str
    form_version: str
    about: str = Field(description="The id of the case, victim, referral or desk that the record is about.")
    victim_id: Id | None
    case_id: Id | None
    unit: str
    delivered_by: str | None = Field(
        description="The agency that filed the record and delivered it to the unit that asked."
    )
    facts: dict[str, Any]
    corrects: Id | None
    corrected_by: Id | None
    occurred_at: Moment
    recorded_at: Moment


class WholeRecord(RecordView):
    """A record with its clear fields, and those sealed fields that the caller may read."""

    sealed: dict[str, Any]


class RecordList(BaseModel):
    """Records, oldest first; a corrected record names its correction."""

    items: list[RecordView]


def record_view(row: RecordRow) -> RecordView:
    """The view of a record, without the sealed fields."""
    return RecordView.model_validate(row, from_attributes=True)


def whole_record(row: RecordRow, sealed: Mapping[str, Any]) -> WholeRecord:
    """The view of a record with the sealed fields that the caller may read."""
    return WholeRecord(**record_view(row).model_dump(), sealed=dict(sealed))
