"""The published directory: each agency's services, with their stage and clock, and the routes by which it asks others.

No agency's service may import the code of another. So the directory is written from the declarations of the
agencies, and every other service reads it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from shared.contracts.codes import Kind, Stage
from shared.domain.agency import Agency, Route, Service
from shared.domain.refusal import Refused
from shared.domain.text import Text


@dataclass(frozen=True, slots=True)
class Entry:
    """The entry of one agency in the directory."""

    label: Text
    subsatgas: str
    services: tuple[Service, ...]
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True, slots=True)
class Directory:
    """The services that agencies may ask for, by agency and code, and the routes by which agencies ask."""

    services: Mapping[tuple[str, str], Service]
    routes: Mapping[tuple[str, str, str], frozenset[Kind]] = field(default_factory=dict)
    """(asking agency, asked agency, service) → the kinds of referral on this route."""
    labels: Mapping[str, Text] = field(default_factory=dict)
    """Agency → its name."""

    @property
    def agencies(self) -> frozenset[str]:
        """The agencies that have at least one service for victims."""
        return frozenset(agency for agency, _ in self.services)

    def service(self, agency: str, code: str) -> Service:
        """A service of an agency. Raises Refused("unknown-service")."""
        found = self.services.get((agency, code))
        if found is None:
            raise Refused("unknown-service", field="service")
        return found

    def may_not_wait(self, agency: str, code: str) -> bool:
        """Whether a service of an agency is urgent by itself. An unknown service is not."""
        found = self.services.get((agency, code))
        return found is not None and found.urgent

    def has_route(self, sender: str, receiver: str, service: str, kind: Kind) -> bool:
        """Whether an agency has published that it asks another for this service, with this kind of referral."""
        return kind in self.routes.get((sender, receiver, service), frozenset())

    def stage_of(self, agency: str, code: str) -> Stage:
        """The stage of a journey during that service. Raises Refused("unknown-service")."""
        return self.service(agency, code).stage


def write_directory(agencies: Iterable[Agency]) -> str:
    """The directory as JSON. The text does not depend on the order in which agencies and services are declared.

    Raises ValueError if an agency declares two services under one code.
    """
    entries = {agency.code: _entry(agency) for agency in agencies}
    return json.dumps(entries, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def load_directory(path: Path) -> Directory:
    """The directory in a file. Raises OSError, or ValueError if the file holds no directory."""
    entries = TypeAdapter(dict[str, Entry]).validate_json(path.read_bytes())
    services = {(agency, s.code): s for agency, entry in entries.items() for s in entry.services}
    routes = {(agency, r.agency, r.service): r.kinds for agency, entry in entries.items() for r in entry.routes}
    return Directory(services, routes, {agency: entry.label for agency, entry in entries.items()})


def _entry(agency: Agency) -> dict[str, Any]:
    codes = [service.code for service in agency.services]
    if len(codes) > len(set(codes)):
        raise ValueError(f"two services of {agency.code} have the same code")
    services = TypeAdapter(list[Service]).dump_python(sorted(agency.services, key=lambda s: s.code))
    for service in services:
        service["needs"] = sorted(service["needs"])
    routes = [
        {"agency": route.agency, "service": route.service, "kinds": sorted(route.kinds)}
        for route in sorted(agency.routes, key=lambda route: (route.agency, route.service))
    ]
    label = {"id": agency.label.id, "en": agency.label.en}
    return {"label": label, "subsatgas": agency.subsatgas, "services": services, "routes": routes}
