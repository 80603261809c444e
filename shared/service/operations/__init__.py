"""What every member has: receipts, keys, parked events, and what an operator asks."""

from shared.contracts import events as e
from shared.http.refusals import REFUSALS as OF_HTTP
from shared.messaging.key_directory_sync import on_keys_published
from shared.messaging.parked import deadline_of_parked
from shared.messaging.receipts import on_link_witnessed, on_receipt
from shared.service.operations import routes
from shared.service.operations.refusals import REFUSALS
from shared.service.slice import Slice

SLICE = Slice(
    routers=(routes.router,),
    receives={
        e.ReceiptRecorded: on_receipt,
        e.LinkWitnessed: on_link_witnessed,
        e.KeysPublished: on_keys_published,
    },
    timers=(deadline_of_parked,),
    refusals={**OF_HTTP, **REFUSALS},
    forgets="Ledger and parked events keep ciphertext; the keys beside them are destroyed by erasure.",
)
