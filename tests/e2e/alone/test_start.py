"""``make run``: all is ready soon, the journey is complete, and so at the next start with what lies there."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.credentials.authority import make_certificates
from deploy.credentials.secrets import BROKER, BROKER_ROLES, DATABASE
from services.members import SERVICES
from shared.security.development import lies_in_development
from tests.support.stack import running

READY_SECONDS = 30.0
"""A busy machine has room. ``make run`` prints the measured time: some 6 s on two idle cores."""


def test_a_start_ends_with_the_journey_complete_and_so_does_the_next_one(tmp_path: Path) -> None:
    secrets, last_season = tmp_path / "run" / "secrets", datetime.now(UTC) - timedelta(days=91)
    make_certificates(secrets, [*SERVICES, BROKER, DATABASE], BROKER_ROLES, last_season)
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
