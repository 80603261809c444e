"""``make bench`` and ``make bench-batch``: each load is measured without an error, and nothing is left."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.sources import ROOT

ROW = re.compile(r"(Estafet|dasar/floor) +(10|40|–)((?: +(?:[0-9.]+|–)){5}) +([0-9]+) *$", re.MULTILINE)


def test_a_small_ship_is_taken_in_while_others_go_on(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "deploy.bench.batch", "--people", "24", "--folder", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "120"},
        capture_output=True,
        encoding="utf-8",
        start_new_session=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "24 orang dalam" in run.stdout and run.stdout.count(" p99 ") == 5, run.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_short_run_measures_each_load_on_the_network_and_on_the_floor(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "deploy.bench.run", "--seconds", "1", "--folder", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "80"},
        capture_output=True,
        encoding="utf-8",
        start_new_session=True,  # a signal to the tests is not one to it
    )
    assert run.returncode == 0, run.stdout + run.stderr
    rows = ROW.findall(run.stdout)
    assert [(who, asked) for who, asked, _, _ in rows] == [
        (who, asked) for asked in ("10", "40", "–") for who in ("Estafet", "dasar/floor")
    ], run.stdout
    for who, _, figures, errors in rows:
        rate, *waits = figures.split()
        assert float(rate) > 0 and errors == "0"
        shown = waits if who == "Estafet" else waits[:2]  # nobody receives from the floor
        assert all(float(wait) > 0 for wait in shown), run.stdout
    assert "Traceback" not in run.stdout + run.stderr
    assert list(tmp_path.iterdir()) == []
