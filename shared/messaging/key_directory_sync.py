"""The newest key directory that a member has seen. A restart keeps the directory; the coordinator sends it to
agencies.

A member gets a new directory from its file or from the coordinator, whichever is first. Both count only with the task
force's signature, and never with an older version. So a restart with an older file cannot undo a revocation.
"""

import asyncio
import json

import structlog
from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, select

from shared.contracts.envelope import Envelope
from shared.contracts.events import KeysPublished
from shared.contracts.types import LONGEST_PART
from shared.messaging.parked import Park
from shared.reference.office import Office, draft
from shared.security.key_directory import LOOK_AGAIN_SECONDS, DirectoryFile
from shared.security.public_keys import Untrusted
from shared.storage.notifier import Topic
from shared.storage.tables import SeenDirectory
from shared.storage.unit_of_work import Database, Transaction

log = structlog.get_logger()


def recall(session: Session, keys: DirectoryFile) -> None:
    """At start, continue with the directory that was seen last, where the file is older."""
    row = session.exec(select(SeenDirectory)).first()
    if row is None:
        return
    try:
        keys.adopt(row.document.encode())
    except Untrusted as error:
        if error.reason != "older-directory":  # another root, or a fork: only the file decides
            log.error("key-directory.refused", reason=error.reason, version=row.version)


def remember(tx: Transaction, office: Office) -> None:
    """Store the current directory if it changed. The coordinator sends it to every agency."""
    version, document = office.keys.document()
    row = tx.session.exec(select(SeenDirectory)).first()
    if row is not None and row.document == document:
        return
    tx.session.execute(delete(SeenDirectory))
    tx.session.add(SeenDirectory(version=version, document=document, seen_at=tx.now))
    tx.changed.add(Topic.KEYS)
    if office.agency.coordinator is None:
        _tell(tx, office, document, version)


def _tell(tx: Transaction, office: Office, document: str, version: int) -> None:
    parts = json.loads(document)
    if len(parts["payload"]) > LONGEST_PART:  # some 140 keys: operators must then copy it by hand
        log.error("key-directory.too-long-to-send", version=version)
        return
    published = KeysPublished(version=version, **parts)
    for agency in sorted(office.directory.agencies - {office.code}):
        tx.emit(draft(published, agency, office.speaker(tx.now.date())))


def on_keys_published(tx: Transaction, office: Office, envelope: Envelope, event: KeysPublished) -> None:
    """Adopt the directory that the coordinator sent. Raises Park for a directory that must not be trusted."""
    parts = {"protected": event.protected, "payload": event.payload, "signature": event.signature}
    try:
        office.keys.adopt(json.dumps(parts).encode())
    except Untrusted as error:
        if error.reason != "older-directory":  # the file came first
            raise Park(error.reason) from error
    remember(tx, office)


async def poll(office: Office, database: Database) -> None:
    """Read the file again every ``LOOK_AGAIN_SECONDS``, until cancelled. A new directory is stored and published."""
    kept: tuple[int, str] | None = None  # the directory stored at start may be outdated by now
    while True:
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        try:
            if (now := await asyncio.to_thread(office.keys.document)) != kept:
                await asyncio.to_thread(database.write, lambda tx: remember(tx, office))
                kept = now
        except SQLAlchemyError as error:
            log.error("key-directory.not-kept", error=type(error).__name__)
