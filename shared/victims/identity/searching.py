"""Search victims by an identifier: compares keyed hashes and opens nothing. Each hit is logged as a reading."""

from sqlalchemy import select
from sqlmodel import col

from shared.contracts.codes import IdentityField
from shared.domain.refusal import Refused
from shared.reference.acting import Acting
from shared.storage import referrals
from shared.victims.identity import access_log
from shared.victims.identity.rights import ordinary_right
from shared.victims.register import visibility
from shared.victims.register.tables import VictimRow
from shared.victims.sealed import blind_index
from shared.victims.sealed.tables import BlindIndexRow


def search(acting: Acting, field: IdentityField, value: str) -> list[VictimRow]:
    """The victims with this identifier, where the caller may read it. The search compares hashes and opens nothing.

    A caller without the right to read an identifier must not test it by searching. Each hit counts as a reading in the
    access log: the caller learns whose identifier it is. The word of a request that nobody here has taken on finds
    nobody. Raises Refused.
    """
    digest = blind_index.blinded(acting.office.vault, field, value)
    if digest is None:
        raise Refused("not-such-a-number", field="value")
    same = (col(BlindIndexRow.field) == field) & (col(BlindIndexRow.digest) == digest)
    here = select(col(BlindIndexRow.victim_id)).where(same, blind_index.COUNTS)
    statement = select(VictimRow).where(col(VictimRow.id).in_(here), visibility.victims(acting.sight))
    found = []
    for victim in acting.tx.session.scalars(statement.order_by(col(VictimRow.number))).all():
        live = referrals.live_of_victim(acting.tx.session, victim.id)
        right = ordinary_right(acting.office, acting.sight, victim, live)
        if field in right.fields:
            access_log.log(acting, victim.id, "search", right, [field])
            found.append(victim)
    return found
