"""The key directory that a member has seen: kept over a restart, and carried by the coordinator to the agencies.

A member learns of a new directory from its file or from the coordinator, whichever is first. Both are believed for the
task force's signature alone, and only forwards: not even a restart with an older file takes a revocation back.
"""

import asyncio
import json

import structlog
from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, select

from shared.contracts.events import KeysPublished
from shared.contracts.types import LONGEST_PART
from shared.security.key_directory import LOOK_AGAIN_SECONDS, DirectoryFile
from shared.security.public_keys import Untrusted
from shared.service.office import Office, draft
from shared.service.reception import Park
from shared.storage.database import Database, Transaction
from shared.storage.tables import SeenDirectory

log = structlog.get_logger()


def recall(session: Session, keys: DirectoryFile) -> None:
    """Go on with the directory that was seen last, where the file is older."""
    row = session.exec(select(SeenDirectory)).first()
    if row is None:
        return
    try:
        keys.adopt(row.document.encode())
    except Untrusted as error:
        if error.reason != "older-directory":  # of another root, or a fork: only the file says which one counts
            log.error("key-directory.refused", reason=error.reason, version=row.version)


def remember(tx: Transaction, office: Office) -> None:
    """Keep the directory as it is now, if it is another than was kept; the coordinator tells every agency of it."""
    version, document = office.keys.document()
    row = tx.session.exec(select(SeenDirectory)).first()
    if row is not None and row.document == document:
        return
    tx.session.execute(delete(SeenDirectory))
    tx.session.add(SeenDirectory(version=version, document=document, seen_at=tx.now))
    tx.changed.add("keys")
    if office.agency.coordinator is None:
        _tell(tx, office, document, version)


def _tell(tx: Transaction, office: Office, document: str, version: int) -> None:
    parts = json.loads(document)
    if len(parts["payload"]) > LONGEST_PART:  # some 140 keys: it must go by hand then
        log.error("key-directory.too-long-to-send", version=version)
        return
    published = KeysPublished(version=version, **parts)
    for agency in sorted(office.directory.agencies - {office.code}):
        tx.emit(draft(published, agency, office.speaker(tx.now.date())))


def heard(tx: Transaction, office: Office, sender: str, event: KeysPublished) -> None:
    """Go on with the directory that the coordinator has sent. Raises Park for one that must not be believed."""
    if sender != office.agency.coordinator:
        raise Park("not-the-coordinator")
    parts = {"protected": event.protected, "payload": event.payload, "signature": event.signature}
    try:
        office.keys.adopt(json.dumps(parts).encode())
    except Untrusted as error:
        if error.reason != "older-directory":  # the file was faster
            raise Park(error.reason) from error
    remember(tx, office)


async def keep(office: Office, database: Database) -> None:
    """Look at the file again and again, until cancelled; what is new is kept, and told."""
    kept: tuple[int, str] | None = None  # what was kept at the start may be older by now
    while True:
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        try:
            if (now := await asyncio.to_thread(office.keys.document)) != kept:
                await asyncio.to_thread(database.write, lambda tx: remember(tx, office))
                kept = now
        except SQLAlchemyError as error:
            log.error("key-directory.not-kept", error=type(error).__name__)
