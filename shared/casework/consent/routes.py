"""HTTP routes: record, withdraw and list consents, and the access report of a victim (UU 27/2022 Ps 7)."""

from enum import Enum

from fastapi import APIRouter, Response
from sqlalchemy import select
from sqlmodel import Session, col

from shared.casework.consent import recording as consents
from shared.casework.consent import views, withdrawing
from shared.casework.consent.views import AccessReport, ConsentList, ConsentView, WithdrawalView
from shared.contracts.codes import AgeClass
from shared.domain.consent import RecordConsent, WithdrawConsent
from shared.http.admission import GuardedRoute, SightDep
from shared.http.caller_at_desk import CallerAtDeskDep
from shared.http.dependencies import DatabaseDep, IdPath, NowDep, OfficeDep, PostingDep
from shared.http.idempotency import StoredResponse
from shared.http.openapi import NOTED, responses
from shared.storage.unit_of_work import Transaction
from shared.victims.disclosure import store as disclosure
from shared.victims.disclosure import views as disclosure_views
from shared.victims.erasure import views as erasure_views
from shared.victims.identity import views as identity_views
from shared.victims.identity.tables import AccessRow
from shared.victims.register.store import see_concerned
from shared.victims.sealed import holds

router = APIRouter(prefix="/v1", route_class=GuardedRoute)
RIGHTS: list[str | Enum] = ["hak korban"]


@router.post(
    "/victims/{victim_id}/consents",
    status_code=201,
    response_model=ConsentView,
    tags=RIGHTS,
    summary="Catat persetujuan / Record a consent",
    responses=responses(
        "unknown-victim",
        "not-responsible",
        "unknown-notice",
        "not-agreed",
        "guardian-part-missing",
        "already-over",
        "valid-too-long",
        "unknown-agency",
        *NOTED,
    ),
)
def record_consent(victim_id: IdPath, command: RecordConsent, caller: CallerAtDeskDep, posting: PostingDep) -> Response:
    """Catat setelah korban diberi tahu tujuh hal menurut UU 27/2022 Ps 21(1). Menggantikan persetujuan sebelumnya.

    Record it after the person was told the seven items of UU 27/2022 Ps 21(1). It replaces the earlier consent.
    """

    def work(tx: Transaction) -> StoredResponse:
        row = consents.record(caller.acting(tx), victim_id, command)
        view = views.consent_view(row, caller.office.notices, stands=True)  # a consent that does not is refused
        return StoredResponse(201, view, f"/v1/victims/{victim_id}/consents")

    return posting.once(command, work)


@router.post(
    "/victims/{victim_id}/consents/withdrawal",
    response_model=WithdrawalView,
    tags=RIGHTS,
    summary="Tarik persetujuan / Withdraw a consent",
    responses=responses("unknown-victim", "not-responsible", "no-consent", *NOTED),
)
def withdraw_consent(
    victim_id: IdPath, command: WithdrawConsent, caller: CallerAtDeskDep, posting: PostingDep
) -> Response:
    """Pemberian data baru langsung berhenti. Setiap pemegang data diberi tahu dan menjawab dengan tanda terima. Berlaku
    juga bagi persetujuan yang dicatat instansi lain, bila datanya ada di sini.

    New disclosure stops at once. Each controller is told and answers with a receipt. It covers consents recorded by
    other agencies too, if their data is here.
    """

    def work(tx: Transaction) -> StoredResponse:
        taken = withdrawing.withdraw(caller.acting(tx), victim_id, command)
        return StoredResponse(200, views.withdrawal_view(taken))

    return posting.once(command, work)


@router.get(
    "/victims/{victim_id}/consents",
    tags=RIGHTS,
    summary="Daftar persetujuan / List consents",
    responses=responses("unknown-victim", "not-responsible"),
)
def list_consents(
    victim_id: IdPath, office: OfficeDep, sight: SightDep, database: DatabaseDep, now: NowDep
) -> ConsentList:
    """Setiap versi persetujuan, dengan tujuh hal yang diberitahukan.

    Each version of the consent, with the seven items that were told.
    """

    def look(session: Session) -> ConsentList:
        age = AgeClass(see_concerned(session, sight, victim_id).rule_age)
        rows = disclosure.consents_of(session, victim_id)
        return ConsentList(items=views.consent_views(rows, office.notices, now, age))

    return database.read(look)


@router.get(
    "/victims/{victim_id}/access-report",
    tags=RIGHTS,
    summary="Laporan akses bagi korban / A person's own access report",
    responses=responses("unknown-victim", "not-responsible"),
)
def see_access_report(
    victim_id: IdPath, office: OfficeDep, sight: SightDep, database: DatabaseDep, now: NowDep
) -> AccessReport:
    """Siapa yang melihat data korban di instansi ini, untuk apa, dan kepada siapa data diberikan (UU 27/2022 Ps 7).

    Each look at the person's data at this agency, with its reason. Also the agencies to which data was given (UU
    27/2022 Ps 7).
    """

    def look(session: Session) -> AccessReport:
        age = AgeClass(see_concerned(session, sight, victim_id).rule_age)
        # all rows, without pages: an incomplete report would be false
        theirs = select(AccessRow).where(col(AccessRow.victim_id) == victim_id)
        rows = session.scalars(theirs.order_by(col(AccessRow.number).desc()))
        return AccessReport(
            victim_id=victim_id,
            looks=[identity_views.access_view(row) for row in rows],
            disclosures=[
                disclosure_views.disclosure_view(row) for row in disclosure.disclosures_of(session, victim_id)
            ],
            consents=views.consent_views(disclosure.consents_of(session, victim_id), office.notices, now, age),
            holds=[erasure_views.hold_view(row) for row in holds.every_hold_of(session, victim_id)],
        )

    return database.read(look)
