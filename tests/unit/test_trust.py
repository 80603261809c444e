"""The table of trust: every event by every part, at an agency and at the coordinator."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import pytest

from shared.contracts import events as e
from shared.domain.objection import Reader
from shared.domain.trust import RULES, Part, Rule
from tests.support.sayings import READER
from tests.support.trust import (
    AGENCY,
    ANSWERS,
    ASKS,
    BREAK_GLASS,
    CLOCKS,
    COORDINATOR,
    DESKS,
    EVERY_AGENCY,
    SITUATIONS,
    outcome,
    own,
)

EXPECTED: Mapping[type[e.EventData], tuple[str, str, str]] = {
    # event: (believed at an agency, believed at coordination, else parked for)
    e.CaseOpened: ("", "O", "case-taken"),
    e.VictimRegistered: ("", "O", "case-taken"),
    e.FactsCorrected: ("HQ", "H", "not-in-custody"),
    e.StageRecorded: ("", "HF", "not-in-custody"),
    e.VictimInterviewed: ("HFTQ", "HFT", "not-theirs-to-say"),
    e.JourneyClosed: ("", "H", "not-in-custody"),
    e.RecordFiled: ("", "HFTO", "not-theirs-to-say"),
    e.RecordDelivered: ("T", "T", "not-the-receiver"),
    e.Requested: (EVERY_AGENCY, "HFT", "not-theirs-to-say"),
    **dict.fromkeys(ANSWERS, ("TAR", "TAR", "not-the-receiver")),
    **dict.fromkeys(ASKS, ("QW", "QW", "not-the-sender")),
    e.CustodyAsked: ("", EVERY_AGENCY, "not-theirs-to-say"),
    e.CustodyChecked: ("C", "C", "not-the-coordinator"),
    e.ConsentRecorded: ("", "HFT", "not-theirs-to-say"),
    e.ConsentWithdrawn: ("HFTQW", "HFTAR", "not-theirs-to-say"),
    e.ErasureRequested: ("HFTQW", "HFTAR", "not-theirs-to-say"),
    e.DisclosureEnded: ("HFTARQW", "HFTAR", "not-theirs-to-say"),
    **dict.fromkeys(BREAK_GLASS, ("HFTARQWC", "HFTARC", "not-theirs-to-say")),
    **dict.fromkeys(CLOCKS, (EVERY_AGENCY, "HFTAR", "not-theirs-to-say")),
    **dict.fromkeys(DESKS, (EVERY_AGENCY, EVERY_AGENCY, "not-theirs-to-say")),
    e.ReceiptRecorded: (EVERY_AGENCY + "C", EVERY_AGENCY + "C", ""),
    e.LetterIssued: ("TARQW", "HFTAR", "not-theirs-to-say"),
    e.TokensTold: ("", "HFTAR", "not-in-custody"),
    e.MatchProposed: ("C", "C", "not-the-coordinator"),
    e.MatchWithdrawn: ("C", "C", "not-the-coordinator"),
    e.MatchDecided: ("", "H", "not-in-custody"),
    e.LinkWitnessed: ("C", "C", "not-the-coordinator"),
    e.KeysPublished: ("C", "C", "not-the-coordinator"),
}


def matrix(kinds: Iterable[type[e.EventData]]) -> Iterator[tuple[type[e.EventData], str, Reader, str | None]]:
    """Every event × situation × reader, with the outcome."""
    for kind in kinds:
        for letter, of in SITUATIONS.items():
            for reader in (AGENCY, COORDINATOR):
                data = own(kind, of.by)
                if letter == "O" and kind is e.RecordFiled:
                    data = data.model_copy(update={"victim_id": None})  # a record of the case itself
                if kind is e.Requested and reader is COORDINATOR:
                    yield kind, letter, reader, outcome(reader, of, data, READER)
                else:
                    yield kind, letter, reader, outcome(reader, of, data)


def unexpected(*kinds: type[e.EventData]) -> list[str]:
    """The outcomes that differ from the expected ones, of some events or of all."""
    found = []
    for kind, letter, reader, reason in matrix(kinds or e.CATALOGUE.values()):
        at_agency, at_coordination, lacking = EXPECTED[kind]
        believed = letter in (at_coordination if reader is COORDINATOR else at_agency)
        if believed:
            right = reason is None
        elif reader is AGENCY and not at_agency:
            right = reason == "not-for-an-agency"
        else:
            right = reason == ("not-taken-on" if kind is e.RecordDelivered and letter in "AR" else lacking)
        if not right:
            found.append(f"{kind.__name__} by {letter} at {reader.code}: {reason}")
    return found


def test_every_event_is_believed_only_from_the_parts_that_may_say_it() -> None:
    assert set(EXPECTED) == set(e.CATALOGUE.values()) == set(RULES)
    assert unexpected() == []


def _mutations(rule: Rule) -> Iterator[Rule]:
    for side in ("agency", "coordinator"):
        parts: frozenset[Part] = getattr(rule, side)
        if side == "agency" and not parts:
            yield replace(rule, agency=frozenset({Part.MEMBER}))
            continue
        yield from (replace(rule, **{side: parts - {part}}) for part in sorted(parts))  # type: ignore[arg-type]
        if Part.MEMBER not in parts:
            yield replace(rule, **{side: parts | {Part.MEMBER}})  # type: ignore[arg-type]
        if not parts & {Part.MEMBER, Part.AGENCY}:
            yield replace(rule, **{side: parts | {Part.AGENCY}})  # type: ignore[arg-type]


MUTATED = [
    pytest.param(kind, mutated, id=f"{kind.__name__}-{number}")
    for kind, rule in RULES.items()
    for number, mutated in enumerate(_mutations(rule))
]


@pytest.mark.parametrize(("kind", "mutated"), MUTATED)
def test_a_changed_row_is_noticed(kind: type[e.EventData], mutated: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULES, kind, mutated)
    assert unexpected(kind)
