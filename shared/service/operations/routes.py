"""Operations of any member, for operators: parked events and replay, links, schemas, problems, keys, health."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from sqlalchemy import case, func, select
from sqlmodel import Session, col

from shared.contracts.envelope import Envelope
from shared.contracts.events import CATALOGUE
from shared.contracts.schemas import schema_of
from shared.contracts.types import EVENT_TYPE
from shared.domain.refusal import Refused
from shared.http import problems
from shared.http.admission import GuardedRoute
from shared.http.dependencies import DatabaseDep, OfficeDep, PageDep
from shared.http.openapi import responses
from shared.http.route_traits import route_traits
from shared.service.app_state import service_state_of
from shared.service.operations.views import (
    Health,
    LinkList,
    LinkView,
    ParkedPage,
    ParkedView,
    ProblemKind,
    ProblemList,
    PublicKeys,
    SchemaList,
    UnkeptView,
    parked_view,
)
from shared.storage.pages import newest_first
from shared.storage.tables import LedgerEntry, OutboxEntry, ParkedEvent, ReceivedLink, SentLink, UnkeptMessages
from shared.storage.unit_of_work import Transaction

router = APIRouter(tags=["operasi"], route_class=GuardedRoute)

SHOWN_MISSING = 100
"""Missing numbers that the answer lists for one link, at most."""


@router.get("/v1/parked", summary="Peristiwa tertahan / Parked events", responses=responses("unknown-cursor"))
def list_parked(office: OfficeDep, database: DatabaseDep, page: PageDep) -> ParkedPage:
    """Peristiwa yang belum atau tidak dapat diterapkan. Semua disimpan, terlihat, dan dapat diulang. Terbaru dahulu.

    Events that cannot be applied yet, or at all. All are kept, visible, and can be replayed. Newest first.
    """

    def look(session: Session) -> ParkedPage:
        rows, more = newest_first(session, office.vault, ParkedEvent, (), page)
        unkept = session.scalars(select(UnkeptMessages).order_by(col(UnkeptMessages.sender))).all()
        counted = [UnkeptView.model_validate(row, from_attributes=True) for row in unkept]
        return ParkedPage(items=[parked_view(row) for row in rows], next=more, unkept=counted)

    return database.read(look)


@router.post(
    "/v1/parked/{number}/replay",
    summary="Ulangi peristiwa tertahan / Replay a parked event",
    responses=responses("unknown-parked-event", "replay-failed"),
)
def replay(number: Annotated[int, Path(ge=1, le=9_999_999_999)], request: Request, database: DatabaseDep) -> ParkedView:
    """Coba terapkan peristiwa ini lagi. Peristiwa yang tidak dapat dipercaya tidak pernah diterapkan. Aman diulang.

    Try to apply this event again. An event that cannot be trusted is never applied. It is safe to repeat.
    """
    reception = service_state_of(request).reception

    def work(tx: Transaction) -> tuple[ParkedView, str | None]:
        statement = select(ParkedEvent).where(col(ParkedEvent.number) == number).with_for_update()
        row = tx.session.scalars(statement).first() if 0 < number < 2**63 else None
        if row is None:
            raise Refused("unknown-parked-event")
        if row.resolved_at is not None:
            return parked_view(row), None
        if not row.trusted:
            return parked_view(row), row.reason
        envelope = Envelope.read(row.body)
        reason = reception.attempt_parked(tx, envelope, row)
        return parked_view(row), reason

    view, reason = database.write(work)
    if reason is not None:
        raise Refused("replay-failed", reason=reason)
    return view


@router.get("/v1/links", summary="Keadaan tiap jalur / How every link stands")
def list_links(request: Request, database: DatabaseDep) -> LinkList:
    """Jalur kirim: nomor terakhir, jumlah yang belum terkirim, dan jumlah yang belum ada tanda terimanya. Jalur terima:
    nomor yang hilang.

    Sending: the last number, those not yet published, and those without a receipt. Receiving: the numbers that are
    missing.
    """
    return database.read(lambda session: LinkList(items=_sent(session, database) + _received(session)))


def _sent(session: Session, database: Any) -> list[LinkView]:
    unpublished = func.sum(case((col(OutboxEntry.published_at).is_(None), 1), else_=0))
    unconfirmed = func.sum(case((col(OutboxEntry.confirmed_at).is_(None), 1), else_=0))
    owed = {
        peer: (int(waiting), int(unreceipted))
        for peer, waiting, unreceipted in session.execute(
            select(col(OutboxEntry.peer), unpublished, unconfirmed).group_by(col(OutboxEntry.peer))
        )
    }
    links = []
    for row in session.scalars(select(SentLink).order_by(col(SentLink.peer))):
        waiting, unreceipted = owed.get(row.peer, (0, 0))
        links.append(
            LinkView(
                link=f"{database.author.agency}>{row.peer}",
                direction="sent",
                last=row.last,
                unpublished=waiting,
                unconfirmed=unreceipted,
                witnessed=row.witnessed,
            )
        )
    return links


def _received(session: Session) -> list[LinkView]:
    links = []
    for row in session.scalars(select(ReceivedLink).order_by(col(ReceivedLink.link))):
        missing: list[int] = []
        if row.highest > row.through:
            beyond = select(col(LedgerEntry.linkseq)).where(
                col(LedgerEntry.link) == row.link, col(LedgerEntry.linkseq) > row.through
            )
            present = set(session.scalars(beyond))
            gaps = (n for n in range(row.through + 1, row.highest) if n not in present)
            missing = [n for n, _ in zip(gaps, range(SHOWN_MISSING), strict=False)]
        links.append(
            LinkView(link=row.link, direction="received", last=row.highest, through=row.through, missing=missing)
        )
    return links


@router.get("/v1/schemas", summary="Daftar skema peristiwa / Event schemas")
@route_traits(cacheable=True)
def list_schemas() -> SchemaList:
    """Setiap jenis peristiwa di jaringan ini.

    Every type of event in this network.
    """
    return SchemaList(items=sorted(CATALOGUE))


@router.get(
    "/v1/schemas/{event_type}",
    summary="Skema satu peristiwa / The schema of an event",
    responses=responses("unknown-schema"),
)
@route_traits(cacheable=True)
def see_schema(
    event_type: Annotated[str, Path(max_length=120, pattern=EVENT_TYPE)],
) -> dict[str, Any]:
    """JSON Schema 2020-12 dari seluruh amplop CloudEvents.

    The JSON Schema 2020-12 of the whole CloudEvents envelope.
    """
    if event_type not in CATALOGUE:
        raise Refused("unknown-schema")
    return schema_of(CATALOGUE[event_type])


@router.get("/v1/keys", summary="Kunci publik / Public keys", response_model_exclude_none=True)
@route_traits(cacheable=True)
def see_keys(request: Request) -> PublicKeys:
    """Untuk memeriksa `Estafet-Signature: <kid>;<base64>`: Ed25519 atas byte pesan, persis seperti diterima.

    To verify `Estafet-Signature: <kid>;<base64>`: Ed25519 over the bytes of the message, exactly as received.
    """
    return PublicKeys.model_validate(service_state_of(request).reception.keys.current().as_jwks())


@router.get("/v1/problems", summary="Daftar penolakan / Every refusal there is")
@route_traits(cacheable=True)
def list_problems(request: Request) -> ProblemList:
    """Setiap `type` penolakan dari layanan ini, dengan tindakan yang perlu dilakukan.

    Every `type` of refusal of this service, with what to do.
    """
    return ProblemList(
        items=[
            ProblemKind(
                type=problems.TYPE_PREFIX + code,
                status=kind.status,
                title=kind.title.id,
                title_en=kind.title.en,
                remedy=kind.remedy.id,
                remedy_en=kind.remedy.en,
            )
            for code, kind in problems.refusals_of(request).items()
        ]
    )


@router.get("/health/live", summary="Hidup / Alive")
@route_traits(always_answered=True)
def alive(request: Request) -> Health:
    """Proses ini berjalan.

    The process runs.
    """
    return _health(request)


@router.get("/health/ready", summary="Siap / Ready", responses=responses("unavailable"))
@route_traits(always_answered=True)
def ready(request: Request, database: DatabaseDep) -> Health:
    """Basis data menjawab. Keadaan broker disebutkan, tetapi tidak menentukan.

    The database answers. The state of the broker is shown, but does not decide.
    """
    database.read(lambda session: session.execute(select(1)).scalar_one())
    return _health(request)


def _health(request: Request) -> Health:
    service = service_state_of(request)
    broker = service.broker
    if broker is None:
        state = "none"
    elif not broker.connected.is_set():
        state = "disconnected"
    else:
        state = "refusing" if broker.refusing else "connected"
    return Health(status="ok", member=service.member, broker=state)
