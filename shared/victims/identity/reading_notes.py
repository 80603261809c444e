"""Read notes of officers about a victim. Each reading writes a row of the access log in the same transaction."""

from collections.abc import Collection

from shared.reference.acting import Acting
from shared.victims.identity import access_log
from shared.victims.identity.access_log import NOTED
from shared.victims.identity.rights import AUTHOR, Right
from shared.victims.sealed import notes as sealed_notes


def read_beside(acting: Acting, victim_id: str, right: Right, ids: Collection[str], purpose: str) -> dict[str, str]:
    """Id → the note that is kept beside it, for those of these ids that have one. The caller has checked the right."""
    held = right.glass is not None
    found = sealed_notes.notes(acting.tx.session, acting.office, victim_id, ids, legal_hold=held)
    if found:
        access_log.log(acting, victim_id, purpose, right if right.fields else AUTHOR, [NOTED])
        access_log.count_look(right)
    return found
