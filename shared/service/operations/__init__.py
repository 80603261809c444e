"""Operations of every member: receipts, keys, parked events, and the requests of an operator."""

from shared.contracts import events as e
from shared.http.refusals import REFUSALS as OF_HTTP
from shared.messaging.key_directory_sync import on_keys_published
from shared.messaging.parked import parked_timer
from shared.messaging.receipts import on_link_witnessed, on_receipt
from shared.service.operations import routes as operations_routes
from shared.service.operations.refusals import REFUSALS
from shared.service.slice import Slice

SLICE = Slice(
    routers=(operations_routes.router,),
    receives={
        e.ReceiptRecorded: on_receipt,
        e.LinkWitnessed: on_link_witnessed,
        e.KeysPublished: on_keys_published,
    },
    timers=(parked_timer,),
    refusals={**OF_HTTP, **REFUSALS},
    forgets="Ledger and parked events keep ciphertext; the keys beside them are destroyed by erasure. What is untrusted"
    " is sealed, names no victim, and goes after 30 days.",
)
