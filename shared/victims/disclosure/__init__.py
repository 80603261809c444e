"""Disclosure of an identity to another agency, and its legal basis."""

from sqlalchemy import true
from sqlmodel import col

from shared.domain.ids import IdKind
from shared.service.slice import Slice
from shared.storage.known_ids import IdColumn
from shared.victims.disclosure import routes
from shared.victims.disclosure.refusals import REFUSALS
from shared.victims.disclosure.tables import ConsentRow

SLICE = Slice(
    routers=(routes.router,),
    refusals=REFUSALS,
    ids=(IdColumn(IdKind.CONSENT, col(ConsentRow.id), ours=true()),),
    forgets="What was given, to whom and on which basis stays: the victim may ask for it.",
)
