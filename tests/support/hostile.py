"""A hostile member with valid keys: it says anything of anybody, to anybody, signed as the network wants it."""

import base64
import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from hypothesis import strategies as st
from pydantic import ValidationError

from shared.contracts import events as e
from shared.contracts.codes import AgeClass, FactsBasis, Kind, Priority, RejectReason, Sex
from shared.contracts.envelope import Draft, write
from shared.contracts.types import Custody, UnitRef, VictimFacts
from shared.domain.trust import RULES, To
from shared.messaging.broker import Incoming
from shared.reference.office import new_id
from shared.security.sealing import DataKey, seal, wrap_key
from shared.storage import referrals
from tests.support.network import Network
from tests.support.sayings import moments, saying
from tests.support.trust import ANSWERS, ASKS, SINCE, TO_COORDINATION, WITH_A_DESK
from tests.support.wire import key_of

HOSTILE = "kemensos"
OWN = UnitRef(agency=HOSTILE, unit="dinsos-74.01", region="74.01")
CATALOGUE = tuple(e.CATALOGUE.values())
FACTS = (
    VictimFacts(age_class=AgeClass.CHILD, sex=Sex.FEMALE),
    VictimFacts(age_class=AgeClass.ADULT, sex=Sex.MALE),
)
TRUE_FACTS = FACTS[0].model_copy(update={"home_region": "74.01"})
"""A request that says otherwise is noted as a contradiction, for people to look at."""
MOMENTS = tuple(timedelta(minutes=minutes) for minutes in (0, -1, -4 * 60, -60 * 24 * 90, 3, 30))
"""What is said of now, of the past, of what no member knew yet, and of the future."""
NUMBERS = (1, 2, 3, 4, 10_000, 2**53)
VERSIONS = (None, 1, 2, 3, 4, 5, 10_000)
FRESH = -1
"""The place of a new id."""
MOST_REFERRALS = 5
"""Referrals about the child: three of others, and at most two of its own."""
NEXT = 0
"""The version that fits the referral as it is now."""
NOWHERE = -1
"""The place of a desk that is not there."""
TOO_MUCH: Mapping[type[e.EventData], tuple[str, Any]] = {
    e.VictimRegistered: ("custody", Custody(**dict(OWN), seq=2)),
    e.Requested: ("due_at", timedelta(days=3_650)),
    e.ConsentRecorded: ("valid_until", timedelta(days=73_000)),
    e.BreakGlassOpened: ("until", timedelta(hours=2)),
    e.BreakGlassEnded: ("looks", 10_001),
    e.BreakGlassReviewOverdue: ("due_at", timedelta(days=1)),
    e.ClockWarned: ("due_at", timedelta(days=3_650)),
    e.ClockBreached: ("due_at", timedelta(days=1)),
    e.ClockEscalated: ("due_at", timedelta(days=1)),
    e.ClockStopped: ("due_at", timedelta(days=3_650)),
    e.CapacityAnnounced: ("valid_until", timedelta(days=30)),
    e.LetterIssued: ("version", 10_001),
    e.MatchProposed: ("said_at", timedelta(days=-40_000)),
    e.ReceiptRecorded: ("linkseq", 0),
}
"""Event → a field, and a value out of its bounds; a distance counts from now."""
CODES: Mapping[type[e.EventData], tuple[str, Sequence[StrEnum]]] = {
    e.Rejected: ("reason", tuple(RejectReason)),
    e.FactsCorrected: ("basis", tuple(FactsBasis)),
}
"""Event → a field whose code decides what becomes of it, and the codes."""
ANYBODYS = (e.CapacityAnnounced, e.DeskDescribed)
"""Every agency may say this."""
LAW = ("vital-interest", "consent", "public-task", None)

Known = TypeVar("Known")


class Sort(StrEnum):
    """What is wrong with an event, besides the part of its sender."""

    SOUND = "sound"
    WILD = "wild"
    """Anything may be wrong."""
    RECEIPT = "receipt"
    """A receipt for a true letter of anybody, with its true hash and number."""
    TAKEN_BACK = "taken-back"
    """A withdrawal or an erasure, on its own or with a letter of anybody as its proof."""
    AHEAD = "ahead"
    """It is dated half an hour ahead."""
    OF_ANOTHER = "of-another"
    """It speaks for the desk of another member."""
    NO_DESK = "no-desk"
    """It speaks for a desk that is not there."""
    OUT_OF_BOUNDS = "out-of-bounds"
    ASTRAY = "astray"
    """The event is not for the member that receives it."""
    TOO_EARLY = "too-early"
    """Its fact occurred before the fact that it follows."""


SPOILT: Mapping[Sort, Sequence[type[e.EventData]]] = {
    Sort.OF_ANOTHER: [kind for kind in CATALOGUE if kind in WITH_A_DESK],
    Sort.NO_DESK: [kind for kind in CATALOGUE if kind in WITH_A_DESK],
    Sort.OUT_OF_BOUNDS: list(TOO_MUCH),
    Sort.ASTRAY: [kind for kind in CATALOGUE if kind in {*TO_COORDINATION, *ANSWERS, *ASKS, e.RecordDelivered}],
    Sort.TOO_EARLY: [kind for kind in CATALOGUE if kind in SINCE],
}
"""Sort → the events that can be spoilt so. Nobody believes a spoilt event, whatever part its sender has."""


@dataclass(frozen=True)
class Words:
    """What one event says, as positions in the lists of what the hostile member knows."""

    sort: Sort
    kind: type[e.EventData]
    to: int
    victim: int
    referral: int
    thing: int
    desk: int
    occurred: timedelta
    told: timedelta
    number: int
    version: int | None
    basis: str | None
    facts: VictimFacts
    sealed: bool
    enclosing: int | None


_PLACE, _NOW = st.integers(0, 40), st.just(timedelta())
_SOUND: Mapping[str, st.SearchStrategy[Any]] = {
    "sort": st.just(Sort.SOUND),
    "kind": st.sampled_from(CATALOGUE),
    "to": _PLACE,
    "victim": st.just(0),
    "referral": st.integers(0, MOST_REFERRALS - 1),
    "thing": _PLACE,
    "desk": st.just(0),
    "occurred": _NOW,
    "told": _NOW,
    "number": st.sampled_from(NUMBERS),
    "version": st.just(NEXT),
    "basis": st.sampled_from(LAW),
    "facts": st.sampled_from(FACTS),
    "sealed": st.booleans(),
    "enclosing": st.none(),
}
"""The words of an event that is sound in everything but the part of the sender."""
_OTHERWISE: Mapping[Sort, Mapping[str, st.SearchStrategy[Any]]] = {
    Sort.SOUND: {},
    Sort.WILD: {
        "victim": _PLACE,
        "referral": _PLACE,
        "desk": st.sampled_from((0, 0, 0, 1, 2, 3)),
        "occurred": st.sampled_from(MOMENTS),
        "told": st.sampled_from((timedelta(), timedelta(), timedelta(minutes=-1), timedelta(minutes=30))),
        "version": st.sampled_from(VERSIONS),
        "enclosing": st.none() | _PLACE,
    },
    Sort.TAKEN_BACK: {
        "kind": st.sampled_from((e.ConsentWithdrawn, e.ErasureRequested)),
        "enclosing": st.none() | _PLACE,
    },
    Sort.AHEAD: {
        "kind": st.sampled_from(ANYBODYS) | st.sampled_from(CATALOGUE),
        "told": st.just(timedelta(minutes=30)),
    },
    Sort.RECEIPT: {"kind": st.just(e.ReceiptRecorded)},
    Sort.OF_ANOTHER: {"desk": st.integers(1, 4)},
    Sort.NO_DESK: {"desk": st.just(NOWHERE)},
    Sort.OUT_OF_BOUNDS: {},
    Sort.ASTRAY: {},
    Sort.TOO_EARLY: {"occurred": st.just(timedelta(days=-90))},
}
"""Sort → the words that differ from a sound event's."""


def words(sort: Sort) -> st.SearchStrategy[Words]:
    """Any event of this sort. A spoilt one has number 1: it asks for a service, or is a first link."""
    kinds = {"kind": st.sampled_from(SPOILT[sort]), "number": st.just(1)} if sort in SPOILT else {}
    return st.builds(Words, **{**_SOUND, **kinds, **_OTHERWISE[sort], "sort": st.just(sort)})


def every_word(letters: int, members: int) -> Iterator[Words]:
    """Each receipt, every event spoilt in every way, every code, and a withdrawal and an erasure to each member."""
    now = timedelta()
    plain = Words(
        Sort.SOUND, e.ReceiptRecorded, 0, 0, 0, FRESH, 0, now, now, 1, NEXT, "vital-interest", FACTS[0], False, None
    )
    for number in range(letters):
        yield replace(plain, sort=Sort.RECEIPT, thing=number)
    for sort, kinds in SPOILT.items():
        desk = {Sort.OF_ANOTHER: 3, Sort.NO_DESK: NOWHERE}.get(sort, 0)
        early = timedelta(days=-90) if sort is Sort.TOO_EARLY else now
        yield from (replace(plain, sort=sort, kind=kind, desk=desk, occurred=early) for kind in kinds)
    for kind in (e.ConsentWithdrawn, e.ErasureRequested):
        yield from (replace(plain, sort=Sort.TAKEN_BACK, kind=kind, to=member) for member in range(members))
    for said, (_, codes) in CODES.items():
        for referral, code in itertools.product(range(MOST_REFERRALS), range(len(codes))):
            to = (referral + code) % members  # with as many referrals as members, each code goes to each member
            yield replace(plain, sort=Sort.SOUND, kind=said, to=to, referral=referral, thing=code)


@dataclass
class Hostile:
    """The hostile member, the ids that it knows, and the letters of others that it has read."""

    network: Network
    members: Sequence[str]
    victims: Sequence[str]
    referrals: Sequence[str]
    things: Sequence[str]
    read: Sequence[Incoming]
    """Letters of others, whose bytes it may pass on."""
    on_their_way: Sequence[Incoming] = ()
    """Letters of others that nobody has receipted yet."""
    own: Sequence[str] = ()
    """The referrals that it is a side of."""
    other_side: str = "police"
    """The other side of these."""
    first: int = 1
    """The next number on each of its links."""
    _told: Counter[str] = field(default_factory=Counter)

    def begin(self) -> None:
        """Forget what was said in the example before."""
        self._told.clear()

    def says(self, said: Words) -> tuple[str, Incoming]:
        """The receiver of an event, and the signed event."""
        to = self._receiver(said)
        now = self.network.clock()
        data, key = self._data(said, to, now)
        self._told[to] += 1
        linkseq = self.first + self._told[to] if data.numbered else None
        victim = getattr(data, "victim_id", None)
        made = Draft(
            new_id(), data, to, OWN.unit, OWN.region, victim, sequence=self._version(said), basis=said.basis
        )  # fmt: skip
        body = write(made, HOSTILE, linkseq, now + said.told)
        subject = f"tppo.{HOSTILE}.{to}.{data.entity}.{data.event}.{OWN.region}"
        return to, Incoming(subject, body, key_of(self.network, HOSTILE).sign(body), None, key)  # type: ignore[arg-type]

    def _receiver(self, said: Words) -> str:
        """A wild event goes to any member, a sound one to the right member. One gone astray goes to a wrong member."""
        to, rule = _of(self.members, said.to), RULES[said.kind]
        if said.sort is Sort.RECEIPT:
            return _of(self.on_their_way, said.thing).subject.split(".")[1]  # the author of the letter
        if said.sort is Sort.ASTRAY:
            others = {*self.members} - {HOSTILE, self.other_side}
            return _of(sorted(others - ({"coordination"} if said.kind in TO_COORDINATION else set())), said.to)
        if said.version == NEXT and said.kind in TO_COORDINATION:
            return "coordination"
        return self.other_side if said.sort in SPOILT and rule.to is To.OTHER_SIDE else to

    def _referral(self, said: Words) -> str:
        """A spoilt event names a referral of its own: nothing else is wrong with it."""
        return _of(self.own if said.sort in SPOILT and self.own else self.referrals, said.referral)

    def _version(self, said: Words) -> int | None:
        if said.version != NEXT:
            return said.version
        if said.kind is e.Requested:
            return 1
        referral = self._referral(said)
        row = self.network.apps["coordination"].state.database.read(lambda s: referrals.load(s, referral))
        asks = said.kind in (e.CancellationRequested, e.InformationProvided, e.Reminder)
        return row.version + (not asks) if row is not None else 1

    def _data(self, said: Words, to: str, now: datetime) -> tuple[e.EventData, str | None]:
        kind, fields = said.kind, said.kind.model_fields
        desk = self._desk(said)
        victim, referral = _of(self.victims, said.victim), self._referral(said)
        thing = new_id() if said.thing == FRESH else _of(self.things, said.thing)
        changes: dict[str, Any] = {**moments(kind, now)}
        named = {
            "victim_id": victim, "referral_id": referral, "case_id": thing, "record_id": thing, "consent_id": thing,
            "erasure_id": thing, "break_glass_id": thing, "match_id": thing, "ask_id": thing, "cause_id": thing,
            "event_id": thing, "correction_id": thing, "interview_id": thing, "other_id": thing, "about": referral,
            "unit": desk, "sender": desk, "to": desk, "facts": said.facts, "occurred_at": now + said.occurred,
            "version": said.number, "looks": said.number, "linkseq": said.number, "through": said.number,
            "receiver": DESKS[to], "other_desk": desk,
        }  # fmt: skip
        stays = {"about"} if kind is e.InformationProvided else {"facts"} if kind is e.DeskDescribed else set()
        changes |= {name: value for name, value in named.items() if name in fields and name not in stays}
        if kind in (e.ConsentWithdrawn, e.ErasureRequested) and said.enclosing is not None:
            changes["original"] = enclosed(_of(self.read, said.enclosing))
        if kind is e.VictimRegistered or (kind is e.Accepted and said.sort not in SPOILT):
            changes["custody"] = Custody(**dict(desk), seq=said.number)
        if kind is e.Requested:
            changes |= self._asking(said)
            if said.sort is not Sort.WILD:
                changes |= {"referral_id": new_id(), "case_id": new_id(), "consent_id": None, "facts": TRUE_FACTS}
        if kind in CODES:
            name, codes = CODES[kind]
            changes[name] = _of(codes, said.thing)
        if said.sort is Sort.RECEIPT:
            changes |= receipted(_of(self.on_their_way, said.thing))
        if said.sort is Sort.OUT_OF_BOUNDS:
            name, value = TOO_MUCH[kind]
            changes[name] = now + value if isinstance(value, timedelta) else value
        key = None
        if said.sealed and "sealed" in fields:
            changes["sealed"], key = self._sealed(to, victim, referral, now)
        try:
            return saying(kind, **changes), key
        except ValidationError:  # a number that the contract itself refuses: no member can write it
            small: dict[str, Any] = {name: 1 for name in ("version", "looks", "linkseq", "through") if name in fields}
            return saying(kind, **(changes | small)), key

    def _asking(self, said: Words) -> Mapping[str, Any]:
        """A referral, or a transfer of custody with a number."""
        if said.number == 1:
            interviews = (_of(self.things, said.thing),)
            return {"service": "first-aid", "priority": Priority.STAT, "interviews": interviews}
        return {"kind": Kind.TRANSFER, "service": "case-management", "custody_seq": said.number}

    def _sealed(self, to: str, victim: str, referral: str, now: datetime) -> tuple[str, str]:
        office, key = self.network.apps[HOSTILE].state.office, DataKey.generate()
        text = seal({"name": "Palsu Rekaan", "nik": "7401010101010888"}, key, victim, to, f"referral:{referral}")
        return text, wrap_key(key, office.keys.current().to_seal_for(to, now))

    def _desk(self, said: Words) -> UnitRef:
        """A desk of its own, or of the agency number ``desk``, or none."""
        if said.desk == NOWHERE:
            return OWN.model_copy(update={"unit": "dinsos-tidak-ada"})
        return DESKS[self.members[said.desk - 1]] if said.desk else OWN


DESKS = {
    "police": UnitRef(agency="police", unit="polres-74.01", region="74.01"),
    "kemenpppa": UnitRef(agency="kemenpppa", unit="uptd-ppa-74.01", region="74.01"),
    "kemenkes": UnitRef(agency="kemenkes", unit="rs-74.01", region="74.01"),
    "coordination": UnitRef(agency="coordination", unit="pusat", region="00.ID"),
    HOSTILE: OWN,
}
"""Member → a desk of it that anybody may name."""


def enclosed(message: Incoming) -> e.SignedEvent:
    """A signed event as it is passed on."""
    body, signature = (
        base64.urlsafe_b64encode(part).decode().rstrip("=")
        for part in (message.body, (message.signature or "").encode())
    )
    return e.SignedEvent(body=body, signature=signature)


def receipted(message: Incoming) -> Mapping[str, Any]:
    """What a receipt says of a letter."""
    letter = json.loads(message.body)
    digest = hashlib.sha256(message.body).hexdigest()
    return {"event_id": letter["id"], "sha256": digest, "linkseq": letter.get("linkseq") or 1}


def _of(known: Sequence[Known], place: int) -> Known:
    return known[place % len(known)]
