"""The fields of an identity that exist for a caller: every status of a referral × every service of every agency.

And the second person: another human.
"""

import contextlib

import pytest

from services.coordination.main import MEMBER as COORDINATION
from services.kemenkes.agency import AGENCY as KEMENKES
from services.kemenpppa.agency import AGENCY as KEMENPPPA
from services.kemensos.agency import AGENCY as KEMENSOS
from services.police.agency import AGENCY as POLICE
from shared.contracts.codes import IdentityField, Status
from shared.contracts.types import UnitRef
from shared.domain.access import NOT_TAKEN_ON, Caller, Role, Sight, Work, fields_shown, require_second_person
from shared.domain.agency import Agency
from shared.domain.refusal import Refused

EVERYTHING = frozenset(IdentityField)
NOT_NEEDED = {
    # what each service is not told, by hand: DESIGN section 6, "only the fields its service needs"
    "investigation": {"safe_house"},
    "temporary-protection": {"address", "statement"},
    "case-management": {"safe_house"},
    "outreach": {"nik", "passport", "born_on", "statement", "safe_house"},
    "examination-and-treatment": {"passport", "address", "statement", "safe_house"},
    "visum-et-repertum": {"passport", "phone", "address", "statement", "safe_house"},
    "first-aid": {"nik", "passport", "phone", "address", "statement", "safe_house"},
    "shelter-and-rehabilitation": {"statement"},
    "reintegration": {"statement", "safe_house"},
}
WORKING = {"accepted", "in-progress", "on-hold"}
AGENCIES = (POLICE, KEMENPPPA, KEMENSOS, KEMENKES)


def desk(agency: Agency, unit: str) -> UnitRef:
    return UnitRef(agency=agency.code, unit=unit, region="74.01")


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize(
    ("agency", "service"),
    [(agency, service) for agency in AGENCIES for service in agency.services],
    ids=lambda value: value.code,
)
def test_a_service_sees_what_it_needs_while_it_works(agency: Agency, service: object, status: Status) -> None:
    [declared] = [one for one in agency.services if one is service]
    work = Work(desk(agency, "satu"), status, declared.needs)
    needed = {field.value for field in EVERYTHING} - NOT_NEEDED[declared.code]
    for units, sees in ((frozenset({"satu"}), True), (None, True), (frozenset({"dua"}), False)):
        shown = fields_shown(Sight(agency.code, units, None), None, [work])
        assert {field.value for field in shown} == (needed if sees and status.value in WORKING else set())


@pytest.mark.parametrize("status", Status)
def test_who_is_responsible_sees_everything_whatever_else_there_is(status: Status) -> None:
    work = Work(desk(POLICE, "dua"), status, frozenset({IdentityField.NAME}))
    assert fields_shown(Sight("police", frozenset({"satu"}), None), desk(POLICE, "satu"), [work]) == EVERYTHING
    assert fields_shown(Sight("kemenkes", None, None), desk(POLICE, "satu"), [work]) == frozenset()


def test_every_service_of_every_agency_is_among_them() -> None:
    assert {service.code for agency in AGENCIES for service in agency.services} == set(NOT_NEEDED)
    assert not COORDINATION.agency.services


def test_a_part_in_a_victim_begins_with_accepting() -> None:
    assert {status.value for status in Status} - {status.value for status in NOT_TAKEN_ON} == (
        WORKING | {"completed", "failed"}
    )


FIRST = "klien-satu", "ani"


@pytest.mark.parametrize(
    ("client", "person", "is_another"),
    [
        ("klien-satu", "ani", False),
        ("klien-dua", "ani", False),  # two clients with one human are one
        ("klien-satu", "budi", True),  # two humans at one client are two
        ("klien-dua", "budi", True),
        ("klien-satu", "", False),  # where a token names no human, the client counts
        ("klien-dua", "", True),
    ],
)
def test_a_second_person_is_another_human(client: str, person: str, is_another: bool) -> None:
    caller = Caller(client, Role.SUPERVISOR, "satu", person)
    refusal = contextlib.nullcontext() if is_another else pytest.raises(Refused, match="second-person-needed")
    with refusal:
        require_second_person(caller, *FIRST)


def test_two_machines_are_two_and_one_machine_is_one() -> None:
    caller = Caller("klien-satu", Role.SUPERVISOR, "satu")
    for nobody in ("", None):
        require_second_person(caller, "klien-dua", nobody)
        with pytest.raises(Refused, match="second-person-needed"):
            require_second_person(caller, "klien-satu", nobody)
