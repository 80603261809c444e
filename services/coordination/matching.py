"""Propose that two victims are one person, because two agencies sent the same match token.

Coordination lacks the key of the match tokens, so it cannot try out identity numbers. It sends each proposal to both
custody holders. It also passes their decisions on, because neither side knows the other victim's current custody
holder.
"""

from collections.abc import Collection
from datetime import datetime

import structlog
from sqlalchemy import delete, select
from sqlmodel import Session, col

from services.coordination.queries import journey_row, proposals_of
from services.coordination.tables import CustodyRow, JourneyRow, MatchTokenRow, ProposalRow, ToldRow
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

ENOUGH = matching.COMMON * 16
"""Rows read for one match token, at most. One with that many rows belongs to too many victims to point to one."""


def replace_match_tokens(tx: Transaction, office: Office, envelope: Envelope, event: e.TokensTold) -> None:
    """Replace an agency's match tokens of a victim by those of the event, and update the proposals.

    An event older than the last one applied changes nothing. Raises Park: "not-theirs-to-say", "not-in-custody".
    """
    if envelope.linkseq is None:
        raise Park("not-theirs-to-say")
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
    _reconsider(tx, office, event.victim_id)


def record_decision(tx: Transaction, office: Office, envelope: Envelope, event: e.MatchDecided) -> None:
    """Record the latest decision of one side, and send it to the other.

    Any agency that ever had custody of the victim may decide. An older decision than the recorded one changes nothing.
    Raises Park: "not-in-custody", "id-of-another-victim".
    """
    was_theirs = select(col(CustodyRow.seq)).where(
        col(CustodyRow.victim_id) == event.victim_id, col(CustodyRow.agency) == envelope.sender
    )
    if tx.session.scalars(was_theirs).first() is None:
        raise Park("not-in-custody")
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
    _tell(tx, office, proposal, _other(proposal, event.victim_id))
    _show(tx, proposal)


def tell_new_holder(tx: Transaction, office: Office, victim_id: str) -> None:
    """After a change of custody, send the victim's proposals to the new holder and to the other sides again."""
    for proposal in proposals_of(tx.session, victim_id):
        _tell_both(tx, office, proposal)


# --- victims with the same match token --------------------------------------------------------------------------------


def _reconsider(tx: Transaction, office: Office, victim_id: str) -> None:
    """Withdraw proposals without a common match token, update the strength of the others, and make new ones."""
    mine, known = _match_tokens(tx.session, victim_id), set()
    for proposal in proposals_of(tx.session, victim_id):
        other = _other(proposal, victim_id)
        known.add(other)
        theirs = _match_tokens(tx.session, other)
        kinds = _kinds(mine.keys() & theirs.keys())
        erased = not mine or not theirs
        # a link confirmed by both sides stands, even if a number was wrong; an erased victim's proposals never stand
        if not kinds and (erased or _state(proposal) is not MatchState.LINKED):
            _withdraw(tx, office, proposal)
        elif kinds:
            _strengthen(tx, office, proposal, kinds)
    for other in sorted(_met(tx.session, victim_id, mine) - known):
        kinds = _kinds(mine.keys() & _match_tokens(tx.session, other).keys())
        _propose(tx, office, victim_id, other, kinds)


def _met(session: Session, victim_id: str, mine: dict[str, set[str]]) -> set[str]:
    """The victims for whom another agency sent a match token of this victim. Those of too many victims are ignored."""
    met: set[str] = set()
    for match_token, agencies in mine.items():
        same = (col(MatchTokenRow.token) == match_token) & (col(MatchTokenRow.victim_id) != victim_id)
        wanted = select(col(MatchTokenRow.victim_id), col(MatchTokenRow.agency)).where(same).limit(ENOUGH)
        rows = session.execute(wanted).all()
        if len({other for other, _ in rows}) < matching.COMMON:
            met |= {other for other, agency in rows if agencies - {agency}}
    return met


def _match_tokens(session: Session, victim_id: str) -> dict[str, set[str]]:
    """Match token → the agencies that sent it for a victim."""
    found: dict[str, set[str]] = {}
    for row in session.scalars(select(MatchTokenRow).where(col(MatchTokenRow.victim_id) == victim_id)):
        found.setdefault(row.token, set()).add(row.agency)
    return found


def _kinds(match_tokens: Collection[str]) -> list[MatchKind]:
    return sorted({matching.kind_of(one) for one in match_tokens})


def _other(proposal: ProposalRow, victim_id: str) -> str:
    return proposal.second_id if victim_id == proposal.first_id else proposal.first_id


def _state(proposal: ProposalRow) -> MatchState:
    return matching.state(proposal.first_said, proposal.second_said)


# --- events to the custody holders ------------------------------------------------------------------------------------


def _propose(tx: Transaction, office: Office, one: str, another: str, kinds: list[MatchKind]) -> None:
    first, second = sorted((one, another))
    proposal = ProposalRow(
        id=new_id(),
        first_id=first,
        second_id=second,
        kinds=kinds,
        strength=matching.strength(kinds),
        proposed_at=tx.now,
    )
    tx.session.add(proposal)
    _tell_both(tx, office, proposal)
    _show(tx, proposal)


def _strengthen(tx: Transaction, office: Office, proposal: ProposalRow, kinds: list[MatchKind]) -> None:
    before, now = MatchStrength(proposal.strength), matching.strength(kinds)
    proposal.kinds, proposal.strength = kinds, now
    if before is MatchStrength.POSSIBLE and now is MatchStrength.STRONG:
        _tell_both(tx, office, proposal)


def _withdraw(tx: Transaction, office: Office, proposal: ProposalRow) -> None:
    for victim_id in (proposal.first_id, proposal.second_id):
        withdrawn = e.MatchWithdrawn(match_id=proposal.id, victim_id=victim_id, occurred_at=tx.now)
        _emit(tx, office, withdrawn)
    _show(tx, proposal)
    tx.session.delete(proposal)
    tx.erased = True


def _tell_both(tx: Transaction, office: Office, proposal: ProposalRow) -> None:
    for victim_id in (proposal.first_id, proposal.second_id):
        _tell(tx, office, proposal, victim_id)


def _tell(tx: Transaction, office: Office, proposal: ProposalRow, victim_id: str) -> None:
    """Send a proposal's state to one victim's custody holder, as that side sees it."""
    other_id = _other(proposal, victim_id)
    desk = _desk(tx.session, other_id)
    assert desk is not None  # ``replace_match_tokens`` parks those of a victim without a custody holder
    sides = [(proposal.first_said, proposal.first_said_at), (proposal.second_said, proposal.second_said_at)]
    (said, said_at), (other_said, _) = sides if victim_id == proposal.first_id else reversed(sides)
    proposed = e.MatchProposed(
        match_id=proposal.id,
        victim_id=victim_id,
        other_id=other_id,
        other_desk=desk,
        kinds=tuple(map(MatchKind, proposal.kinds)),
        strength=MatchStrength(proposal.strength),
        said=SamePerson(said) if said else None,
        said_at=said_at,
        other_said=SamePerson(other_said) if other_said else None,
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
