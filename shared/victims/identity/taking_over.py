"""Take over what another agency says of an identity field. A person has checked it, so it becomes our own word."""

from shared.domain.identity import Identity, TakeOver
from shared.domain.refusal import Refused
from shared.reference.acting import Acting
from shared.storage import referrals
from shared.victims.identity import access_log, recording
from shared.victims.identity.rights import ordinary_right
from shared.victims.register.store import lock_victim, speakers_of
from shared.victims.register.tables import VictimRow
from shared.victims.sealed import holds
from shared.victims.sealed import identity as sealed_identity
from shared.victims.sealed.identity import Reach


def take_over(acting: Acting, victim_id: str, command: TakeOver) -> VictimRow:
    """Copy the value of an agency into our own text; writes a row of the access log. Returns the victim's row.

    Only text that may be passed on can be taken over, so none of a disclosure that has ended. Raises Refused:
    ``unknown-victim``, ``not-responsible``, ``nothing-to-take-over`` or ``said-since``.
    """
    tx, office = acting.tx, acting.office
    victim = lock_victim(tx.session, acting.sight, victim_id)
    right = ordinary_right(office, acting.sight, victim, referrals.live_of_victim(tx.session, victim_id))
    if command.field not in right.fields:
        raise Refused("not-responsible", field="field")
    said = sealed_identity.words_of(tx.session, office, speakers_of(victim, office.code), Reach.GIVE)
    theirs = [one for one in said.get(command.field, ()) if one.agency == command.agency != office.code]
    if not theirs:
        raise Refused("nothing-to-take-over", field="agency")
    value = next((one.value for one in theirs if one.at == command.said_at), None)
    if value is None:
        raise Refused("said-since", field="said_at")
    identity = Identity.model_validate({command.field: value})
    recording.write(tx, office, victim_id, identity, keep_before=bool(holds.holds_of(tx.session, victim_id)))
    access_log.log(acting, victim_id, access_log.TAKE_OVER, right, [command.field])
    return victim
