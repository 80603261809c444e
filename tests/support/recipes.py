"""The recipes of shared/HOW-TO-ADD.md: read from its blocks, and done in a copy of the tree."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.sources import ROOT

PAGE = ROOT / "shared" / "HOW-TO-ADD.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECTION = re.compile(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
NOT_COPIED = ("findings", ".git", ".venv", ".run", "__pycache__", ".hypothesis", ".*_cache", "secrets")


@dataclass(frozen=True, slots=True)
class Step:
    """One block: lines to change in a file (``diff``), a new file (``python``), or a command (``bash``)."""

    kind: str
    path: str
    """The file that it changes or makes; empty for a command."""
    text: str


def recipes() -> Mapping[str, tuple[Step, ...]]:
    """Title → steps, in the order of the page."""
    page = PAGE.read_text(encoding="utf-8")
    return {title: tuple(_steps(text)) for title, text in SECTION.findall(page)}


def _steps(section: str) -> Iterator[Step]:
    for kind, text in BLOCK.findall(section):
        head, _, rest = text.partition("\n")
        match kind:
            case "bash":
                yield Step(kind, "", text)
            case "diff":
                yield Step(kind, head.removeprefix("--- "), rest)
            case "python":
                yield Step(kind, head.removeprefix("# "), rest)
            case _:
                raise ValueError(f"no such block: {kind}")


def copy_tree(to: Path) -> None:
    """Copy the tree, without history, environment, caches and secrets."""
    shutil.copytree(ROOT, to, ignore=shutil.ignore_patterns(*NOT_COPIED), dirs_exist_ok=True)


def do(step: Step, tree: Path) -> None:
    """Do a step in a copy of the tree. Raises ValueError where the page is no longer true of the tree."""
    match step.kind:
        case "diff":
            file = tree / step.path
            file.write_text(changed(file.read_text(encoding="utf-8"), step), encoding="utf-8")
        case "python":
            file = tree / step.path
            if file.exists():
                raise ValueError(f"{step.path} is there already")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(step.text, encoding="utf-8")
        case "bash":
            run(tree, "bash", "-euc", f'python() {{ "{sys.executable}" "$@"; }}\n{step.text}')


def changed(text: str, step: Step) -> str:
    """The text of a file after a ``diff`` block: each hunk must fit exactly one place."""
    for hunk in step.text.split("@@\n"):
        lines = hunk.splitlines(keepends=True)
        old = "".join(line[1:] or line for line in lines if not line.startswith("+"))
        new = "".join(line[1:] or line for line in lines if not line.startswith("-"))
        if f"\n{text}".count(f"\n{old}") != 1:
            raise ValueError(f"{step.path}: these lines must stand there once:\n{old}")
        text = f"\n{text}".replace(f"\n{old}", f"\n{new}").removeprefix("\n")
    return text


def run(tree: Path, *command: str) -> str:
    """Run a command in the tree and answer what it printed. Fails with all of that where the command fails."""
    done = subprocess.run(command, cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}"
    return done.stdout
