"""The effect of each event of the catalogue at coordination, for every sender and receiver."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import col

from services.coordination import custody_checks, matching, projection, taken_back
from services.coordination.queries import journey_row
from shared.contracts import events as e
from shared.contracts.envelope import Envelope
from shared.domain.referral import ENDED, evolve, fault, open_referral
from shared.messaging.parked import Park
from shared.messaging.receipts import on_receipt
from shared.reference.office import Office, draft
from shared.service.slice import Receiver, ignore
from shared.storage import ledger, referrals
from shared.storage.tables import LedgerEntry
from shared.storage.unit_of_work import Transaction


def on_receipt_recorded(tx: Transaction, office: Office, envelope: Envelope, event: e.ReceiptRecorded) -> None:
    """A receipt for us confirms our event. A receipt of others may close their referral."""
    if envelope.receiver == office.code:
        on_receipt(tx, office, envelope, event)
    else:
        projection.close_receipted(tx, envelope, event)


def on_requested(tx: Transaction, office: Office, envelope: Envelope, event: e.Requested) -> None:
    """Open a referral. Raises Park ``referral-id-taken``."""
    if referrals.load(tx.session, event.referral_id) is not None:
        raise Park("referral-id-taken")
    projection.touch(tx, event.victim_id)  # read before any row is added, so that one flush writes all rows
    referrals.add(tx.session, open_referral(event), envelope.basis, tx.now)
    custody_checks.tell_contested(tx, office, envelope, event)
    tx.changed.add(event.referral_id)


def on_progressed(tx: Transaction, office: Office, envelope: Envelope, event: e.ReferralEvent) -> None:
    """Take a referral to its next version, and the journey with it. Raises Park for what the rules refuse."""
    row = referrals.load(tx.session, event.referral_id)
    assert row is not None  # the table of trust parks an event of an unknown referral
    referral = referrals.to_referral(row)
    # for asks too: an answer may arrive here before the ask that it answers
    reason = fault(referral, event, envelope.version)
    if reason == "version-conflict" and ledger.is_repeated(tx.session, envelope):
        reason = "version-repeated"
    if reason is not None:
        raise Park(reason)
    after = evolve(referral, event)
    projection.touch(tx, row.victim_id)  # read before any row changes, so that one flush writes all rows
    referrals.save(row, after, tx.now)
    if after.status in ENDED:
        row.closed = projection.is_receipted(tx, envelope, row)
    tx.changed.add(row.id)
    if (
        isinstance(event, e.Accepted)
        and event.custody is not None
        and not taken_back.moves_no_custody(tx, envelope, row, after)
    ):
        projection.add_custody_link(tx, row.victim_id, event.custody, event.occurred_at, row.id)
        matching.tell_new_holder(tx, office, row.victim_id)
        custody_checks.tell_overtaken(tx, office, envelope, event)
    if isinstance(event, e.Started):
        stage = office.directory.stage_of(row.receiver_agency, row.service)
        projection.record_stage(tx, row.victim_id, stage, referral.receiver, event.occurred_at)


def on_break_glass(tx: Transaction, office: Office, envelope: Envelope, event: e.BreakGlassEvent) -> None:
    """Pass a break-glass event on to the custody holder: the agency that looked may not know the current holder.

    Events of its end and review go to the agencies that were told of its opening. Raises Park ``not-in-custody``.
    """
    projection.count_event(tx, event.victim_id)
    if isinstance(event, e.BreakGlassOpened):
        journey = journey_row(tx.session, event.victim_id)
        if journey is None or journey.custody_agency is None:
            raise Park("not-in-custody")
        told = {journey.custody_agency} - {envelope.sender}
    else:
        told = _told_of_opening(tx, event)
    unit = office.speaker(tx.now.date())
    for agency in sorted(told):
        tx.emit(draft(event, agency, unit, victim_id=event.victim_id, causation_id=envelope.id))


def on_tokens_told(tx: Transaction, office: Office, envelope: Envelope, event: e.TokensTold) -> None:
    """Compare an agency's match tokens of a victim with those of others. Raises Park."""
    projection.count_event(tx, event.victim_id)
    matching.replace_match_tokens(tx, office, envelope, event)


def on_match_decided(tx: Transaction, office: Office, envelope: Envelope, event: e.MatchDecided) -> None:
    """Record the decision of one side of a proposal. Raises Park."""
    projection.count_event(tx, event.victim_id)
    matching.record_decision(tx, office, envelope, event)


def on_victim_interviewed(tx: Transaction, office: Office, envelope: Envelope, event: e.VictimInterviewed) -> None:
    """Count an interview in the journey."""
    projection.count_event(tx, event.victim_id)


def on_clock(tx: Transaction, office: Office, envelope: Envelope, event: e.ClockEvent) -> None:
    """Record a step of a desk's clock."""
    projection.record_step(tx, event)


def on_told_of_victim(
    tx: Transaction,
    office: Office,
    envelope: Envelope,
    event: e.ConsentRecorded | e.ConsentWithdrawn | e.ErasureRequested | e.DisclosureEnded,
) -> None:
    """Count an event that changes nothing in a journey but the list of its events."""
    projection.count_event(tx, event.victim_id)


def on_case_opened(tx: Transaction, office: Office, envelope: Envelope, event: e.CaseOpened) -> None:
    """Record the facts of a case. Raises Park ``case-taken``."""
    projection.record_case(tx, event)


def on_victim_registered(tx: Transaction, office: Office, envelope: Envelope, event: e.VictimRegistered) -> None:
    """Begin a journey, its custody chain and its stages. Raises Park ``registered-twice``."""
    projection.register(tx, event)


def on_stage_recorded(tx: Transaction, office: Office, envelope: Envelope, event: e.StageRecorded) -> None:
    """Record a stage of a journey."""
    projection.record_stage(tx, event.victim_id, event.stage, event.unit, event.occurred_at, by_holder=True)


def on_facts_corrected(tx: Transaction, office: Office, envelope: Envelope, event: e.FactsCorrected) -> None:
    """Correct the facts of a journey."""
    projection.correct_facts(tx, event)


def on_journey_closed(tx: Transaction, office: Office, envelope: Envelope, event: e.JourneyClosed) -> None:
    """Close a journey."""
    projection.close_journey(tx, event)


def on_paper(tx: Transaction, office: Office, envelope: Envelope, event: e.RecordFiled | e.LetterIssued) -> None:
    """Count a record or a letter in the journey of its victim."""
    if event.victim_id is not None:
        projection.count_event(tx, event.victim_id)


def _told_of_opening(tx: Transaction, event: e.BreakGlassEvent) -> set[str]:
    """The agencies to which coordination passed on the opening of this break-glass, in this transaction too."""
    sent = select(LedgerEntry).where(
        col(LedgerEntry.victim_id) == event.victim_id,
        col(LedgerEntry.sent),
        col(LedgerEntry.type) == e.BreakGlassOpened.type(),
    )
    envelopes = [Envelope.read(entry.body) for entry in tx.session.scalars(sent)]
    told = {one.receiver for one in envelopes if one.data["break_glass_id"] == event.break_glass_id}
    return told | {
        one.receiver
        for one in tx.drafts
        if isinstance(one.data, e.BreakGlassOpened) and one.data.break_glass_id == event.break_glass_id
    }


RECEIVERS: Mapping[type[e.EventData], Receiver] = {
    e.CaseOpened: on_case_opened,
    e.VictimRegistered: on_victim_registered,
    e.StageRecorded: on_stage_recorded,
    e.JourneyClosed: on_journey_closed,
    e.FactsCorrected: on_facts_corrected,
    **{one: on_progressed for one in e.CATALOGUE.values() if issubclass(one, e.ReferralEvent)},
    e.Requested: on_requested,
    e.CustodyAsked: custody_checks.on_custody_asked,
    **dict.fromkeys((e.ConsentRecorded, e.ConsentWithdrawn, e.ErasureRequested, e.DisclosureEnded), on_told_of_victim),
    **{one: on_break_glass for one in e.CATALOGUE.values() if issubclass(one, e.BreakGlassEvent)},
    **{one: on_clock for one in e.CATALOGUE.values() if issubclass(one, e.ClockEvent)},
    # no journey changes
    **dict.fromkeys((e.CapacityAnnounced, e.DeskDescribed, e.RecordDelivered), ignore),
    **dict.fromkeys((e.RecordFiled, e.LetterIssued), on_paper),
    e.VictimInterviewed: on_victim_interviewed,
    e.TokensTold: on_tokens_told,
    e.MatchDecided: on_match_decided,
    e.ReceiptRecorded: on_receipt_recorded,
    # only coordination publishes these
    **dict.fromkeys((e.CustodyChecked, e.MatchProposed, e.MatchWithdrawn, e.LinkWitnessed, e.KeysPublished), ignore),
}
"""Event class → what coordination does with it. Coordination reads every event of the catalogue."""

FOR_US_ALONE = (e.BreakGlassEvent, e.CustodyAsked, e.TokensTold, e.MatchDecided, e.VictimInterviewed, e.FactsCorrected)
"""Events that count only where they are sent to coordination itself."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """Coordination's ``Apply``: hands each event to its receiver. Raises ValueError for an event without one."""

    office: Office

    def __post_init__(self) -> None:
        if wrong := set(e.CATALOGUE.values()) ^ RECEIVERS.keys():
            raise ValueError(f"events that coordination must receive: {sorted(event.__name__ for event in wrong)}")

    def __call__(self, tx: Transaction, envelope: Envelope, event: e.EventData) -> None:
        """Apply one trusted event. Raises Park where the event cannot be applied, now or ever."""
        if isinstance(event, FOR_US_ALONE) and envelope.receiver != self.office.code:
            return
        RECEIVERS[type(event)](tx, self.office, envelope, event)
