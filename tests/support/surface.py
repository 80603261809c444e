"""The public surface of a revision, and a comparison of two revisions.

    python tests/support/surface.py                    the surface of this checkout, as JSON
    python tests/support/surface.py compare OLD [NEW]  what differs between two revisions; ends with 1 if anything does

The surface: OpenAPI of the five services, golden JSON Schemas, every table on SQLite and PostgreSQL, ``/v1/problems``.
The surface is found by names of services and classes, so the comparison can check a move of modules.
"""

import difflib
import importlib
import inspect
import json
import pkgutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

SERVICES = ("police", "kemenpppa", "kemensos", "kemenkes", "coordination")


def surface(root: Path) -> dict[str, str]:
    """Name of a thing → its text, of the checkout at ``root``."""
    sys.path.insert(0, str(root))
    modules = _modules(root)
    found = {f"golden {path.name}": path.read_text() for path in sorted(root.glob("shared/contracts/golden/*.json"))}
    for code in SERVICES:
        main = importlib.import_module(f"services.{code}.main")
        _open_office(main, modules)
        found[f"openapi {code}"] = _written(main.app.openapi())
        found[f"problems {code}"] = _problems(modules, main.app)
    found |= _tables()
    return found


def _modules(root: Path) -> list[ModuleType]:
    """Every module of ``shared`` and ``services``, so that every table is known."""
    names = []
    for package in ("shared", "services"):
        names += [found.name for found in pkgutil.walk_packages([str(root / package)], f"{package}.")]
    return [importlib.import_module(name) for name in names if ".migrations" not in name]


def _open_office(main: ModuleType, modules: list[ModuleType]) -> None:
    """Give an app that is not started what its examples need: units, notices and its declaration."""
    loaders = {name: value for module in modules for name, value in vars(module).items() if name.startswith("load_")}
    services = Path(str(main.__file__)).parents[1]
    units, notices = loaders["load_units"](services / "units.csv"), loaders["load_notices"](services / "notices.json")
    agency = main.MEMBER.agency
    office = SimpleNamespace(agency=agency, code=agency.code, units=units, notices=notices)
    main.app.state.office = office
    main.app.state.running = SimpleNamespace(office=office)


def _tables() -> dict[str, str]:
    from sqlalchemy.dialects import postgresql, sqlite
    from sqlalchemy.schema import CreateIndex, CreateTable
    from sqlmodel import SQLModel

    def below(kind: Any) -> list[Any]:
        return [one for child in kind.__subclasses__() for one in (child, *below(child))]

    dialects: Any = (sqlite.dialect(), postgresql.dialect())  # type: ignore[no-untyped-call]
    found = {}
    for metadata in {kind.metadata for kind in below(SQLModel) if hasattr(kind, "__table__")}:
        for table in metadata.tables.values():
            made: list[Any] = [
                CreateTable(table),
                *map(CreateIndex, sorted(table.indexes, key=lambda one: str(one.name))),
            ]
            texts = [str(one.compile(dialect=dialect)).strip() for dialect in dialects for one in made]
            found[f"table {table.name}"] = "\n".join(texts) + "\n"
    return found


def _problems(modules: list[ModuleType], app: Any) -> str:
    """``/v1/problems`` of a member, ordered by code."""
    list_problems = next(module.list_problems for module in modules if hasattr(module, "list_problems"))
    request = SimpleNamespace(app=app, scope={"app": app})
    listed = list_problems(request) if inspect.signature(list_problems).parameters else list_problems()
    return "".join(f"{item.model_dump_json()}\n" for item in sorted(listed.items, key=lambda item: item.type))


def _written(schema: Any) -> str:
    """JSON with its members in one order: their order says nothing."""
    return json.dumps(schema, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def surface_of(revision: str) -> dict[str, str]:
    """The surface of a revision, in a worktree that is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", str(tree), revision], check=True)
        try:
            ran = subprocess.run([sys.executable, str(Path(__file__).resolve())], cwd=tree, capture_output=True)
            if ran.returncode:
                raise SystemExit(f"{revision}: {ran.stderr.decode()}")
            return dict(json.loads(ran.stdout))
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(tree)], check=True)


def compare(old: str, new: str) -> int:
    """Print what differs between two revisions; 1 if anything does."""
    before, after = surface_of(old), surface_of(new)
    differing = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    for name in differing:
        lines = (before.get(name, "").splitlines(), after.get(name, "").splitlines())
        print(*difflib.unified_diff(*lines, f"{name} at {old}", f"{name} at {new}", lineterm="", n=1), sep="\n")
    print(f"{len(after)} things compared, {len(differing)} differ: {', '.join(differing) or 'none'}")
    return int(bool(differing))


if __name__ == "__main__":
    if sys.argv[1:2] == ["compare"]:
        sys.exit(compare(sys.argv[2], (sys.argv[3:] or ["HEAD"])[0]))
    print(json.dumps(surface(Path.cwd()), indent=1, ensure_ascii=False))
