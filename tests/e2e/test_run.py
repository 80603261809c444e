"""``make run``: the journey is complete, all is ready soon, and whatever ends it leaves no process behind."""

import random
import re
import signal
import time
from datetime import UTC, datetime, timedelta
from itertools import chain, count
from pathlib import Path

import pytest

from deploy.credentials.authority import make_certificates
from deploy.credentials.secrets import AGENCIES, BROKER, DATABASE, MEMBERS
from deploy.local.stack import NATS_PORT, choose_ports
from shared.security.development import lies_in_development
from tests.support.stack import left_of_group, running, six_free_ports, until_free, until_gone

READY_SECONDS = 10.0
STARTING, IN_THE_JOURNEY, UP = "Estafet dinyalakan", "Mendaftarkan dua korban", "Ctrl-C menghentikan"


def test_a_start_ends_with_the_journey_complete_and_so_does_the_next_one(tmp_path: Path) -> None:
    secrets, last_season = tmp_path / "run" / "secrets", datetime.now(UTC) - timedelta(days=91)
    make_certificates(secrets, [*AGENCIES, BROKER, DATABASE], MEMBERS, last_season)
    for _ in range(2):
        with running(tmp_path / "run", "--exit-after-journey") as run:
            assert run.wait() == 0, run.output
        ready = re.search(r"siap dalam ([0-9.]+) s", run.output)
        assert ready is not None, run.output
        assert float(ready[1]) <= READY_SECONDS
        assert "Perjalanan selesai" in run.output
        assert len(re.findall(r"/journeys/[0-9a-f-]{36}", run.output)) == 2
        assert run.output.count("/docs") == 5
    assert lies_in_development(secrets / "police" / "keys" / "police-1.pem")


@pytest.mark.parametrize("port", [None, NATS_PORT - 2], ids=["any port", "a port just before the broker's usual one"])
def test_nobody_is_given_the_port_of_another(monkeypatch: pytest.MonkeyPatch, port: int | None) -> None:
    first = six_free_ports()
    drawn = chain(range(first, first + 6), count(first))  # chance may draw what it has drawn before
    monkeypatch.setattr(random, "randrange", lambda *_: next(drawn))
    ports = choose_ports(port, [*AGENCIES, "issuer"])
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


def test_a_second_run_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with running(tmp_path / "run", "--no-journey") as first:
        first.until(STARTING)
        with running(tmp_path / "run", "--no-journey") as second:
            assert second.wait() == 1
        assert "sudah berjalan" in second.output
        first.until(UP)
