"""HTTP answers about consents, withdrawals and the access report."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import BaseModel, Field

from shared.casework.consent.withdrawing import TakenBack
from shared.contracts.codes import AgeClass, ConsentManner, ConsentPurpose, GuardianPart, IdentityField
from shared.contracts.types import Id, Moment
from shared.domain.consent import Notice
from shared.victims.disclosure.store import to_consent
from shared.victims.disclosure.tables import ConsentRow
from shared.victims.disclosure.views import DisclosureView
from shared.victims.erasure.views import HoldView
from shared.victims.identity.views import AccessView


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
    person: str | None = Field(description="The person at that client who recorded the consent.")
    recorded_at: Moment
    withdrawn_at: Moment | None
    ended_at: Moment | None = Field(description="When the consent was withdrawn, expired or was replaced.")
    stands: bool = Field(
        description="Whether the consent is valid now. For a child, or at unknown age, it needs a guardian's part."
    )


class ConsentList(BaseModel):
    """The consents of a victim, oldest first."""

    items: list[ConsentView]


def consent_views(
    rows: Sequence[ConsentRow], notices: Mapping[str, Notice], now: datetime, age: AgeClass
) -> list[ConsentView]:
    """The views of a victim's consents, oldest first. Only the last one can stand. ``age``: as for every rule."""
    return [consent_view(row, notices, row is rows[-1] and to_consent(row).stands(now, age)) for row in rows]


def consent_view(row: ConsentRow, notices: Mapping[str, Notice], stands: bool) -> ConsentView:
    """The view of a consent. ``stands``: it is valid, and no newer version has replaced it."""
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
        stands=stands,
    )


class WithdrawalView(BaseModel):
    """The consents that a victim has withdrawn, including those that other agencies recorded."""

    victim_id: Id
    consents: list[Id]
    withdrawn_at: Moment


def withdrawal_view(taken: TakenBack) -> WithdrawalView:
    """The view of a withdrawal."""
    return WithdrawalView(victim_id=taken.victim_id, consents=list(taken.consents), withdrawn_at=taken.at)


class AccessReport(BaseModel):
    """The report for a data subject (UU 27/2022 Ps 7): who read their data here, for which purpose, and who received
    it. Also the legal holds that stop or stopped an erasure."""

    victim_id: Id
    looks: list[AccessView]
    disclosures: list[DisclosureView]
    consents: list[ConsentView]
    holds: list[HoldView]
