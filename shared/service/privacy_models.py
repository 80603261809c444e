"""Answers of the HTTP API about a victim's rights: consents, disclosures, readings, legal holds, erasures,
break-glass."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import BaseModel, Field

from shared.contracts.codes import (
    BreakGlassEnd,
    BreakGlassReason,
    ConsentManner,
    ConsentPurpose,
    DisclosureEnd,
    GuardianPart,
    HoldBasis,
    IdentityField,
    KeptBecause,
    Verdict,
)
from shared.contracts.types import Id, Moment
from shared.domain.consent import Notice
from shared.service.break_glass import is_overdue, review_due
from shared.service.consents import TakenBack
from shared.storage.agency_tables import AccessRow
from shared.storage.privacy import to_consent
from shared.storage.privacy_tables import BreakGlassRow, ConsentRow, DisclosureRow, ErasureRow, HoldRow


class ConsentView(BaseModel):
    """A consent (persetujuan) with the seven items of UU 27/2022 Ps 21(1). Times are UTC."""

    id: Id
    victim_id: Id
    version: int
    notice: str
    legality: str = Field(description="Ps 21(1) a: legalitas pemrosesan.")
    purposes: list[ConsentPurpose] = Field(description="Ps 21(1) b: tujuan.")
    fields: list[IdentityField] = Field(description="Ps 21(1) c: jenis dan relevansi data.")
    retention_days: int = Field(description="Ps 21(1) d: retensi dokumen, hari kalender setelah perjalanan ditutup.")
    collected: str = Field(description="Ps 21(1) e: rincian informasi yang dikumpulkan.")
    valid_until: Moment = Field(description="Ps 21(1) f: jangka waktu pemrosesan.")
    rights: str = Field(description="Ps 21(1) g: hak subjek data.")
    recipients: list[str]
    manner: ConsentManner
    guardian: GuardianPart
    recorded_by: str
    person: str | None = Field(description="Who of that client's people recorded it.")
    recorded_at: Moment
    withdrawn_at: Moment | None
    ended_at: Moment | None = Field(description="Withdrawn, expired, or replaced by the next version.")
    stands: bool = Field(description="Whether it can be relied on now.")


class ConsentList(BaseModel):
    """The consents of a victim, oldest first."""

    items: list[ConsentView]


def consent_views(rows: Sequence[ConsentRow], notices: Mapping[str, Notice], now: datetime) -> list[ConsentView]:
    """The views of a victim's consents, oldest first. Only the last one can stand."""
    return [consent_view(row, notices, now, latest=row is rows[-1]) for row in rows]


def consent_view(row: ConsentRow, notices: Mapping[str, Notice], now: datetime, latest: bool = True) -> ConsentView:
    """The view of a consent. ``latest``: no newer version has replaced it."""
    notice = notices[row.notice]
    return ConsentView(
        id=row.id,
        victim_id=row.victim_id,
        version=row.version,
        notice=row.notice,
        legality=notice.legality.id,
        purposes=row.purposes,
        fields=row.fields,
        retention_days=notice.retention_days,
        collected=notice.collected.id,
        valid_until=row.valid_until,
        rights=notice.rights.id,
        recipients=row.recipients,
        manner=ConsentManner(row.manner),
        guardian=GuardianPart(row.guardian),
        recorded_by=row.client,
        person=row.person,
        recorded_at=row.recorded_at,
        withdrawn_at=row.withdrawn_at,
        ended_at=row.ended_at,
        stands=latest and to_consent(row).stands(now),
    )


class DisclosureView(BaseModel):
    """A disclosure: data of a victim that this agency gave or received, and how the disclosure ended.

    ``given`` is true for data that this agency gave; ``agency`` is the other side.
    """

    referral_id: Id = Field(description="The referral it went with; or the record that was delivered (no fields then).")
    given: bool
    agency: str
    fields: list[IdentityField]
    basis: str
    consent_id: Id | None
    at: Moment
    end: DisclosureEnd | None
    kept_because: KeptBecause | None
    ended_at: Moment | None


def disclosure_view(row: DisclosureRow) -> DisclosureView:
    """The view of a disclosure."""
    return DisclosureView.model_validate(row, from_attributes=True)


class DisclosureList(BaseModel):
    """The disclosures of a victim's identity, given and received, oldest first."""

    items: list[DisclosureView]


class HoldView(BaseModel):
    """A legal hold (penahanan penghapusan): while it stands, this agency erases nothing of the victim."""

    basis: HoldBasis
    placed_at: Moment
    lifted_at: Moment | None


def hold_view(row: HoldRow) -> HoldView:
    """The view of a legal hold."""
    return HoldView.model_validate(row, from_attributes=True)


class HoldList(BaseModel):
    """The legal holds of a victim."""

    items: list[HoldView]


class ErasureView(BaseModel):
    """A request to erase a victim's identity, here and at every holder.

    ``approved``: the decision of a second person; null while it is pending.
    """

    erasure_id: Id
    victim_id: Id
    asked_by: str
    unit: str
    asked_at: Moment
    approved: bool | None
    decided_by: str | None
    decided_at: Moment | None


def erasure_view(row: ErasureRow) -> ErasureView:
    """The view of an erasure."""
    return ErasureView(
        erasure_id=row.id,
        victim_id=row.victim_id,
        asked_by=row.client,
        unit=row.unit,
        asked_at=row.asked_at,
        approved=row.approved,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
    )


class ErasurePage(BaseModel):
    """One page of erasure requests, newest first. Send ``next`` as ``cursor`` for the following page."""

    items: list[ErasureView]
    next: str | None


class WithdrawalView(BaseModel):
    """The consents that a victim has withdrawn, including those that other agencies recorded."""

    victim_id: Id
    consents: list[Id]
    withdrawn_at: Moment


def withdrawal_view(taken: TakenBack) -> WithdrawalView:
    """The view of a withdrawal."""
    return WithdrawalView(victim_id=taken.victim_id, consents=list(taken.consents), withdrawn_at=taken.at)


class AccessView(BaseModel):
    """A row of the access log: who read which fields of a victim, with which right, and for what purpose."""

    victim_id: Id
    client: str | None
    person: str | None
    role: str | None
    unit: str | None
    purpose: str
    right: str | None
    through: Id | None
    fields: list[str] = Field(description="Isian identitas, `note`, atau kode formulir / or the code of a form.")
    at: Moment


def access_view(row: AccessRow) -> AccessView:
    """The view of a row of the access log."""
    return AccessView.model_validate(row, from_attributes=True)


class AccessPage(BaseModel):
    """One page of the access log, newest first. Send ``next`` as ``cursor`` for the following page."""

    items: list[AccessView]
    next: str | None


class AccessReport(BaseModel):
    """The report for a data subject (UU 27/2022 Ps 7): who read their data here, for which purpose, and who received
    it."""

    victim_id: Id
    looks: list[AccessView]
    disclosures: list[DisclosureView]
    consents: list[ConsentView]


class BreakGlassView(BaseModel):
    """A break-glass (akses darurat): emergency access to an identity without the ordinary right.

    ``looks`` counts the readings. A second person must review it by ``review_due_at`` (UTC).
    """

    id: Id
    victim_id: Id
    agency: str
    unit: str
    client: str | None
    reason: BreakGlassReason
    opened_at: Moment
    until: Moment
    looks: int
    end: BreakGlassEnd | None
    ended_at: Moment | None
    verdict: Verdict | None
    reviewed_at: Moment | None
    review_due_at: Moment
    review_overdue: bool


def break_glass_view(row: BreakGlassRow, now: datetime) -> BreakGlassView:
    """The view of a break-glass at a moment."""
    return BreakGlassView(
        id=row.id,
        victim_id=row.victim_id,
        agency=row.agency,
        unit=row.unit,
        client=row.client,
        reason=BreakGlassReason(row.reason),
        opened_at=row.opened_at,
        until=row.until,
        looks=row.looks,
        end=BreakGlassEnd(row.end) if row.end else None,
        ended_at=row.ended_at,
        verdict=Verdict(row.verdict) if row.verdict else None,
        reviewed_at=row.reviewed_at,
        review_due_at=review_due(row),
        review_overdue=is_overdue(row, now),
    )


class BreakGlassNote(BaseModel):
    """The reason for a break-glass, in the words of the person who opened it."""

    text: str


class BreakGlassPage(BaseModel):
    """One page of break-glasses, newest first. Send ``next`` as ``cursor`` for the following page."""

    items: list[BreakGlassView]
    next: str | None
