"""Propose that two victims are one person, because two agencies sent the same match token.

Coordination lacks the key of the match tokens, so it cannot try out identity numbers. It sends each proposal to both
custody holders, and names neither to the other. It keeps their decisions, and names both once both said that it is one
person.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlalchemy import delete
from sqlmodel import Session, col

from services.coordination.match_alarms import count_meeting, raise_number_of_many
from services.coordination.match_positions import brought_to_safety, is_protected, taken_on_elsewhere
from services.coordination.queries import journey_row, proposals_of
from services.coordination.same_tokens import match_tokens_of, met
from services.coordination.tables import JourneyRow, MatchTokenRow, ProposalRow, ToldRow
from shared.contracts import events as e
from shared.contracts.codes import MatchKind, MatchState, MatchStrength, SamePerson
from shared.contracts.envelope import Envelope
from shared.contracts.types import UnitRef
from shared.domain import matching
from shared.domain.matching import KEY_PURPOSE, are_match_tokens
from shared.messaging import enclosed
from shared.messaging.parked import Park
from shared.reference.office import Office, draft, new_id
from shared.security.sealing import Unopenable
from shared.storage.unit_of_work import Transaction


@dataclass(frozen=True, slots=True)
class Search:
    """The telling of a victim's match tokens by an agency: it searches for everybody whom they meet.

    ``meetings``: those of the victim's desk without a referral, where they are an alarm.
    """

    victim_id: str
    agency: str
    meetings: int | None = None


@dataclass(frozen=True, slots=True)
class Common:
    """The kinds of identifiers that two victims share, and the people under one number, where they are too many."""

    kinds: list[MatchKind]
    people: int | None


def replace_match_tokens(tx: Transaction, office: Office, envelope: Envelope, event: e.TokensTold) -> None:
    """Replace an agency's match tokens of a victim by those of the event, and update the proposals.

    An event older than the last one applied changes nothing. Only an agency with a part in the victim counts.
    Raises Park "not-in-custody".
    """
    assert envelope.linkseq is not None  # reception parks a numbered event without a number
    if _desk(tx.session, event.victim_id) is None:
        raise Park("not-in-custody")
    row = tx.session.get(ToldRow, (event.victim_id, envelope.sender))
    if row is not None and row.linkseq >= envelope.linkseq:
        return  # a later event of this agency was applied before
    opened = opened_match_tokens(tx, office, envelope, event)
    if opened is None:
        return
    if row is None:
        tx.session.add(ToldRow(victim_id=event.victim_id, agency=envelope.sender, linkseq=envelope.linkseq))
    else:
        row.linkseq = envelope.linkseq
        theirs = (col(MatchTokenRow.victim_id) == event.victim_id) & (col(MatchTokenRow.agency) == envelope.sender)
        tx.session.execute(delete(MatchTokenRow).where(theirs))
        tx.erased = True
    tx.session.add_all(MatchTokenRow(victim_id=event.victim_id, agency=envelope.sender, token=one) for one in opened)
    tx.session.flush()
    _reconsider(tx, office, event.victim_id, envelope.sender)


def record_decision(tx: Transaction, office: Office, envelope: Envelope, event: e.MatchDecided) -> None:
    """Record the latest decision of one side, and tell both sides how the proposal stands.

    Any agency that ever had custody of the victim may decide. An older decision than the recorded one changes nothing.
    Raises Park "id-of-another-victim".
    """
    proposal = tx.session.get(ProposalRow, event.match_id)
    if proposal is None:
        return  # the proposal was withdrawn meanwhile
    if event.victim_id not in (proposal.first_id, proposal.second_id):
        raise Park("id-of-another-victim")
    side = "first" if event.victim_id == proposal.first_id else "second"
    before: datetime | None = getattr(proposal, f"{side}_said_at")
    if before is not None and before > event.occurred_at:
        return
    setattr(proposal, f"{side}_said", event.decision)
    setattr(proposal, f"{side}_said_at", event.occurred_at)
    _tell_both(tx, office, proposal)
    _show(tx, proposal)


def tell_new_holder(tx: Transaction, office: Office, victim_id: str) -> None:
    """After a change of custody, send the victim's proposals to the new holder.

    The other side hears nothing, unless both sides linked the two: it could follow a person from desk to desk.
    """
    for proposal in proposals_of(tx.session, victim_id):
        _tell(tx, office, proposal, victim_id)
        if _state(proposal) is MatchState.LINKED:
            _tell(tx, office, proposal, _other(proposal, victim_id))


# --- victims with the same match token --------------------------------------------------------------------------------


def _reconsider(tx: Transaction, office: Office, victim_id: str, agency: str) -> None:
    """Withdraw proposals without a common match token, update the strength of the others, and make new ones.

    ``agency`` has told the match tokens of the victim: it has searched for whomever they meet now.
    """
    mine, known = match_tokens_of(tx.session, victim_id), set()
    found = met(tx.session, victim_id, mine)
    search = Search(victim_id, agency)
    for proposal in proposals_of(tx.session, victim_id):
        other = _other(proposal, victim_id)
        known.add(other)
        theirs = match_tokens_of(tx.session, other)
        shared = mine.keys() & theirs.keys()
        erased = not mine or not theirs
        # a link confirmed by both sides stands, even if a number was wrong; an erased victim's proposals never stand
        if not shared and (erased or _state(proposal) is not MatchState.LINKED):
            _withdraw(tx, office, proposal)
        elif shared:
            _strengthen(tx, office, proposal, Common(_kinds(shared), found.people(shared)), search)
    new = sorted(found.victims - known)
    if new:
        search = replace(search, meetings=count_meeting(tx, victim_id))
    for other in new:
        shared = mine.keys() & match_tokens_of(tx.session, other).keys()
        _propose(tx, office, other, Common(_kinds(shared), found.people(shared)), search)
    if new and found.alarm is not None:
        raise_number_of_many(tx, victim_id, *found.alarm)


def _kinds(match_tokens: Collection[str]) -> list[MatchKind]:
    return sorted({matching.kind_of(one) for one in match_tokens})


def _other(proposal: ProposalRow, victim_id: str) -> str:
    return proposal.second_id if victim_id == proposal.first_id else proposal.first_id


def _state(proposal: ProposalRow) -> MatchState:
    return matching.state(proposal.first_said, proposal.second_said)


# --- events to the custody holders ------------------------------------------------------------------------------------


def _propose(tx: Transaction, office: Office, other: str, common: Common, search: Search) -> None:
    first, second = sorted((search.victim_id, other))
    proposal = ProposalRow(
        id=new_id(),
        first_id=first,
        second_id=second,
        asked_first=search.victim_id if brought_to_safety(tx.session, office, search.victim_id) else other,
        kinds=common.kinds,
        strength=matching.strength(common.kinds),
        people=common.people,
        proposed_at=tx.now,
    )
    tx.session.add(proposal)
    _tell_both(tx, office, proposal, search)
    _show(tx, proposal)


def _strengthen(tx: Transaction, office: Office, proposal: ProposalRow, common: Common, search: Search) -> None:
    before, now = MatchStrength(proposal.strength), matching.strength(common.kinds)
    crowded = proposal.people is None and common.people is not None
    proposal.kinds, proposal.strength, proposal.people = common.kinds, now, common.people or proposal.people
    if crowded or (before is MatchStrength.POSSIBLE and now is MatchStrength.STRONG):
        _tell_both(tx, office, proposal, search)


def _withdraw(tx: Transaction, office: Office, proposal: ProposalRow) -> None:
    for victim_id in (proposal.first_id, proposal.second_id):
        withdrawn = e.MatchWithdrawn(match_id=proposal.id, victim_id=victim_id, occurred_at=tx.now)
        _emit(tx, office, withdrawn)
    _show(tx, proposal)
    tx.session.delete(proposal)
    tx.erased = True


def _tell_both(tx: Transaction, office: Office, proposal: ProposalRow, search: Search | None = None) -> None:
    for victim_id in (proposal.first_id, proposal.second_id):
        _tell(tx, office, proposal, victim_id, search)


def _tell(tx: Transaction, office: Office, proposal: ProposalRow, victim_id: str, search: Search | None = None) -> None:
    """Send a proposal's state to one victim's custody holder, as that side may see it.

    The other victim and its desk are named only where both sides said ``same-person``. A proposal must not lead anybody
    to a person in hiding. ``search``: the telling that made the proposal, or made it stronger.
    """
    other_id = _other(proposal, victim_id)
    linked = _state(proposal) is MatchState.LINKED
    sides = [(proposal.first_said, proposal.first_said_at), (proposal.second_said, proposal.second_said_at)]
    (said, said_at), (other_said, _) = sides if victim_id == proposal.first_id else reversed(sides)
    is_met = search is not None and search.victim_id == other_id
    proposed = e.MatchProposed(
        match_id=proposal.id,
        victim_id=victim_id,
        other_id=other_id if linked else None,
        other_desk=_desk(tx.session, other_id) if linked else None,
        kinds=tuple(map(MatchKind, proposal.kinds)),
        strength=MatchStrength(proposal.strength),
        said=SamePerson(said) if said else None,
        said_at=said_at,
        other_said=matching.shown_of_other(said, other_said),
        turn=matching.turn(victim_id == proposal.asked_first, said, other_said),
        met=is_met,
        met_by=search.agency if search and is_met and taken_on_elsewhere(tx.session, victim_id) else None,
        protected=is_protected(tx.session, victim_id),
        people=proposal.people,
        meetings=search.meetings if search and not is_met else None,
        occurred_at=tx.now,
    )
    _emit(tx, office, proposed)


def _emit(tx: Transaction, office: Office, event: e.MatchEvent) -> None:
    holder = _desk(tx.session, event.victim_id)
    if holder is not None:
        tx.emit(draft(event, holder.agency, office.speaker(tx.now.date()), victim_id=event.victim_id))


def _desk(session: Session, victim_id: str) -> UnitRef | None:
    """The desk with custody of a victim; None where coordination knows none."""
    row: JourneyRow | None = journey_row(session, victim_id)
    if row is None or row.custody_agency is None:
        return None
    return UnitRef(agency=row.custody_agency, unit=row.custody_unit or "", region=row.custody_region or "")


def _show(tx: Transaction, proposal: ProposalRow) -> None:
    """Count one more event in both journeys, so that their views change."""
    for victim_id in (proposal.first_id, proposal.second_id):
        row = journey_row(tx.session, victim_id)
        if row is not None:
            row.events += 1
            tx.changed.add(victim_id)


log = structlog.get_logger()


def opened_match_tokens(tx: Transaction, office: Office, envelope: Envelope, told: e.TokensTold) -> list[str] | None:
    """At the coordinator: the match tokens that an agency told; empty where the agency takes them back.

    None where they cannot be read: the victim was erased meanwhile, or the text holds no match tokens.
    """
    if told.sealed is None:
        return []
    try:
        _, tokens = enclosed.open_enclosed(tx, office, envelope.id, told.victim_id, told.sealed, KEY_PURPOSE)
    except Unopenable as error:
        log.warning("sealed.not-taken", error=type(error).__name__)
        return None
    return sorted(tokens.values()) if are_match_tokens(tokens) else None
