"""Every form of every agency, filled in wrongly in every field: the field is named, and nothing is stored."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, select

from shared.casework.records.tables import RecordRow
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
    body_of,
)
from shared.reference.office import new_id
from shared.storage.tables import LedgerEntry
from shared.victims.sealed.tables import SealedRow
from tests.support.network import SHIPPED, Client, Network, problem

KOLAKA = "74.01"
AGENCIES = [code for code, member in SHIPPED.items() if member.agency.forms]


def misshapen(kind: FieldKind) -> list[Any]:
    """Values without the form of an answer to this kind of question."""
    match kind:
        case Words(most):
            broken = ["a\nb"] if most <= 200 else []
            return ["", "x" * (most + 1), 7, "a\u0000b", "a\u202eb", *broken]
        case Choice(_, True):
            return [[], ["no-such-code"], "no-such-code"]
        case Choice():
            return ["no-such-code", True, []]
        case Amount(least, most):
            return [least - 1, most + 1, "banyak", 1.5]
    shapes: dict[type[FieldKind], list[Any]] = {
        Day: ["31-01-2026", 20260131],
        DateTime: ["kemarin", "2026-01-31T09:00:00"],
        YesNo: ["ya", 1],
        Place: ["Kolaka", "7401"],
        Earlier: ["1", 1],
    }
    return shapes[type(kind)]


def out_of_this_world(kind: FieldKind) -> list[tuple[str, str]]:
    """Values in the form of an answer that are false, each with the code of its refusal."""
    match kind:
        case Day(past):
            return [("no-such-day", "2026-02-30"), *([("no-such-day", "2099-01-01")] if past else [])]
        case Place():
            return [("unknown-region", "99.99")]
        case Earlier():
            return [("unknown-record", new_id())]
    return []


def wrong_answers(form: Form, right: dict[str, Any]) -> Iterator[tuple[FormField, str, dict[str, Any]]]:
    """Each field, how its answer is refused, and the form with it."""
    for one in form.fields:
        for wrong in misshapen(one.kind):
            yield one, "invalid-request", {**right, one.code: wrong}
        if one.required:
            yield one, "invalid-request", {name: value for name, value in right.items() if name != one.code}


async def subjects_of(agency: Client, network: Network) -> dict[FormSubject, str]:
    """Subjects of forms. A referral is looked up only after the form has its shape."""
    units = network.apps[agency.code].state.office.units
    desk = units.desk_for(agency.code, KOLAKA, network.clock().date()).id
    channel = next(iter(network.members[agency.code].agency.channels))
    opened = await agency.post("/v1/cases", {"unit": desk, "channel": channel, "exploitation": "forced-labour"})
    case = opened.json()["id"]
    made = await agency.post(f"/v1/cases/{case}/victims", {"age_class": "adult", "sex": "female"})
    return {
        FormSubject.CASE: f"cases/{case}",
        FormSubject.VICTIM: f"victims/{made.json()['id']}",
        FormSubject.DESK: f"desks/{desk}",
        FormSubject.REFERRAL: f"referrals/{new_id()}",
    }


def stored(network: Network, code: str) -> list[int]:
    """Numbers of the rows that the filing of a form leaves behind."""
    tables = (RecordRow, SealedRow, LedgerEntry)
    database = network.apps[code].state.database
    return [database.read(lambda s, t=t: s.scalar(select(func.count()).select_from(t))) for t in tables]


@pytest.mark.parametrize("code", AGENCIES)
async def test_a_wrong_answer_is_named_and_nothing_is_stored(network: Network, code: str) -> None:
    agency = await network.start(code, online=False)
    subjects = await subjects_of(agency, network)
    before, tried = stored(network, code), 0
    for form in network.members[code].agency.forms:
        path = f"/v1/{subjects[form.about]}/forms/{form.code}"
        [right] = body_of(form).model_json_schema()["examples"]
        for one, code_of_refusal, wrong in wrong_answers(form, right):
            refused = await agency.post(path, wrong)
            assert problem(refused) == code_of_refusal, (form.code, one.code)
            told = refused.json()["errors"]
            assert {fault["field"].split("/")[1] for fault in told} == {one.code}, (form.code, one.code)
            assert all(fault["message"] for fault in told) and refused.json()["remedy"]
            tried += 1
        unknown = await agency.post(path, {**right, "no_such_field": 1})
        assert problem(unknown) == "invalid-request"
        # an earlier record that is not there is told before a day that is not
        earlier = [one for one in form.fields if isinstance(one.kind, Earlier) and one.required]
        for one in earlier or (form.fields if form.about is not FormSubject.REFERRAL else ()):
            for refusal, value in out_of_this_world(one.kind):
                refused = await agency.post(path, {**right, one.code: value})
                assert (problem(refused), refused.json()["errors"][0]["field"]) == (refusal, f"/{one.code}")
                tried += 1
    assert tried > 3 * len(network.members[code].agency.forms)
    assert stored(network, code) == before
