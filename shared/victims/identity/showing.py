"""Read a victim's identity within the caller's right. Each reading writes a row of the access log."""

from shared.contracts.codes import BreakGlassReason
from shared.domain.refusal import Refused
from shared.reference.acting import Acting
from shared.victims.identity import access_log
from shared.victims.identity.access_log import count_look
from shared.victims.identity.rights import Right, right_of
from shared.victims.identity.views import IdentitySeen, identity_view
from shared.victims.register.store import speakers_of
from shared.victims.sealed import identity as sealed_identity


def read(acting: Acting, victim_id: str, purpose: str) -> IdentitySeen:
    """The identity fields that the caller may read; writes a row of the access log. Raises Refused."""
    victim, right = right_of(acting, victim_id)
    speakers = speakers_of(victim, acting.office.code)
    said = sealed_identity.words_of(acting.tx.session, acting.office, speakers, _reach(right))
    shown = identity_view(said, right.fields, acting.office.code)
    if shown is None:
        raise Refused("no-identity")
    access_log.log(acting, victim.id, purpose, right, sorted(right.fields & said.keys()))
    count_look(right)
    return shown


def _reach(right: Right) -> sealed_identity.Reach:
    if right.glass is None:
        return sealed_identity.Reach.SHOW
    return (
        sealed_identity.Reach.LEGAL_HOLD_FIRST
        if right.glass.reason == BreakGlassReason.COURT_ORDER
        else sealed_identity.Reach.ALL
    )
