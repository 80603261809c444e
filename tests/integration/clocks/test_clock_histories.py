"""In any history, with restarts in between, every clock tells once and at its moment."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.kemensos.main import MEMBER as KEMENSOS
from shared.casework.cases import registration as cases
from shared.casework.clocks import due as due_clocks
from shared.casework.clocks import running as clocks
from shared.casework.referrals import execution, requesting
from shared.contracts.codes import AgeClass, Exploitation, LegalBasis, Outcome, RejectReason, Sex
from shared.domain.access import Caller, Role, Sight
from shared.domain.cases import OpenCase, RegisterVictim
from shared.domain.commands import Command
from shared.domain.referral_commands import Accept, Complete, Receiver, Reject, Request, Start
from shared.domain.refusal import Refused
from shared.reference.acting import Acting
from shared.reference.clock_table import load_clocks
from shared.reference.directory import load_directory
from shared.reference.notices import load_notices
from shared.reference.office import Office
from shared.reference.units import load_units
from shared.security.key_directory import DirectoryFile, load_root
from shared.service.settings import Settings
from shared.service.vaults import open_vault
from shared.storage.migrate import migrate
from shared.storage.unit_of_work import Author, Database, Transaction
from tests.support.clocks import ASKING, DAY, HOUR, RECEIVING, _told, at
from tests.support.tokens import trusting


@dataclass
class Desk:
    """The social affairs offices at one moment after another: the real rules and rows, and a clock that is moved."""

    office: Office
    file: Path
    now: datetime
    up: bool = True

    def __post_init__(self) -> None:
        self.database = self._open()

    def _open(self) -> Database:
        return Database(f"sqlite:///{self.file}", Author(self.office.code, self.office.vault), lambda: self.now)

    def stop(self) -> None:
        self.database.close()
        self.up = False

    def start(self) -> None:
        """Start, and look at nothing yet."""
        self.database, self.up = self._open(), True
        self.database.write(lambda tx: clocks.adopt(tx, self.office))

    def let_pass(self, by: timedelta) -> None:
        """Time goes on; as long as the service is up it looks at each moment that it has set itself."""
        until = self.now + by
        while self.up and (due := self.database.read(due_clocks.next_due)) is not None and due <= until:
            self.now = max(self.now, due)
            self.tell()
        self.now = until

    def tell(self) -> None:
        while self.database.write(lambda tx: due_clocks.tell_due(tx, self.office)):
            pass


@pytest.fixture(scope="module")
def social_affairs(secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Office, Path]]:
    """Their office, and a migrated empty database to begin from."""
    empty = tmp_path_factory.mktemp("clocks") / "empty.db"
    own = Settings(database_url=f"sqlite:///{empty}", **trusting("kemensos", secrets))
    database = Database(own.database(), None, lambda: datetime.now(UTC))  # type: ignore[arg-type]
    migrate(database.engine, KEMENSOS.lineages)
    database.close()
    keys = DirectoryFile(own.key_directory_file, load_root(own.key_directory_root_file))
    office = Office(
        KEMENSOS.agency,
        load_units(own.units_file),
        load_directory(own.directory_file),
        load_notices(own.notices_file),
        load_clocks(own.clocks_files()),
        open_vault(own, "kemensos", keys.current, lambda: datetime.now(UTC)),
        keys,
    )
    yield office, empty


SPANS = st.integers(1, 12 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))
WORDS = ["accept", "start", "complete", "reject"]
HAPPENINGS = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), SPANS),
        st.tuples(st.just("request"), st.integers(0, 300)),
        st.tuples(st.just("act"), st.sampled_from(WORDS), st.integers(0, 9)),
        st.tuples(st.just("restart")),
        st.tuples(st.just("down"), SPANS),
        st.tuples(st.just("mail"), SPANS, st.integers(0, 100), st.sampled_from(WORDS), st.integers(0, 9)),
    ),
    min_size=3,
    max_size=14,
)
CALLER, ALL = Caller("app-kemensos", Role.OFFICER, ASKING), Sight("kemensos", None, None)
WHY = "Rekaan: dicatat kemudian."
ACTS: dict[str, Callable[[datetime | None], Command]] = {
    "accept": lambda at: Accept(occurred_at=at, note=WHY),
    "start": lambda at: Start(occurred_at=at, note=WHY),
    "complete": lambda at: Complete(outcome=Outcome.SERVICE_PROVIDED, occurred_at=at, note=WHY),
    "reject": lambda at: Reject(reason=RejectReason.NO_CAPACITY, occurred_at=at, note=WHY),
}


class Telling(NamedTuple):
    """An event of a clock: its subject, unit, step and level, its moment, and the moment of telling."""

    about: str
    unit: str
    step: str
    level: str
    moment: datetime
    told: datetime


@dataclass
class Asked:
    """A hand-over between two offices, and what their clocks must tell of it until it is stopped."""

    id: str
    to_tell: list[tuple[str, str, datetime]]
    told: list[Telling] = field(default_factory=list)

    def pass_by(self, until: datetime) -> None:
        """Each moment up to then is told at that moment."""
        self._tell([(step, level, moment, moment) for step, level, moment in self.to_tell if moment <= until])

    def tell_late(self, now: datetime) -> None:
        """Tell now the steps that are past by now."""
        self._tell([(step, level, moment, now) for step, level, moment in self.to_tell if moment <= now])

    def stop(self, then: datetime, now: datetime) -> None:
        """The clock stopped at ``then``, as we learn now: only earlier steps are told."""
        self._tell([(step, level, moment, now) for step, level, moment in self.to_tell if moment < then])
        self.to_tell = []

    def _tell(self, due: list[tuple[str, str, datetime, datetime]]) -> None:
        self.to_tell = self.to_tell[len(due) :]
        self.told += [Telling(self.id, unit, *said) for said in due for unit in (ASKING, RECEIVING)]

    def act(self, desk: Desk, word: str, then: datetime | None = None) -> None:
        """Do something, if the rules let it be done: the clocks stop when the work begins or is refused."""
        try:
            desk.database.write(lambda tx: execution.execute_for(_at(desk, tx), self.id, ACTS[word](then), None))
        except Refused:
            return
        if word != "accept":
            self.stop(desk.now, desk.now)  # the recorded moment counts, whatever was told


def _request(desk: Desk, ago: timedelta) -> Asked:
    """A shelter is asked for on paper, ``ago`` before now, in the next time zone. The limit is seven whole days
    there, from the recording."""
    victim = desk.database.write(lambda tx: _register(tx, desk, desk.now - ago))
    start = desk.now
    command = Request(
        victim_id=victim,
        service="shelter-and-rehabilitation",
        receiver=Receiver(agency="kemensos", unit=RECEIVING),
        basis=LegalBasis.PUBLIC_TASK,
        occurred_at=desk.now - ago,
        note=WHY,
    )
    row = desk.database.write(lambda tx: requesting.request(_at(desk, tx), command))
    there = timezone(9 * HOUR)
    day = start.astimezone(there).date()
    due = datetime(day.year, day.month, day.day, tzinfo=there) + 8 * DAY
    half = start + (due - start) / 2
    asked = Asked(
        row.id,
        [
            ("warned", "", max(due - 2 * DAY, half)),
            ("breached", "", due),
            ("escalated", "province", due + DAY),
            ("escalated", "national", due + 3 * DAY),
        ],
    )
    asked.tell_late(desk.now)
    return asked


def _at(desk: Desk, tx: Transaction) -> Acting:
    return Acting(tx, desk.office, CALLER, ALL)


def _register(tx: Transaction, desk: Desk, then: datetime) -> str:
    opened = OpenCase(unit=ASKING, channel="social-office", exploitation=Exploitation.FORCED_LABOUR)
    case = cases.open_case(_at(desk, tx), opened)
    tx.session.flush()
    person = RegisterVictim(age_class=AgeClass.ADULT, sex=Sex.FEMALE, occurred_at=then, note=WHY)
    return cases.register_victim(_at(desk, tx), case.id, person).id


def play(desk: Desk, happenings: list[tuple[Any, ...]]) -> list[Telling]:
    """Let it all happen. Answers what must have been told, by the law and a calendar."""
    asked: list[Asked] = []
    for word, *more in happenings:
        match word:
            case "pass":
                for one in asked:
                    one.pass_by(desk.now + more[0])
                desk.let_pass(more[0])
            case "request":
                asked.append(_request(desk, timedelta(hours=more[0])))
                desk.tell()
            case "act" if asked:
                asked[more[1] % len(asked)].act(desk, more[0])
            case "restart":
                desk.stop()
                desk.start()
                desk.tell()
            case "down" | "mail":
                desk.stop()
                before, desk.now = desk.now, desk.now + more[0]
                desk.start()
                if word == "mail" and asked:  # it came while we were down, and is read before anything is told
                    percent, act, which = more[1:]
                    asked[which % len(asked)].act(desk, act, before + more[0] * percent / 100)
                desk.tell()
                for one in asked:
                    one.tell_late(desk.now)
    return [telling for one in asked for telling in one.told]


@given(HAPPENINGS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_in_any_history_every_clock_tells_exactly_once_and_at_its_moment(
    social_affairs: tuple[Office, Path], tmp_path: Path, happenings: list[tuple[Any, ...]]
) -> None:
    office, empty = social_affairs
    file = tmp_path / "kemensos.db"
    for old in tmp_path.glob("kemensos.db*"):
        old.unlink()
    shutil.copy(empty, file)
    desk = Desk(office, file, datetime(2026, 11, 26, 2, 0, tzinfo=UTC))
    expected = play(desk, happenings)
    told = desk.database.read(_told)
    desk.stop()
    found = [
        Telling(
            event["about"],
            event["unit"]["unit"],
            event["step"],
            event.get("level", ""),
            *map(at, (event["occurred_at"], event["time"])),
        )
        for event in told
        if event["step"] != "stopped"
    ]
    assert sorted(found) == sorted(expected)
