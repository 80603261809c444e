"""``make run``: whatever ends it leaves no process behind."""

import random
import signal
import time
from itertools import chain, count
from pathlib import Path

import pytest

from deploy.local.stack import NATS_PORT, choose_ports
from services.members import SERVICES
from tests.support.stack import left_of_group, running, six_free_ports, until_free, until_gone

STARTING, IN_THE_JOURNEY, UP = "Estafet dinyalakan", "Mendaftarkan dua korban", "Ctrl-C menghentikan"


@pytest.mark.parametrize("port", [None, NATS_PORT - 2], ids=["any port", "a port just before the broker's usual one"])
def test_nobody_is_given_the_port_of_another(monkeypatch: pytest.MonkeyPatch, port: int | None) -> None:
    first = six_free_ports()
    drawn = chain(range(first, first + 6), count(first))  # chance may draw what it has drawn before
    monkeypatch.setattr(random, "randrange", lambda *_: next(drawn))
    ports = choose_ports(port, [*SERVICES, "issuer"])
    assert len(ports) == len(set(ports)) == 8


ENDS = [
    (STARTING, ["SIGINT"]),
    (STARTING, ["SIGINT", "SIGINT"]),
    (STARTING, ["SIGKILL"]),
    (IN_THE_JOURNEY, ["SIGINT"]),
    (IN_THE_JOURNEY, ["SIGTERM", "SIGINT", "SIGINT"]),
    (UP, ["SIGINT"]),
    (UP, ["SIGTERM"]),
    (UP, ["SIGKILL"]),
]


@pytest.mark.parametrize(("moment", "signals"), ENDS, ids=str)
def test_however_it_is_ended_no_process_is_left(tmp_path: Path, moment: str, signals: list[str]) -> None:
    with running(tmp_path / "run") as run:
        run.until(moment)
        if moment == STARTING:
            time.sleep(0.7)  # some children are there, some are not
        state = run.state()
        assert left_of_group(state["group"])
        for name in signals:
            run.process.send_signal(signal.Signals[name])
            time.sleep(0.05)
        code = run.wait()
        assert until_gone(state["group"], 2 if signals == ["SIGKILL"] else 0) == []
        assert code == (-signal.SIGKILL if signals == ["SIGKILL"] else 0), run.output
    ports = [int(one["url"].rpartition(":")[2]) for one in (*state["services"].values(), state["issuer"])]
    assert until_free(ports, 2 if signals == ["SIGKILL"] else 0) == []
    assert "Traceback" not in run.output


def test_what_it_keeps_is_for_its_user_alone(tmp_path: Path) -> None:
    """Databases, logs and messages too, although they lie on a machine that others use."""
    folder = tmp_path / "run"
    with running(folder, "--no-journey") as run:
        run.until(UP)
        kept = [path for path in folder.rglob("*") if (folder / "secrets" / "public") not in (path, *path.parents)]
        assert {path.suffix for path in kept} >= {".db", ".log", ".pem"}
        others = [str(path.relative_to(folder)) for path in (folder, *kept) if path.stat().st_mode & 0o077]
        run.process.send_signal(signal.SIGINT)
        run.wait()
    assert others == []


def test_a_second_run_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with running(tmp_path / "run", "--no-journey") as first:
        first.until(STARTING)
        with running(tmp_path / "run", "--no-journey") as second:
            assert second.wait() == 1
        assert "sudah berjalan" in second.output
        first.until(UP)
