"""A hostile member with valid keys: it says anything of anybody, to anybody, signed as the network wants it."""

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from hypothesis import strategies as st
from pydantic import ValidationError

from shared.contracts import events as e
from shared.contracts.codes import AgeClass, Kind, Priority, Sex
from shared.contracts.envelope import Draft, write
from shared.contracts.types import Custody, UnitRef, VictimFacts
from shared.domain.trust import RULES, To
from shared.messaging.broker import Incoming
from shared.reference.office import new_id
from shared.security.sealing import DataKey, seal, wrap_key
from shared.storage import referrals
from tests.support.network import Network
from tests.support.sayings import moments, saying
from tests.support.wire import key_of

HOSTILE = "kemensos"
OWN = UnitRef(agency=HOSTILE, unit="dinsos-74.01", region="74.01")
CATALOGUE = tuple(e.CATALOGUE.values())
FACTS = (
    VictimFacts(age_class=AgeClass.CHILD, sex=Sex.FEMALE),
    VictimFacts(age_class=AgeClass.ADULT, sex=Sex.MALE),
)
MOMENTS = tuple(timedelta(minutes=minutes) for minutes in (0, -1, -4 * 60, -60 * 24 * 90, 3, 30))
"""What is said of now, of the past, of what no member knew yet, and of the future."""
NUMBERS = (1, 2, 3, 4, 10_000, 2**53)
VERSIONS = (None, 1, 2, 3, 4, 5, 10_000)
NEXT = 0
"""The version that fits the referral as it is now."""
LAW = ("vital-interest", "consent", "public-task", None)

Known = TypeVar("Known")


@dataclass(frozen=True)
class Words:
    """What one event says, as positions in the lists of what the hostile member knows."""

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


def words(kinds: Sequence[type[e.EventData]] = CATALOGUE) -> st.SearchStrategy[Words]:
    """Any event of these kinds: half of them wild, half sound in everything but the part of the sender."""
    place, now = st.integers(0, 40), st.just(timedelta())
    free: dict[str, st.SearchStrategy[Any]] = {
        "kind": st.sampled_from(kinds),
        "to": place,
        "referral": place,
        "thing": place,
        "number": st.sampled_from(NUMBERS),
        "basis": st.sampled_from(LAW),
        "facts": st.sampled_from(FACTS),
        "sealed": st.booleans(),
    }
    sound = st.builds(
        Words, **{**free, "referral": st.integers(0, 2)}, victim=st.just(0), desk=st.just(0), occurred=now, told=now,
        version=st.just(NEXT), enclosing=st.none(),
    )  # fmt: skip
    wild = st.builds(
        Words,
        **free,
        victim=place,
        desk=st.sampled_from((0, 0, 0, 1, 2, 3)),
        occurred=st.sampled_from(MOMENTS),
        told=st.sampled_from((timedelta(), timedelta(), timedelta(minutes=-1), timedelta(minutes=30))),
        version=st.sampled_from(VERSIONS),
        enclosing=st.none() | place,
    )
    return sound | wild


@dataclass
class Hostile:
    """The hostile member, the ids that it knows, and the letters of others that it has read."""

    network: Network
    members: Sequence[str]
    victims: Sequence[str]
    referrals: Sequence[str]
    things: Sequence[str]
    read: Sequence[Incoming]
    first: int = 1
    """The next number on each of its links."""
    _told: Counter[str] = field(default_factory=Counter)

    def begin(self) -> None:
        """Forget what was said in the example before."""
        self._told.clear()

    def says(self, said: Words) -> tuple[str, Incoming]:
        """The receiver of an event, and the signed event."""
        to = self.members[said.to % len(self.members)]
        if said.version == NEXT and RULES[said.kind].to is To.COORDINATOR:
            to = "coordination"
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

    def _version(self, said: Words) -> int | None:
        if said.version != NEXT:
            return said.version
        referral = _of(self.referrals, said.referral)
        row = self.network.apps["coordination"].state.database.read(lambda s: referrals.load(s, referral))
        asks = said.kind in (e.CancellationRequested, e.InformationProvided, e.Reminder)
        return row.version + (not asks) if row is not None else 1

    def _data(self, said: Words, to: str, now: datetime) -> tuple[e.EventData, str | None]:
        kind, fields = said.kind, said.kind.model_fields
        desk = self._desk(said)
        victim, referral = _of(self.victims, said.victim), _of(self.referrals, said.referral)
        thing = _of(self.things, said.thing)
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
        if kind in (e.VictimRegistered, e.Accepted):
            changes["custody"] = Custody(**dict(desk), seq=said.number)
        if kind is e.Requested:
            changes |= self._asking(said)
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
            return {"service": "first-aid", "priority": Priority.STAT, "interviews": (_of(self.things, said.thing),)}
        return {"kind": Kind.TRANSFER, "service": "case-management", "custody_seq": said.number}

    def _sealed(self, to: str, victim: str, referral: str, now: datetime) -> tuple[str, str]:
        office, key = self.network.apps[HOSTILE].state.office, DataKey.generate()
        text = seal({"name": "Palsu Rekaan", "nik": "7401010101010888"}, key, victim, to, f"referral:{referral}")
        return text, wrap_key(key, office.keys.current().to_seal_for(to, now))

    def _desk(self, said: Words) -> UnitRef:
        """A desk of its own, or of the agency number ``desk``."""
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


def _of(known: Sequence[Known], place: int) -> Known:
    return known[place % len(known)]
