"""An event without a receipt is sent again, later and later, until its receipt comes; on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from shared.agency.member import LINEAGES
from shared.contracts.codes import ReceiptOutcome
from shared.contracts.events import ReceiptRecorded, Reminder
from shared.contracts.types import UnitRef
from shared.reference.office import draft, new_id
from shared.security.keys import SigningKey
from shared.storage import outbox
from shared.storage.migrate import migrate
from shared.storage.tables import LedgerEntry
from shared.storage.unit_of_work import Author, Database
from tests.support.databases import Databases

DESK = UnitRef(agency="police", unit="polres-74.01", region="74.01")


class Sending:
    """The police's database with one event to send, and a clock that is set by hand."""

    def __init__(self, url: str, key: SigningKey) -> None:
        self.now = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
        self.database = Database(url, Author("police", key), lambda: self.now)
        migrate(self.database.engine, LINEAGES)
        reminder = Reminder(referral_id=new_id(), victim_id=new_id(), occurred_at=self.now)
        self.database.write(lambda tx: tx.emit(draft(reminder, "kemenkes", DESK)))

    def publish(self) -> int:
        """Publish what is unsent; answers how many."""
        unsent = self.database.read(lambda session: outbox.unsent(session, 10))
        self.database.write(lambda tx: outbox.mark_published(tx.session, unsent, tx.now))
        return len(unsent)

    def after(self, passed: timedelta) -> int:
        """Let time pass and look what is due again; answers how many."""
        self.now += passed
        return self.database.write(lambda tx: outbox.resend_due(tx.session, tx.now))

    def take_receipt(self, peer: str = "kemenkes", sha256: str | None = None, linkseq: int = 1) -> str | None:
        """A receipt for the event comes from ``peer``; answers what is wrong with it."""
        entry = self.database.read(lambda session: session.scalars(select(LedgerEntry)).one())
        receipt = ReceiptRecorded(
            event_id=entry.event_id,
            sha256=sha256 or entry.sha256,
            linkseq=linkseq,
            outcome=ReceiptOutcome.APPLIED,
        )
        return self.database.write(
            lambda tx: outbox.confirm(
                tx.session, outbox.load_sent(tx.session, entry.event_id), receipt, new_id(), peer, tx.now
            )
        )


@pytest.fixture
def sending(database_url: Databases, secrets: Path) -> Iterator[Sending]:
    sending = Sending(database_url("police"), SigningKey.load(secrets / "police" / "keys" / "police-1.pem"))
    yield sending
    sending.database.close()


def test_an_event_without_a_receipt_is_resent_later_and_later_up_to_every_ten_minutes(sending: Sending) -> None:
    tick = timedelta(milliseconds=1)
    for seconds in (10, 20, 40, 80, 160, 320, 600, 600, 600):
        assert sending.publish() == 1
        assert sending.after(timedelta(seconds=seconds) - tick) == 0
        assert sending.publish() == 0
        assert sending.after(tick) == 1


def test_what_one_of_our_desks_tells_another_is_sent_once(sending: Sending) -> None:
    """Our ledger already has the event, so no receipt is due; it is sent for followers."""
    assert sending.publish() == 1 and sending.take_receipt() is None
    said = Reminder(referral_id=new_id(), victim_id=new_id(), occurred_at=sending.now)
    sending.database.write(lambda tx: tx.emit(draft(said, "police", DESK)))
    assert sending.publish() == 1
    assert sending.after(timedelta(days=1)) == 0


def test_a_receipt_ends_the_resending(sending: Sending) -> None:
    assert sending.publish() == 1
    assert sending.take_receipt() is None
    assert sending.after(timedelta(days=1)) == 0
    assert sending.take_receipt() is None  # a second one changes nothing


def test_nothing_but_the_receivers_receipt_for_these_bytes_ends_it(sending: Sending) -> None:
    assert sending.publish() == 1
    assert sending.take_receipt(peer="kemensos") == "receipt-of-unknown-event"
    assert sending.take_receipt(sha256="0" * 64) == "receipt-of-other-bytes"
    assert sending.take_receipt(linkseq=2) == "receipt-of-other-bytes"
    assert sending.after(timedelta(minutes=10)) == 1
