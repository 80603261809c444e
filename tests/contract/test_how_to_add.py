"""The recipes of shared/HOW-TO-ADD.md fit the tree, and the README names the files that they change.

``tests/integration/how_to_add`` does them in a copy, and runs the copy.
"""

import ast
import importlib
import re
import shutil
import sys
from pathlib import Path

from tests.support.recipes import changed, do, recipes, run
from tests.support.sources import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
RECIPES = recipes()


def test_every_change_of_a_recipe_fits_one_place_of_its_file() -> None:
    texts: dict[str, str] = {}
    for steps in RECIPES.values():
        for step in steps:
            if step.kind == "diff":
                before = texts.get(step.path) or (ROOT / step.path).read_text(encoding="utf-8")
                texts[step.path] = changed(before, step)
            elif step.kind == "python":
                assert not (ROOT / step.path).exists()
    assert len(texts) > 10


def test_what_a_new_file_imports_is_there_or_is_made_by_a_recipe() -> None:
    steps = [step for steps in RECIPES.values() for step in steps if step.kind == "python"]
    made = tuple(step.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for step in steps)
    names = {
        (node.module or "", alias.name)
        for step in steps
        for node in ast.walk(ast.parse(step.text))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    missing = {
        (module, name)
        for module, name in names
        if not module.startswith(made) and not hasattr(importlib.import_module(module), name)
    }
    assert len(names) > 20 and missing == set()


def test_a_tree_in_which_every_recipe_is_done_has_no_name_that_is_not_there(tmp_path: Path) -> None:
    touched = set()
    for steps in RECIPES.values():
        for step in steps:
            if step.kind == "diff" and step.path not in touched:
                (tmp_path / step.path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / step.path, tmp_path / step.path)
            if step.kind != "bash":
                do(step, tmp_path)
                touched.add(step.path)
    code = [path for path in touched if path.endswith(".py")]
    assert len(code) > 10
    run(tmp_path, sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F", *code)


def test_the_readme_lists_every_recipe_with_the_files_that_it_changes() -> None:
    [table] = re.findall(r"^## How to add\n(.*?)(?=^## )", README, re.MULTILINE | re.DOTALL)
    rows = {
        title: re.findall(r"`([\w./-]+)`", files) for title, files in re.findall(r"^\| (\w+) \| (.+) \|", table, re.M)
    }
    assert {title.split()[-1] for title in RECIPES} == rows.keys()
    for title, steps in RECIPES.items():
        named = tuple(rows[title.split()[-1]])
        touched = {step.path for step in steps if step.path and not step.path.startswith("tests/")}
        assert {path for path in touched if not path.startswith(named)} == set(), title
