"""The published directory of services: what each agency does, where a journey then stands, and by which clock.

It is written from the agencies' declarations and read by everyone else, so that no service reads another's code.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from shared.contracts.codes import Stage
from shared.domain.agency import Agency, Service
from shared.domain.refusal import Refused
from shared.domain.text import Text


@dataclass(frozen=True, slots=True)
class Entry:
    """What the directory says of one agency."""

    label: Text
    subsatgas: str
    services: tuple[Service, ...]


@dataclass(frozen=True, slots=True)
class Directory:
    """The services that can be asked for, by agency and code."""

    services: Mapping[tuple[str, str], Service]
    labels: Mapping[str, Text] = field(default_factory=dict)
    """Agency → what it is called."""

    @property
    def agencies(self) -> frozenset[str]:
        """The agencies that do something for victims."""
        return frozenset(agency for agency, _ in self.services)

    def service(self, agency: str, code: str) -> Service:
        """A service of an agency. Raises Refused("unknown-service")."""
        found = self.services.get((agency, code))
        if found is None:
            raise Refused("unknown-service", field="service")
        return found

    def stage_of(self, agency: str, code: str) -> Stage:
        """Where a journey stands while that service is done. Raises Refused("unknown-service")."""
        return self.service(agency, code).stage


def write_directory(agencies: Iterable[Agency]) -> str:
    """The directory as JSON, the same text in whatever order agencies and services are declared.

    Raises ValueError if an agency declares two services under one code.
    """
    entries = {agency.code: _entry(agency) for agency in agencies}
    return json.dumps(entries, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def load_directory(path: Path) -> Directory:
    """The directory in a file. Raises OSError, or ValueError if it is not one."""
    entries = TypeAdapter(dict[str, Entry]).validate_json(path.read_bytes())
    services = {(agency, s.code): s for agency, entry in entries.items() for s in entry.services}
    return Directory(services, {agency: entry.label for agency, entry in entries.items()})


def _entry(agency: Agency) -> dict[str, Any]:
    codes = [service.code for service in agency.services]
    if len(codes) > len(set(codes)):
        raise ValueError(f"two services of {agency.code} have one code")
    services = TypeAdapter(list[Service]).dump_python(sorted(agency.services, key=lambda s: s.code))
    for service in services:
        service["needs"] = sorted(service["needs"])
    label = {"id": agency.label.id, "en": agency.label.en}
    return {"label": label, "subsatgas": agency.subsatgas, "services": services}
