"""Each event has one receiver, at an agency and at coordination; each problem code has one text."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from services.coordination import receive
from shared.agency.inbound import NOT_FOR_AGENCIES, receivers_of
from shared.agency.member import SLICES
from shared.contracts import events as e
from shared.service.app import create_app
from shared.service.slice import Slice, all_refusals, ignore
from tests.support.catalogue import member
from tests.support.sources import ROOT

KEMENKES = member("kemenkes")


def test_every_event_of_the_catalogue_is_received_by_one_slice_or_not_for_agencies() -> None:
    received = receivers_of(KEMENKES.slices).keys()
    assert set(received) | NOT_FOR_AGENCIES == set(e.CATALOGUE.values())
    assert not set(received) & NOT_FOR_AGENCIES


def test_an_event_that_no_slice_receives_stops_the_start() -> None:
    without = [one for one in KEMENKES.slices if e.LetterIssued not in one.receives]
    with pytest.raises(ValueError, match="LetterIssued"):
        receivers_of(without)


def test_an_event_that_two_slices_receive_stops_the_start() -> None:
    second = Slice(receives={e.LetterIssued: ignore}, forgets="nothing is kept")
    with pytest.raises(ValueError, match=r"two receivers.*LetterIssued"):
        receivers_of([*KEMENKES.slices, second])


def test_an_event_that_agencies_must_not_get_has_no_receiver() -> None:
    curious = Slice(receives={e.TokensTold: ignore}, forgets="nothing is kept")
    with pytest.raises(ValueError, match="TokensTold"):
        receivers_of([*KEMENKES.slices, curious])


def test_a_problem_code_of_two_slices_stops_the_start() -> None:
    [first, *_] = [one for one in KEMENKES.slices if one.refusals]
    with pytest.raises(ValueError, match="two slices"):
        all_refusals([*KEMENKES.slices, replace(first, routers=())])


def test_a_problem_code_without_a_text_stops_the_start() -> None:
    silent = replace(KEMENKES.slices[0], refusals={})
    with pytest.raises(ValueError, match="without a text"):
        create_app(replace(KEMENKES, slices=(silent, *KEMENKES.slices[1:])))


def test_coordination_receives_every_event_of_the_catalogue() -> None:
    assert set(receive.RECEIVERS) == set(e.CATALOGUE.values())


def test_an_event_that_coordination_does_not_receive_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    without = {event: receiver for event, receiver in receive.RECEIVERS.items() if event is not e.LetterIssued}
    monkeypatch.setattr(receive, "RECEIVERS", without)
    with pytest.raises(ValueError, match="LetterIssued"):
        receive.Inbound(cast(Any, None))


def folders(band: str) -> set[str]:
    return {f"shared.{band}.{path.parent.name}" for path in Path(ROOT / "shared" / band).glob("*/__init__.py")}


def test_every_folder_of_the_agency_half_is_in_its_table_of_contents() -> None:
    listed = {one.__name__ for one in SLICES}
    made_by_form = {"shared.casework.records"}
    assert folders("victims") | folders("casework") | folders("agency") <= listed | made_by_form
    assert "shared.agency.reference" in folders("agency")


def test_every_slice_says_what_it_forgets_or_why_nothing() -> None:
    reasons = [one.forgets for one in KEMENKES.slices if isinstance(one.forgets, str)]
    assert all(len(reason.split()) > 3 for reason in reasons)
    assert len(KEMENKES.forgets) == len(KEMENKES.slices) - len(reasons) > 0
