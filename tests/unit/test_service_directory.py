"""The directory of services says to everyone what each agency declared, and nothing else."""

from pathlib import Path

import pytest

from shared.contracts.codes import Stage
from shared.domain.agency import Agency, Service
from shared.domain.refusal import Refused
from shared.domain.text import Text
from shared.reference.directory import load_directory, write_directory


def lends(code: str, clock: str = "loan") -> Service:
    return Service(code, Text("Peminjaman", "Loan"), Stage.PROTECTION, clock)


def agency(code: str, *services: Service) -> Agency:
    return Agency(code, Text("Perpustakaan", "Library"), "cooperation", {}, services, ())


LIBRARY = agency("library", lends("book"), lends("atlas", "short-loan"))
ARCHIVE = agency("archive", lends("book"))


def test_what_is_declared_can_be_read_back(tmp_path: Path) -> None:
    path = tmp_path / "directory.json"
    path.write_text(write_directory([LIBRARY, ARCHIVE]), encoding="utf-8")
    directory = load_directory(path)
    declared = {(a.code, service.code): service for a in (LIBRARY, ARCHIVE) for service in a.services}
    assert directory.services == declared
    assert directory.service("library", "book").clock == "loan"
    assert directory.stage_of("archive", "book") is Stage.PROTECTION


def test_a_service_nobody_offers_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "directory.json"
    path.write_text(write_directory([ARCHIVE]), encoding="utf-8")
    with pytest.raises(Refused, match="unknown-service") as refusal:
        load_directory(path).stage_of("archive", "atlas")
    assert refusal.value.field == "service"


def test_the_text_does_not_depend_on_the_order_of_declaration() -> None:
    turned = agency("library", *reversed(LIBRARY.services))
    text = write_directory([LIBRARY, ARCHIVE])
    assert text == write_directory([ARCHIVE, turned])
    assert '"clock": "short-loan"' in text


def test_a_declaration_that_contradicts_itself_is_not_published() -> None:
    with pytest.raises(ValueError):
        write_directory([agency("library", lends("book"), lends("book", "short-loan"))])


def test_a_file_that_is_no_directory_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "directory.json"
    path.write_text('{"library": {"services": []}}', encoding="utf-8")
    with pytest.raises(ValueError):
        load_directory(path)
