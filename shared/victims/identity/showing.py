"""Read a victim's identity within the caller's right. Each reading writes a row of the access log."""

from shared.contracts.codes import BreakGlassReason
from shared.domain.identity import Identity
from shared.domain.refusal import Refused
from shared.reference.acting import Acting
from shared.victims.identity import access_log
from shared.victims.identity.access_log import count_look
from shared.victims.identity.rights import Right, right_of
from shared.victims.sealed import identity as sealed_identity


def read(acting: Acting, victim_id: str, purpose: str) -> Identity:
    """The identity fields that the caller may read; writes a row of the access log. Raises Refused."""
    victim, right = right_of(acting, victim_id)
    known = sealed_identity.readable_identity(acting.tx.session, acting.office, victim.id, _reach(right))
    shown = {name: value for name, value in known.items() if name in right.fields}
    if not shown:
        raise Refused("no-identity")
    access_log.log(acting, victim.id, purpose, right, sorted(shown))
    count_look(right)
    return Identity.model_validate(shown)


def _reach(right: Right) -> sealed_identity.Reach:
    if right.glass is None:
        return sealed_identity.Reach.SHOW
    return (
        sealed_identity.Reach.LEGAL_HOLD_FIRST
        if right.glass.reason == BreakGlassReason.COURT_ORDER
        else sealed_identity.Reach.ALL
    )
