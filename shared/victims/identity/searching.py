"""Search victims by a number: compares keyed hashes and opens nothing. Each hit is logged as a reading."""

from sqlalchemy import select
from sqlmodel import col

from shared.contracts.codes import IdentityField
from shared.domain.access import Caller, Sight
from shared.domain.refusal import Refused
from shared.reference.office import Office
from shared.storage import referrals
from shared.storage.unit_of_work import Transaction
from shared.victims.identity import access_log
from shared.victims.identity.rights import ordinary_right
from shared.victims.register import visibility
from shared.victims.register.tables import VictimRow
from shared.victims.sealed import blind_index as numbers
from shared.victims.sealed.tables import BlindIndexRow


def search(
    tx: Transaction, office: Office, caller: Caller, sight: Sight, field: IdentityField, value: str
) -> list[VictimRow]:
    """The victims with this number whose number the caller may read. The search compares hashes and opens nothing.

    A caller without the right to read a number must not test it by searching. Each hit counts as a reading in the
    access log: the caller learns whose number it is. Raises Refused.
    """
    digest = numbers.blinded(office.vault, field, value)
    if digest is None:
        raise Refused("not-such-a-number", field="value")
    same = (col(BlindIndexRow.field) == field) & (col(BlindIndexRow.digest) == digest)
    here = select(col(BlindIndexRow.victim_id)).where(same)
    statement = select(VictimRow).where(col(VictimRow.id).in_(here), visibility.victims(sight))
    found = []
    for victim in tx.session.scalars(statement.order_by(col(VictimRow.number))).all():
        right = ordinary_right(office, sight, victim, referrals.live_of_victim(tx.session, victim.id))
        if field in right.fields:
            access_log.log(tx, caller, victim.id, "search", right, [field])
            found.append(victim)
    return found
