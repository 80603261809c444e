"""What real readers know of a sender: every event of the catalogue, said in every situation (DESIGN 5.9).

Honest work brings each situation about. Then the readers' own objections are asked, on their own databases.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.embedded_nats import EmbeddedNats
from services.coordination import parts as coordination_parts
from shared.agency import parts as agency_parts
from shared.contracts import events as e
from shared.domain.trust import OF_REFERRAL, RULES, Part, Rule, To
from shared.storage.unit_of_work import Transaction
from tests.support.databases import Databases, PostgresDatabases, SqliteDatabases
from tests.support.hostile import DESKS
from tests.support.network import Network
from tests.support.sayings import said_by
from tests.support.situations import Told, all_told
from tests.support.trust import told

LETTERS: Mapping[str, Part] = {
    "H": Part.HOLDER,
    "F": Part.FORMER_HOLDER,
    "T": Part.TAKEN_ON,
    "A": Part.ASKED,
    "R": Part.REFUSED,
    "Q": Part.REQUESTER,
    "W": Part.TURNED_AWAY,
    "O": Part.OPENER,
    "I": Part.FIRST,
    "s": Part.SENDER,
    "r": Part.RECEIVER,
    "w": Part.AT_WORK,
}
"""Q asked the reader, W asked it in vain. O and I opened the case, or for I nobody did. Small: in the referral."""
UNHEARD = "?"
"""The reader knows no such referral."""

ASKED = {"kemenkes@police": "Ar", "kemenkes@coordination": "Ar", "police@kemenkes": "Qs"}
TAKEN_ON = {"kemenkes@police": "Trw", "kemenkes@coordination": "Trw", "police@kemenkes": "Qs"}
TURNED_AWAY = {"kemenkes@police": "Rr", "kemenkes@coordination": "Rr", "police@kemenkes": "Ws"}
NOT_TRANSFERRED = {
    "kemenpppa@police": "Rr",
    "police@kemenpppa": "Ws",
    "kemenpppa@coordination": "Rr",
    "police@coordination": "HFOIs",
}
STRANGERS = {"kemensos@police": "", "kemenpppa@kemenkes": "", "kemensos@coordination": ""}
EXPECTED: Mapping[str, Mapping[str, str]] = {
    # story: {who says it @ who reads it: the parts that the reader sees}
    "requested": {
        "kemenkes@police": "Ar",
        "kemenkes@coordination": "Ar",
        "police@coordination": "HFOIs",
        "coordination@coordination": "",
    },
    "received": {**ASKED, **STRANGERS, "coordination@police": "", "coordination@kemenkes": ""},
    "accepted": {**TAKEN_ON, **STRANGERS},
    "in-progress": TAKEN_ON,
    "on-hold": TAKEN_ON,
    "completed": {**TAKEN_ON, **STRANGERS},
    "failed": TAKEN_ON,
    "rejected": {**TURNED_AWAY, **STRANGERS},
    "cancelled": TURNED_AWAY,
    "refused once, taken on once": {
        "kemenkes@police": "TRr",
        "kemenkes@coordination": "TRr",
        "police@kemenkes": "QWs",
    },
    "transfer offered": {
        "kemenpppa@police": "Ar",
        "police@kemenpppa": "Qs",
        "kemenpppa@coordination": "Ar",
        "police@coordination": "HFOIs",
    },
    "transfer refused": NOT_TRANSFERRED,
    "transfer taken back": NOT_TRANSFERRED,
    "transferred": {
        "kemenpppa@police": "HFTrw",
        "police@kemenpppa": "FQs",
        "kemenpppa@coordination": "HFTrw",
        "police@coordination": "FOIs",
        "kemenkes@kemenpppa": "",
        "kemenkes@coordination": "",
    },
    "transferred twice": {
        "kemenpppa@police": "HFT" + UNHEARD,  # the police have not heard of the second transfer
        "police@kemenpppa": "FQ",
        "kemensos@kemenpppa": "HFTrw",
        "kemenpppa@kemensos": "FQs",
        "police@kemensos": "",
        "police@coordination": "FOI",
        "kemenpppa@coordination": "FTs",
        "kemensos@coordination": "HFTrw",
    },
    "transferred back": {
        "kemenpppa@kemensos": "FTQs",
        "kemensos@kemenpppa": "HFTQrw",
        "kemensos@coordination": "HFTrw",
        "kemensos@police": "HFT" + UNHEARD,
    },
    "case of another": {
        "kemenpppa@coordination": "OI",
        "police@coordination": "HFs",
        "kemensos@coordination": "",
    },
    "unheard": {
        "kemensos@coordination": "I" + UNHEARD,
        "kemensos@police": UNHEARD,
        "police@kemenkes": UNHEARD,
        "coordination@kemenkes": UNHEARD,
    },
}

RECORD: type[e.EventData] = e.RecordFiled
"""It may name a victim, a case and a referral, or a case alone."""
Wrong = tuple[str, str, str, str | None]
"""A story, a sender and reader, an event or a part, and the reason that the reader gave."""


@dataclass(frozen=True)
class Situations:
    """Every story, brought about on one kind of database."""

    network: Network
    told: Mapping[str, Told]

    def each(self) -> Iterator[tuple[str, str, Told, str]]:
        """Every story, with who speaks to whom, the ids, and the parts."""
        for story, seen in EXPECTED.items():
            for at, letters in seen.items():
                yield story, at, self.told[story], letters

    def ask(self, at: str, ids: Told, events: list[e.EventData]) -> list[str | None]:
        """The objections of a reader to some events that a sender says now."""
        by, reader = at.split("@")
        state = self.network.apps[reader].state
        to = [addressee(by, reader, ids, data) for data in events]

        def judge(tx: Transaction) -> list[str | None]:
            pairs = zip(events, to, strict=True)
            return [state.reception.objects(tx, told(data, by, one, tx.now), data) for data, one in pairs]

        reasons: list[str | None] = state.database.write(judge)
        return reasons

    def unexpected(self) -> Iterator[Wrong]:
        """Every event whose outcome is not the one that the table gives to these parts."""
        for story, at, ids, letters in self.each():
            events = everything(at, ids, self.network.clock())
            for data, reason in zip(events, self.ask(at, ids, events), strict=True):
                if reason != expected(at, letters, data):
                    yield story, at, type(data).__name__, reason

    def unseen(self, patch: pytest.MonkeyPatch) -> Iterator[Wrong]:
        """Every part that a reader sees and should not, or does not see and should. The table asks for it alone."""
        for story, at, ids, letters in self.each():
            for letter, part in LETTERS.items():
                alone = frozenset({part})
                patch.setitem(RULES, RECORD, Rule(agency=alone, coordinator=alone))
                asked = a_record(at, ids, self.network.clock(), of_victim=part is not Part.OPENER)
                (reason,) = self.ask(at, ids, [asked])
                if (reason is None) != (letter in letters):
                    yield story, at, part, reason


def addressee(by: str, reader: str, ids: Told, data: e.EventData) -> str:
    """The receiver that the table asks for. Coordination also reads the letters between two agencies."""
    if isinstance(data, e.Requested):
        return data.receiver.agency
    aside = reader == "coordination" and RULES[type(data)].to is To.OTHER_SIDE
    return ids.other_side(by) if aside else reader


def a_record(at: str, ids: Told, now: datetime, of_victim: bool) -> e.EventData:
    """A record of the victim and the referral, or of the case alone."""
    by = DESKS[at.split("@")[0]]
    named = {"victim_id": ids.victim, "referral_id": ids.referral} if of_victim else {}
    return said_by(RECORD, by, by, now, **{"victim_id": None, "referral_id": None, "case_id": ids.case, **named})


def everything(at: str, ids: Told, now: datetime) -> list[e.EventData]:
    """Every event of the catalogue as the sender says it, and a record of the case alone."""
    by, reader = at.split("@")
    to = ids.other_side(by) if reader == "coordination" else reader
    named = {"victim_id": ids.victim, "case_id": ids.case, "referral_id": ids.referral}
    spoken = [said_by(kind, DESKS[by], DESKS[to], now, **named) for kind in e.CATALOGUE.values()]
    return [*spoken, a_record(at, ids, now, of_victim=False)]


def expected(at: str, letters: str, data: e.EventData) -> str | None:
    """The reason for parking an event of a sender with these parts, or None, by the table alone."""
    by, reader = at.split("@")
    rule = RULES[type(data)]
    asked = rule.coordinator if reader == "coordination" else rule.agency
    parts = {LETTERS[letter] for letter in letters if letter != UNHEARD}
    parts |= {Part.MEMBER, Part.COORDINATOR if by == "coordination" else Part.AGENCY}
    of_victim = getattr(data, "victim_id", None) is not None
    parts -= {Part.OPENER} if of_victim else set(LETTERS.values()) - {Part.OPENER, Part.FIRST}
    if not asked:
        return "not-for-an-agency"
    if asked & parts:
        return None
    if UNHEARD in letters and asked <= OF_REFERRAL:
        return "unknown-referral" if isinstance(data, e.ReferralEvent) else "not-theirs-to-say"
    return "not-taken-on" if Part.AT_WORK in asked and Part.RECEIVER in parts else rule.lacking


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgresql"])
async def situations(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, secrets: Path
) -> AsyncIterator[Situations]:
    """Every story, told once on each kind of database."""
    folder = tmp_path_factory.mktemp("situations")
    databases: Databases = SqliteDatabases(folder)
    if request.param == "postgresql":
        databases = PostgresDatabases(request.getfixturevalue("postgres_url"))
    network = Network(folder, secrets, EmbeddedNats(folder / "nats", secrets), databases)
    async with all_told(network) as stories:
        yield Situations(network, stories)


def test_every_event_is_believed_only_from_a_sender_that_the_reader_knows_to_have_a_part(
    situations: Situations,
) -> None:
    assert set(EXPECTED) == set(situations.told)
    assert list(situations.unexpected()) == []


def test_every_event_is_believed_in_one_situation_and_parked_in_another(situations: Situations) -> None:
    outcomes = {
        (kind, reader == "coordination", reason is None)
        for _, at, ids, _ in situations.each()
        for events in [everything(at, ids, situations.network.clock())]
        for kind, reason in zip(map(type, events), situations.ask(at, ids, events), strict=True)
        for reader in [at.split("@")[1]]
    }
    believed = {(kind, False) for kind, rule in RULES.items() if rule.agency} | {(kind, True) for kind in RULES}
    parked = {
        (kind, at_coordination) for kind in RULES if kind is not e.ReceiptRecorded for at_coordination in (False, True)
    }
    assert {one[:2] for one in outcomes if one[2]} == believed
    assert {one[:2] for one in outcomes if not one[2]} == parked


def test_a_reader_sees_these_parts_of_a_sender_and_no_other(
    situations: Situations, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(situations.unseen(monkeypatch)) == []


READERS = {"agency": agency_parts, "coordination": coordination_parts}
MUTATED = [
    pytest.param(reader, part, answer, id=f"{reader}-{part}-{answer}")
    for reader, module in READERS.items()
    for part in module._TESTS
    for answer in (True, False)
]


@pytest.mark.parametrize(("reader", "part", "answer"), MUTATED)
def test_a_part_that_is_seen_always_or_never_is_noticed(
    situations: Situations, monkeypatch: pytest.MonkeyPatch, reader: str, part: Part, answer: bool
) -> None:
    monkeypatch.setitem(READERS[reader]._TESTS, part, lambda known: answer)
    assert any(situations.unexpected()) or any(situations.unseen(monkeypatch))
