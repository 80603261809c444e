"""A victim's rights: consent, disclosures, access report, legal holds, erasure."""

from enum import Enum

from fastapi import APIRouter, Depends, Response
from sqlalchemy import select
from sqlmodel import Session, col

from shared.domain import commands as c
from shared.service import consents, erasure, identities, security_log
from shared.service import privacy_models as m
from shared.service.admission import CallerDep, GuardedRoute, SightDep
from shared.service.dependencies import Cursor, DatabaseDep, IdPath, Limit, Now, OfficeDep, PostingDep
from shared.service.idempotency import Answer
from shared.service.limits import limit_searches
from shared.service.problems import COMMANDED, responses
from shared.service.read_models import VictimList, victim_view
from shared.storage import privacy, seen
from shared.storage.agency_tables import AccessRow
from shared.storage.database import Transaction
from shared.storage.pages import newest_first
from shared.storage.privacy_tables import ErasureRow
from shared.storage.victims import see_concerned

router = APIRouter(prefix="/v1", route_class=GuardedRoute)
RIGHTS: list[str | Enum] = ["hak korban"]


@router.post(
    "/victim-search",
    tags=["korban"],
    summary="Cari korban menurut NIK atau telepon / Find a victim by NIK or telephone",
    dependencies=[Depends(limit_searches)],
    responses=responses("not-such-a-number", "malformed-json", "body-too-large", "unsupported-media-type"),
)
def search_victims(
    command: c.Search, office: OfficeDep, caller: CallerDep, sight: SightDep, database: DatabaseDep
) -> VictimList:
    """Nomor tidak disimpan dan tidak dicatat; hanya sidiknya yang dibandingkan. Jumlah pencarian dibatasi."""

    def work(tx: Transaction) -> VictimList:
        found = identities.search(tx, office, caller, sight, command.field, command.value)
        security_log.searched(tx, caller, command.field)
        return VictimList(items=[victim_view(row) for row in found])

    return database.write(work)


@router.post(
    "/victims/{victim_id}/consents",
    status_code=201,
    response_model=m.ConsentView,
    tags=RIGHTS,
    summary="Catat persetujuan / Record a consent",
    responses=responses(
        "unknown-victim",
        "not-responsible",
        "unknown-notice",
        "not-agreed",
        "guardian-part-missing",
        "already-over",
        "unknown-agency",
        "id-taken",
        *COMMANDED,
    ),
)
def record_consent(
    victim_id: IdPath,
    command: c.RecordConsent,
    office: OfficeDep,
    caller: CallerDep,
    sight: SightDep,
    posting: PostingDep,
) -> Response:
    """Catat setelah korban diberi tahu tujuh hal menurut UU 27/2022 Ps 21(1). Menggantikan persetujuan sebelumnya."""

    def work(tx: Transaction) -> Answer:
        row = consents.record(tx, office, caller, sight, victim_id, command)
        view = m.consent_view(row, office.notices, tx.now)
        return Answer(201, view, f"/v1/victims/{victim_id}/consents")

    return posting.once(command, work)


@router.post(
    "/victims/{victim_id}/consents/withdrawal",
    response_model=m.WithdrawalView,
    tags=RIGHTS,
    summary="Tarik persetujuan / Withdraw a consent",
    responses=responses("unknown-victim", "not-responsible", "no-consent", *COMMANDED),
)
def withdraw_consent(
    victim_id: IdPath,
    command: c.WithdrawConsent,
    office: OfficeDep,
    caller: CallerDep,
    sight: SightDep,
    posting: PostingDep,
) -> Response:
    """Pemberian data baru langsung berhenti. Setiap pemegang data diberi tahu dan menjawab dengan tanda terima. Berlaku
    juga bagi persetujuan yang dicatat instansi lain, bila datanya ada di sini."""

    def work(tx: Transaction) -> Answer:
        taken = consents.withdraw(tx, office, caller, sight, victim_id, command)
        return Answer(200, m.withdrawal_view(taken))

    return posting.once(command, work)


@router.get(
    "/victims/{victim_id}/consents",
    tags=RIGHTS,
    summary="Daftar persetujuan / List consents",
    responses=responses("unknown-victim", "not-responsible"),
)
def list_consents(
    victim_id: IdPath, office: OfficeDep, sight: SightDep, database: DatabaseDep, now: Now
) -> m.ConsentList:
    """Setiap versi persetujuan, dengan tujuh hal yang diberitahukan."""

    def look(session: Session) -> m.ConsentList:
        see_concerned(session, sight, victim_id)
        rows = privacy.consents_of(session, victim_id)
        return m.ConsentList(items=m.consent_views(rows, office.notices, now))

    return database.read(look)


@router.get(
    "/victims/{victim_id}/disclosures",
    tags=RIGHTS,
    summary="Yang diberikan dan diterima / What was given and received",
    responses=responses("unknown-victim", "not-responsible"),
)
def list_disclosures(victim_id: IdPath, sight: SightDep, database: DatabaseDep) -> m.DisclosureList:
    """Untuk tiap pemberian data: isiannya, penerima atau pemberinya, dasarnya, dan akhirnya."""

    def look(session: Session) -> m.DisclosureList:
        see_concerned(session, sight, victim_id)
        rows = privacy.disclosures_of(session, victim_id)
        return m.DisclosureList(items=[m.disclosure_view(row) for row in rows])

    return database.read(look)


@router.get(
    "/victims/{victim_id}/access-report",
    tags=RIGHTS,
    summary="Laporan akses bagi korban / A person's own access report",
    responses=responses("unknown-victim", "not-responsible"),
)
def see_access_report(
    victim_id: IdPath, office: OfficeDep, sight: SightDep, database: DatabaseDep, now: Now
) -> m.AccessReport:
    """Siapa yang melihat data korban di instansi ini, untuk apa, dan kepada siapa data diberikan (UU 27/2022 Ps 7)."""

    def look(session: Session) -> m.AccessReport:
        see_concerned(session, sight, victim_id)
        # all rows, without pages: an incomplete report would be false
        theirs = select(AccessRow).where(col(AccessRow.victim_id) == victim_id)
        rows = session.scalars(theirs.order_by(col(AccessRow.number).desc()))
        return m.AccessReport(
            victim_id=victim_id,
            looks=[m.access_view(row) for row in rows],
            disclosures=[m.disclosure_view(row) for row in privacy.disclosures_of(session, victim_id)],
            consents=m.consent_views(privacy.consents_of(session, victim_id), office.notices, now),
        )

    return database.read(look)


@router.get("/access-log", tags=["akses"], summary="Buku akses / The access log", responses=responses("unknown-cursor"))
def list_access(
    office: OfficeDep, sight: SightDep, database: DatabaseDep, cursor: Cursor = None, limit: Limit = 50
) -> m.AccessPage:
    """Siapa melihat identitas siapa, kapan, dan untuk apa; oleh satuan Anda dan satuan di bawahnya. Terbaru dahulu."""

    def look(session: Session) -> m.AccessPage:
        rows, more = newest_first(session, office.vault, AccessRow, [seen.looks(sight)], cursor, limit)
        return m.AccessPage(items=[m.access_view(row) for row in rows], next=more)

    return database.read(look)


@router.post(
    "/victims/{victim_id}/legal-holds",
    status_code=201,
    response_model=m.HoldView,
    tags=RIGHTS,
    summary="Tahan penghapusan / Place a legal hold",
    responses=responses("unknown-victim", "not-responsible", *COMMANDED),
)
def place_hold(
    victim_id: IdPath, command: c.PlaceHold, caller: CallerDep, sight: SightDep, posting: PostingDep
) -> Response:
    """Selama penahanan berlaku, data korban tidak dihapus di instansi ini."""

    def work(tx: Transaction) -> Answer:
        return Answer(201, m.hold_view(erasure.place_hold(tx, caller, sight, victim_id, command)))

    return posting.once(command, work)


@router.post(
    "/victims/{victim_id}/legal-holds/lifting",
    response_model=m.HoldList,
    tags=RIGHTS,
    summary="Cabut penahanan / Lift the legal holds",
    responses=responses("unknown-victim", "not-responsible", "not-your-unit", *COMMANDED),
)
def lift_holds(
    victim_id: IdPath,
    command: c.LiftHold,
    office: OfficeDep,
    caller: CallerDep,
    sight: SightDep,
    posting: PostingDep,
) -> Response:
    """Mencabut semua penahanan atas korban ini di instansi ini."""

    def work(tx: Transaction) -> Answer:
        rows = erasure.lift_holds(tx, office, caller, sight, victim_id, command)
        return Answer(200, m.HoldList(items=[m.hold_view(row) for row in rows]))

    return posting.once(command, work)


@router.post(
    "/victims/{victim_id}/erasure",
    status_code=202,
    response_model=m.ErasureView,
    tags=RIGHTS,
    summary="Minta penghapusan identitas di mana-mana / Ask that an identity be erased everywhere",
    responses=responses("unknown-victim", "not-custody-holder", "legal-hold", "already-asked", "id-taken", *COMMANDED),
)
def erase(
    victim_id: IdPath, command: c.Erase, office: OfficeDep, caller: CallerDep, sight: SightDep, posting: PostingDep
) -> Response:
    """Penghapusan menunggu keputusan orang kedua (`/erasure/decision`), karena data yang dimusnahkan tidak dapat
    dikembalikan."""

    def work(tx: Transaction) -> Answer:
        return Answer(202, m.erasure_view(erasure.ask(tx, office, caller, sight, victim_id, command)))

    return posting.once(command, work)


@router.post(
    "/victims/{victim_id}/erasure/decision",
    response_model=m.ErasureView,
    tags=RIGHTS,
    summary="Putuskan penghapusan / Decide an erasure",
    responses=responses(
        "unknown-victim",
        "not-custody-holder",
        "legal-hold",
        "unknown-erasure",
        "already-decided",
        "second-person-needed",
        *COMMANDED,
    ),
)
def decide_erasure(
    victim_id: IdPath,
    command: c.DecideErasure,
    office: OfficeDep,
    caller: CallerDep,
    sight: SightDep,
    posting: PostingDep,
) -> Response:
    """Keputusan oleh orang kedua. Bila disetujui, kunci di sini langsung dimusnahkan. Setiap pemegang data diminta
    melakukan hal yang sama, lalu menjawab."""

    def work(tx: Transaction) -> Answer:
        return Answer(200, m.erasure_view(erasure.decide(tx, office, caller, sight, victim_id, command)))

    return posting.once(command, work)


@router.get(
    "/erasures",
    tags=RIGHTS,
    summary="Permintaan penghapusan / Erasures asked for",
    responses=responses("unknown-cursor"),
)
def list_erasures(
    office: OfficeDep, sight: SightDep, database: DatabaseDep, cursor: Cursor = None, limit: Limit = 50
) -> m.ErasurePage:
    """Penghapusan yang diminta satuan Anda, atau atas korban yang menjadi tanggung jawab Anda. Terbaru dahulu."""

    def look(session: Session) -> m.ErasurePage:
        rows, more = newest_first(session, office.vault, ErasureRow, [seen.erasures(sight)], cursor, limit)
        return m.ErasurePage(items=[m.erasure_view(row) for row in rows], next=more)

    return database.read(look)
