"""The desk for a region: real regions, the network's own table of units, and two tables for the test."""

import re
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

import shared
from shared.contracts.codes import Level
from shared.contracts.types import UnitRef
from shared.domain.refusal import Refused
from shared.domain.routing import Units
from shared.reference.units import REGIONS, load_units
from tests.support.sources import ROOT

TODAY = date(2026, 11, 23)
AGENCIES = ("police", "kemenpppa", "kemensos", "kemenkes", "coordination")
HEADER = "agency,level,area,id,name,name_en,valid_from,valid_to,source\n"


@pytest.fixture(scope="module")
def network() -> Units:
    return load_units(ROOT / "services" / "units.csv")


def with_rows(folder: Path, *rows: str) -> Units:
    """The network's own table with more rows, or with none of its own when ``rows`` begin with a header."""
    table = folder / "units.csv"
    own = "" if rows[0] == HEADER else (ROOT / "services" / "units.csv").read_text(encoding="utf-8")
    table.write_text(own + "".join(rows), encoding="utf-8")
    return load_units(table)


def test_the_code_under_test_is_this_checkout() -> None:
    assert Path(str(shared.__file__)).parent == ROOT / "shared"


def test_a_police_case_of_kolaka_goes_to_its_polres(network: Units) -> None:
    desk = network.desk_for("police", "74.01", TODAY)
    assert desk.as_ref() == UnitRef(agency="police", unit="polres-74.01", region="74.01")
    assert (desk.name.id, desk.level, desk.parent) == ("Polres Kolaka", Level.REGENCY, "polda-sultra")


def test_bekasi_lies_in_jawa_barat_but_under_polda_metro_jaya(network: Units) -> None:
    assert [unit.id for unit in network.chain("police", "32.75")] == [
        "polres-32.75",
        "polda-metrojaya",
        "bareskrim",
    ]
    assert network.desk_for("police", "32", TODAY).id == "polda-jabar"
    assert network.desk_for("kemensos", "32.75", TODAY).parent == "dinsos-32"


def test_kota_and_kabupaten_of_one_name_are_told_apart(network: Units) -> None:
    assert network.desk_for("police", "32.75", TODAY).name.id == "Polres Kota Bekasi"
    assert network.desk_for("police", "32.16", TODAY).name.id == "Polres Bekasi"


def test_an_agency_without_regency_desks_answers_at_the_province(network: Units) -> None:
    assert network.desk_for("coordination", "74.01", TODAY).id == "gugus-tugas-74"


def test_abroad_and_a_province_without_a_polda_of_its_own_go_to_the_nation(network: Units) -> None:
    for region in ("00.MY", "00.ID", "93"):
        assert network.desk_for("police", region, TODAY).id == "bareskrim"
    assert network.desk_for("police", "93.01", date(2026, 1, 1)).parent == "polda-papua"


def test_when_a_desk_closes_the_one_above_takes_over(tmp_path: Path) -> None:
    polres = "police,regency,regency:74.01,polres-{code},Polres {name},{name},2025-01-01,2026-06-30,test\n"
    polda = "police,province,polda:sultra,polda-{code},{name},{name},2025-01-01,2026-09-30,test\n"
    network = with_rows(tmp_path, polres, polda)
    desks = [network.desk_for("police", "74.01", day).id for day in (date(2026, 6, 30), date(2026, 7, 1), TODAY)]
    assert desks == ["polres-74.01", "polda-sultra", "bareskrim"]
    assert network.desk_for("police", "74.02", TODAY).id == "polres-74.02"
    with pytest.raises(Refused, match="unknown-unit") as refusal:
        network.get("police", "polres-74.01", TODAY)
    assert refusal.value.field == "unit"


def test_a_desk_may_change_its_name_or_its_id_on_a_day(tmp_path: Path) -> None:
    rows = (
        "kemenkes,regency,regency:74.01,rs-{code},RSUD {name},{name},2025-01-01,2025-12-31,test\n",
        "kemenkes,regency,regency:74.01,rs-{code},RSUD Benyamin Guluh,{name},2026-01-01,2026-06-30,test\n",
        "kemenkes,regency,regency:74.01,rs-baru-{code},RS baru {name},{name},2026-07-01,,test\n",
    )
    network = with_rows(tmp_path, *rows)
    days = date(2025, 12, 31), date(2026, 1, 1), TODAY
    names = [network.desk_for("kemenkes", "74.01", day).name.id for day in days]
    assert names == ["RSUD Kolaka", "RSUD Benyamin Guluh", "RS baru Kolaka"]


def test_what_does_not_exist_is_refused(network: Units, tmp_path: Path) -> None:
    for region in ("74.99", "99", "00.my", ""):
        with pytest.raises(Refused, match="unknown-region") as refusal:
            network.desk_for("police", region, TODAY)
        assert refusal.value.field == "region"
    with pytest.raises(Refused, match="unknown-agency"):
        network.desk_for("nobody", "74.01", TODAY)
    with pytest.raises(Refused, match="unknown-unit"):  # before the list begins nobody is open
        network.desk_for("police", "74.01", date(2024, 1, 1))


def test_every_region_reaches_a_desk_of_every_agency(network: Units) -> None:
    levels = Counter(len(code) for code in network.regions)
    assert (levels[2], levels[5]) == (38, 514 + 1)  # the nation's code is as long as a regency's
    for agency in AGENCIES:
        for region in network.regions:
            desk = network.desk_for(agency, region, TODAY)
            assert desk.region in (region, region[:2], "00.ID") or desk.id.startswith("polda-")


def test_the_network_has_the_units_the_regions_call_for(network: Units) -> None:
    found = Counter((unit.agency, unit.level.value) for unit in network.find(day=TODAY))
    offices = {("police", "province"): 36, ("coordination", "regency"): 0}
    for agency in AGENCIES:
        for level, count in (("regency", 514), ("province", 38), ("national", 1)):
            assert found[agency, level] == offices.get((agency, level), count)
    assert len(network.units) == found.total()  # and no id twice


def test_every_unit_can_travel_and_stands_under_one_that_exists(network: Units) -> None:
    for unit in network.find(day=TODAY):
        assert UnitRef.model_validate(unit.as_ref().model_dump()) == unit.as_ref()
        assert network.is_region(unit.region)
        assert (unit.parent is None) == (unit.level is Level.NATIONAL)
        if unit.parent is not None:
            assert network.get(unit.agency, unit.parent, TODAY).level is not Level.REGENCY
        assert not re.search("[{}]", unit.name.id + unit.name.en)


def test_a_listing_is_ordered_and_narrows(network: Units) -> None:
    everything = network.find(day=TODAY)
    assert everything == sorted(everything, key=lambda unit: (unit.agency, unit.region, unit.id))
    assert [unit.id for unit in network.find("kemensos", "74", day=TODAY)] == ["dinsos-74"]
    assert {unit.agency for unit in network.find(level=Level.NATIONAL, day=TODAY)} == set(AGENCIES)
    first = {unit.id for unit in network.find("police", day=date(2024, 12, 31))}
    assert first == {"polda-papuatengah", "polda-papuabaratdaya"}


def test_regions_have_names(network: Units) -> None:
    names = [network.region_name(code) for code in ("74.01", "74", "00.ID", "00.MY")]
    assert names == ["Kabupaten Kolaka", "Sulawesi Tenggara", "Indonesia", "Luar negeri (MY)"]
    with pytest.raises(Refused, match="unknown-region"):
        network.region_name("74.99")


def test_the_licence_stands_beside_the_data() -> None:
    note = (REGIONS / "NOTE.md").read_text(encoding="utf-8")
    assert "MIT License, Copyright (c) 2017-2025 Cahya DSN" in note


def test_libraries_lend_with_the_same_engine(tmp_path: Path) -> None:
    network = with_rows(
        tmp_path,
        HEADER,
        "library,regency,regency:74.01,branch-{code},Perpustakaan {name},{name} Library,2020-01-01,,test\n",
        "library,province,province:74,main-{code},Perpustakaan {name},{name} Library,2020-01-01,,test\n",
    )
    assert network.desk_for("library", "74.01", TODAY).id == "branch-74.01"
    assert network.desk_for("library", "74.02", TODAY).id == "main-74"
    with pytest.raises(Refused, match="unknown-unit"):
        network.desk_for("library", "11.01", TODAY)


@pytest.mark.parametrize(
    ("area", "unit_id", "level"),
    [
        ("village", "b-{code}", "regency"),
        ("regency", "b", "regency"),
        ("regency", "B-{code}", "regency"),
        ("nation", "b", "planet"),
        ("regency:99.99", "b-{code}", "regency"),
    ],
)
def test_a_table_that_makes_no_sense_is_not_loaded(tmp_path: Path, area: str, unit_id: str, level: str) -> None:
    with pytest.raises((ValueError, OSError)):
        with_rows(tmp_path, HEADER, f"library,{level},{area},{unit_id},B,B,2020-01-01,,test\n")
