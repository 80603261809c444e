"""Batches, each many people at once: each person is registered and referred whole, or refused with a reason."""

from sqlalchemy import true
from sqlmodel import col

from shared.casework.people_list import routes, store
from shared.casework.people_list.refusals import REFUSALS
from shared.casework.people_list.tables import BatchRow
from shared.domain.ids import IdKind
from shared.service.slice import Slice
from shared.storage.known_ids import IdColumn

SLICE = Slice(
    routers=(routes.router,),
    refusals=REFUSALS,
    ids=(IdColumn(IdKind.BATCH, col(BatchRow.id), ours=true()),),
    forgets=store.forget_role,
)
