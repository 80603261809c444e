"""Open the sealed text of a received event with the data key that came beside the event."""

from shared.reference.office import Office
from shared.security.sealing import DataKey, key_id_of, open_sealed
from shared.storage.unit_of_work import Transaction


def open_enclosed(
    tx: Transaction, office: Office, event_id: str, victim_id: str, sealed: str, key_purpose: str
) -> tuple[DataKey, dict[str, str]]:
    """The key beside an event, and the text that it opens, which the sender sealed with ``seal_for``. Raises
    Unopenable."""
    key = DataKey.committed(office.vault.open_key(tx.deliveries.keys.get(event_id, "")), key_id_of(sealed))
    return key, open_sealed(sealed, key, victim_id, office.code, key_purpose)
