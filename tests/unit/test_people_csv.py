"""A table of people, as spreadsheets write it and as they go wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.people_csv import HEADINGS, people_of
from shared.domain.people_list import BatchPerson, PersonRole, asked_for, written_twice
from shared.domain.people_list import TakeIn as Batch
from shared.domain.refusal import Refused


def read(text: str, encoding: str = "utf-8") -> list[BatchPerson]:
    people, _ = people_of(text.encode(encoding))
    return [BatchPerson.model_validate(person) for person in people]


def test_a_table_from_an_indonesian_spreadsheet() -> None:
    table = (
        "Nama;NIK;Tanggal Lahir;Jenis Kelamin;Kelompok Usia;Wilayah Asal;Peran\r\n"
        '"Rekaan; Satu";7401010101010001;28/2/2001;Perempuan;Dewasa;74.01;\r\n'
        "Rekaan Dua;;;L;;;Terduga perekrut\r\n"
        ";;;;;;\r\n"
    )
    first, second = read(table, "utf-8-sig")
    assert first.identity is not None and second.identity is not None
    assert (first.identity.name, first.identity.born_on) == ("Rekaan; Satu", "2001-02-28")
    assert (first.sex, first.age_class, first.home_region, first.role) == ("female", "adult", "74.01", "victim")
    assert (second.sex, second.age_class, second.role) == ("male", "unknown", "suspected-recruiter")


def test_a_table_with_commas_and_codes() -> None:
    [person] = read('name,sex,age_class,statement\n"Rekaan, ""Tiga""",unspecified,child,"dua\nbaris"\n')
    assert person.identity is not None
    assert (person.identity.name, person.identity.statement) == ('Rekaan, "Tiga"', "dua\nbaris")


@pytest.mark.parametrize(
    ("table", "code", "facts"),
    [
        (b"", "malformed-csv", {"line": "2"}),
        (b"nama\n", "malformed-csv", {"line": "2"}),
        (b"nama,nik\n,\n\n", "malformed-csv", {"line": "2"}),
        (b"nama,nik\nSiti\n", "malformed-csv", {"line": "2"}),
        (b'nama\n"Siti\n', "malformed-csv", {"line": "1"}),
        (b"nama\n\xe9\n", "malformed-csv", {"line": "1"}),
        (b"nama\n" + b"x" * 9000, "malformed-csv", {"line": "2"}),
        (b"nama,pekerjaan\nSiti,Buruh\n", "unknown-column", {"column": "2"}),
        (b"nama,pekerjaan\n\nSiti,Buruh\n", "unknown-column", {"column": "2"}),
        (b"nama,name\nSiti,Siti\n", "column-twice", {"column": "2"}),
        (b"nama\n" + b"x\n" * 1001, "too-many-people", {"most": "1000"}),
    ],
)
def test_a_table_that_is_none_is_refused_whole_and_nothing_of_it_repeated(
    table: bytes, code: str, facts: dict[str, str]
) -> None:
    with pytest.raises(Refused) as refused:
        people_of(table)
    assert refused.value.problem == code
    told = dict(refused.value.facts)
    known = told.pop("known", None)
    assert told == facts and (known is None or str(known).split(", ") == sorted(HEADINGS))


@given(st.binary(max_size=300))
def test_whatever_bytes_come_they_are_people_or_refused(table: bytes) -> None:
    try:
        people, headings = people_of(b"nama;alamat\n" + table)
    except Refused:
        return
    assert people and set(headings) == {"identity/name", "identity/address"}


KEMENSOS, KEMENKES = (
    {"service": service, "receiver": {"agency": agency}, "basis": "vital-interest"}
    for service, agency in (("shelter", "kemensos"), ("first-aid", "kemenkes"))
)


def test_who_is_suspected_keeps_what_is_urgent_and_is_sent_nowhere_else_by_itself() -> None:
    shared = Batch.model_validate({"refer": [KEMENSOS, KEMENKES], "people": [{}]}).refer
    shelter, aid = shared
    victim, suspect = (
        BatchPerson.model_validate({"age_class": "adult", "sex": "male", "role": role}) for role in PersonRole
    )
    assert asked_for(victim, shared, lambda ask: ask is aid) == ([shelter, aid], [])
    assert asked_for(suspect, shared, lambda ask: ask is aid) == ([aid], [shelter])
    decided = suspect.model_copy(update={"refer": (shelter,)})
    assert asked_for(decided, shared, lambda ask: ask is aid) == ([shelter], [])


def test_the_same_nik_twice_is_one_person() -> None:
    def person(nik: str | None) -> BatchPerson:
        return BatchPerson.model_validate({"age_class": "adult", "sex": "male", "identity": {"nik": nik}})

    one, other = person("7401010101010001"), person("7401010101010002")
    assert written_twice([one, None, other, person(None), one, person(None), one]) == {5: (1, "nik"), 7: (1, "nik")}


def test_the_same_passport_twice_is_one_person_and_what_is_typed_for_none_is_nobody() -> None:
    def person(**identity: str) -> BatchPerson:
        return BatchPerson.model_validate({"age_class": "adult", "sex": "male", "identity": identity})

    one, same, without = person(passport="X 1234567"), person(passport="x1234567"), person(nik="0" * 16)
    assert written_twice([one, without, without, same, person(phone="081234567890")]) == {4: (1, "passport")}
