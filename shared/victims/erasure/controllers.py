"""Store the answer of a controller at the disclosures that we gave to it."""

from shared.contracts import events as e
from shared.contracts.codes import DisclosureEnd, LegalBasis
from shared.contracts.envelope import Envelope
from shared.reference.office import Office
from shared.storage.unit_of_work import Transaction
from shared.victims.disclosure import store as disclosure
from shared.victims.erasure import store
from shared.victims.register.store import load_victim


def on_controller_answered(tx: Transaction, office: Office, envelope: Envelope, event: e.DisclosureEnded) -> None:
    """Store a controller's answer at the disclosures that we gave before the controller was told, not at later ones.

    A controller may answer again, when it erases data that it had kept.
    """
    load_victim(tx.session, event.victim_id)  # everything stored about a victim is written under this lock
    told = store.answers_to(tx.session, event.cause_id)
    on_consent = any(row.cause == e.ConsentWithdrawn.type() for row in told)
    for row in disclosure.disclosures_of(tx.session, event.victim_id):
        meant = any(row.at <= one.at for one in told) and not (on_consent and row.basis != LegalBasis.CONSENT)
        if row.given and row.agency == envelope.sender and meant and row.end != DisclosureEnd.ERASED:
            row.end, row.kept_because, row.ended_at = event.end, event.kept_because, event.occurred_at
    tx.changed.add(event.victim_id)
