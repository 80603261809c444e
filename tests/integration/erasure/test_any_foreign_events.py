"""No words of other agencies take away the data of a victim in our custody, or under a legal hold."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlmodel import col

from shared.contracts import events as e
from shared.contracts.codes import BreakGlassReason, DisclosureEnd, InformationKind
from shared.contracts.events import EventData
from shared.domain.access import Role
from shared.messaging.broker import Incoming
from shared.reference.office import new_id
from shared.security.sealing import DataKey, seal, wrap_key
from shared.victims.sealed import store as sealed
from shared.victims.sealed.tables import BlindIndexRow, HoldRow, SealedRow
from tests.support.by_hand import deliver, posted, request_of, said
from tests.support.forms import file
from tests.support.hostile import enclosed
from tests.support.identities import NOTE, WHO, consent
from tests.support.network import Network, a_victim, refer

HOSTILE = ("kemenkes", "kemensos", "coordination")
GIVEN = {"name": "Rekaan Saja", "nik": "7401010101010777"}
REPORT = {
    "lp_number": "LP/B/9/2026",
    "reported_by": "officer",
    "region": "74.01",
    "place": "port",
    "account": "Rekaan.",
}


@dataclass
class Scene:
    """Two victims of the police, one in custody and one under a hold; and the ids that hostile agencies know."""

    network: Network
    victims: list[str]
    ids: list[str]
    referrals: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Referral of a hostile agency → its sender and its victim."""

    def kept(self) -> tuple[Counter[Any], list[Any]]:
        """The texts that open, of both victims and their cases; and the entries of index and holds."""
        app = self.network.apps["police"]

        def look(session: Any) -> tuple[Counter[Any], list[Any]]:
            rows = session.scalars(select(SealedRow)).all()
            opened = ((sealed.origin(row.source), sealed.opened(session, app.state.office, row)) for row in rows)
            texts = Counter((source, tuple(sorted(what.items()))) for source, what in opened if what)
            ours = [f"own:victim:{victim}" for victim in self.victims]
            index = session.scalars(select(BlindIndexRow).where(col(BlindIndexRow.source).in_(ours)))
            holds = session.scalars(select(HoldRow).where(col(HoldRow.lifted_at).is_(None)))
            return texts, sorted([*(row.digest for row in index), *(row.victim_id for row in holds)])

        found: tuple[Counter[Any], list[Any]] = app.state.database.read(look)
        return found

    def say(self, kind: str, sender: str, victim: str, other: str) -> Incoming:
        """One event of a hostile agency, from two ids that it knows."""
        if kind == "request":
            return request_of(self.network, sender, "police", victim, GIVEN, case_id=other)
        if kind == "request under an id":
            self.referrals[other] = (sender, victim)
            return request_of(self.network, sender, "police", victim, GIVEN, referral_id=other)
        return said(self.network, sender, "police", self._event(kind, sender, victim, other))

    def _event(self, kind: str, sender: str, victim: str, other: str) -> EventData:
        now = self.network.clock()
        unit = self.network.apps[sender].state.office.speaker(now.date())
        about: dict[str, Any] = {"victim_id": victim, "occurred_at": now}
        if kind == "erasure":
            return e.ErasureRequested(erasure_id=new_id(), unit=unit, **about)
        if kind == "erasure under an id":
            return e.ErasureRequested(erasure_id=other, unit=unit, **about)
        if kind == "withdrawal":
            return e.ConsentWithdrawn(consent_id=other, unit=unit, **about)
        if kind == "passed on":
            told = said(self.network, "kemenpppa", sender, e.ErasureRequested(erasure_id=other, unit=unit, **about))
            return e.ErasureRequested(erasure_id=other, unit=unit, original=enclosed(told), **about)
        if kind == "ended":
            return e.DisclosureEnded(cause_id=other, end=DisclosureEnd.ERASED, fields=(), **about)
        assert kind == "break-glass"
        reason = BreakGlassReason.COURT_ORDER
        return e.BreakGlassOpened(break_glass_id=other, unit=unit, reason=reason, until=now, **about)


def informing(scene: Scene, referral: str) -> Incoming:
    """Kemenkes tells another name with a referral of its own."""
    sender, victim = scene.referrals[referral]
    office, now = scene.network.apps[sender].state.office, scene.network.clock()
    key = DataKey.generate()
    text = seal({"name": "Kenanga Rekaan"}, key, victim, "police", f"referral:{referral}")
    told = e.InformationProvided(
        referral_id=referral, victim_id=victim, occurred_at=now, about=InformationKind.IDENTITY, sealed=text
    )
    wrapped = wrap_key(key, office.keys.current().to_seal_for("police", now))
    return said(scene.network, sender, "police", told, "vital-interest", wrapped)


async def a_scene(network: Network) -> Scene:
    """Kemenkes was asked for both, gave the police text with a request that they took on, and knows many ids."""
    police, kemenkes = network["police"], network["kemenkes"]
    kemenpppa = await network.start("kemenpppa", online=False)
    for code in ("kemensos", "coordination"):
        await network.start(code, online=False)
    victims = [await a_victim(police, identity=WHO) for _ in range(2)]
    cases = [(await police.get(f"/v1/victims/{victim}"))["case_id"] for victim in victims]
    scene = Scene(network, victims, [*victims, *cases, new_id()])
    for victim, case in zip(victims, cases, strict=True):
        scene.ids.append((await file(police, f"cases/{case}", "police-report", **REPORT))["id"])
        scene.ids.append(
            (await file(police, f"victims/{victim}", "screening", decision="not-found", remarks="Rekaan."))["id"]
        )
        scene.ids.append((await consent(police, victim))["id"])
        scene.ids.append(asked := await refer(police, victim, "kemenkes", "first-aid", basis="consent", note=NOTE))
        deliver(network, *posted(network))
        await kemenkes.must(asked, "accept")
        deliver(network, *posted(network, "kemenkes", "police"), to="police")
        own = new_id()
        scene.ids.append(own)
        scene.referrals[own] = ("kemenkes", victim)
        deliver(network, request_of(network, "kemenkes", "police", victim, GIVEN, referral_id=own), to="police")
        await police.must(own, "accept", note=NOTE)
    head = await network.calling("police", Role.SUPERVISOR)
    assert (await head.post(f"/v1/victims/{victims[1]}/legal-holds", {"basis": "trial"})).status_code == 201
    transfer = await refer(police, victims[1], "kemenpppa", "case-management", kind="transfer")
    deliver(network, *posted(network, to="kemenpppa"), to="kemenpppa")
    await kemenpppa.must(transfer, "accept")
    deliver(network, *posted(network, "kemenpppa", "police"), to="police")
    return scene


KINDS = ("request", "request under an id", "erasure", "erasure under an id", "withdrawal", "passed on", "ended",
         "break-glass", "information")  # fmt: skip


async def test_no_foreign_events_take_away_what_is_kept_in_custody_or_under_a_hold(two: Network) -> None:
    scene = await a_scene(two)
    texts, entries = scene.kept()
    assert len(texts) >= 10 and len(entries) >= 4
    place = st.integers(0, len(scene.ids) - 1)
    words = st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(HOSTILE), place, place), min_size=1, max_size=6)

    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
    @given(words)
    def holds(said_words: list[tuple[str, str, int, int]]) -> None:
        for kind, sender, victim, other in said_words:
            if kind == "information":
                referrals = sorted(scene.referrals)
                message = informing(scene, referrals[other % len(referrals)])
            else:
                message = scene.say(kind, sender, scene.ids[victim], scene.ids[other])
            deliver(two, message, to="police")
        now, then = scene.kept()
        assert not texts - now and then == entries

    holds()
