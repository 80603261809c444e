"""Pass a withdrawal or an erasure of another agency on: to whom, and with which proof.

An agency is told that holds text which we had from the agency that said it. What that text came with is kept beside
each disclosure (``came_with``). The signed event that told us goes along, so that the next one checks it.
"""

from collections.abc import Collection, Mapping

from shared.contracts import events as e
from shared.contracts.envelope import Envelope
from shared.reference.office import Office, draft
from shared.storage import referrals
from shared.storage.unit_of_work import Transaction
from shared.victims.disclosure import store as disclosure
from shared.victims.erasure import first_said
from shared.victims.erasure.carry_out import Cause


def pass_on(
    tx: Transaction,
    office: Office,
    envelope: Envelope,
    cause: Cause,
    taken: Collection[str] | None,
    but: Collection[str],
) -> None:
    """Tell each agency that holds text which came from these sources, to stop or to erase that text.

    ``taken``: the sources taken back here; None: the custody holder has everything erased. ``but``: agencies not to
    tell. Nothing is passed on that is too long to be enclosed.
    """
    original = first_said.enclosed(tx, envelope)
    if original is None:
        return
    unit = office.speaker(tx.now.date())
    more: dict[str, object] = {"original": original, "unit": unit}
    if isinstance(cause, e.ErasureRequested):
        more["custody"] = first_said.custody_taken_by(tx, envelope)
    for agency, given_with in sorted(_holders(tx, cause.victim_id, taken).items()):
        if agency not in {office.code, *but}:
            told = cause.model_copy(update={**more, "given_with": tuple(given_with)})
            tx.emit(draft(told, agency, unit, victim_id=cause.victim_id))
    tx.changed.add(cause.victim_id)


def _holders(tx: Transaction, victim_id: str, taken: Collection[str] | None) -> Mapping[str, list[str]]:
    """Agency → the referrals and records with which we gave it text from these sources. An empty list: all."""
    given = [row for row in disclosure.disclosures_of(tx.session, victim_id) if row.given]
    if taken is None:
        asked = referrals.senders_of_victim(tx.session, victim_id) | referrals.receivers_of_victim(
            tx.session, victim_id
        )
        return {agency: [] for agency in asked | {row.agency for row in given}}
    found: dict[str, list[str]] = {}
    for row in given:
        if set(row.came_with) & set(taken):
            found.setdefault(row.agency, []).append(row.given_with)
    return found
