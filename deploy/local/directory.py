"""Writes ``services/directory.json`` from the declarations of the agencies: ``python -m deploy.local.directory``.

No service may import another, so each reads from this file what the others offer.
"""

import importlib
from pathlib import Path

import services
from services.members import SERVICES
from shared.domain.agency import Agency
from shared.reference.directory import write_directory

DIRECTORY = Path(str(services.__file__)).with_name("directory.json")


def published() -> str:
    """The text of the directory. A member without services and routes, as coordination, is not in it."""
    declared: list[Agency] = [importlib.import_module(module).MEMBER.agency for module in SERVICES.values()]
    return write_directory(agency for agency in declared if agency.services or agency.routes)


if __name__ == "__main__":
    DIRECTORY.write_text(published(), encoding="utf-8")
