"""The floor of ``make bench``: a bare endpoint that inserts the rows of a hand-over, beside the services."""

import asyncio
import itertools
import os
import threading
from contextlib import nullcontext
from typing import Annotated, Any

from fastapi import FastAPI, Header, Response
from sqlalchemy import insert, select
from sqlmodel import SQLModel, col

from deploy.bench.network import SENDER
from deploy.client.agency_system import AgencySystem, new_id
from deploy.local.embedded_nats import HOST, free_port
from deploy.local.stack import Stack, serve_command
from deploy.local.supervisor import ServiceProcess
from shared.agency.member import LINEAGES
from shared.domain.referral_commands import Request
from shared.storage.agency_tables import IdempotencyRow
from shared.storage.engine import open_engine
from shared.storage.migrate import migrate
from shared.storage.tables import LedgerEntry, OutboxEntry, ReferralRow

FLOOR_DATABASE, SENDER_DATABASE, EXAMPLE = "BENCH_FLOOR_DATABASE", "BENCH_SENDER_DATABASE", "BENCH_EXAMPLE"
"""The floor's environment variables: the database it writes, the sender's database, and the referral to copy."""


def floor() -> FastAPI:
    """The bare endpoint (``uvicorn --factory``): each POST inserts the rows of one real POST, with new ids."""
    engine = open_engine(os.environ[FLOOR_DATABASE]).execution_options(writes=True)
    # one writer at a time, as in Database: a thread that waits inside SQLite sleeps
    turn = threading.Lock() if engine.dialect.name == "sqlite" else nullcontext()
    rows = _rows_of(os.environ[SENDER_DATABASE], os.environ[EXAMPLE])
    answer, numbers = rows[IdempotencyRow]["body"], itertools.count(1)
    app = FastAPI()

    @app.post("/v1/referrals")
    def insert_rows(asked: Request, idempotency_key: Annotated[str, Header()]) -> Response:
        event, made = {"event_id": new_id(), "linkseq": next(numbers)}, new_id()
        about = {"referral_id": made, "victim_id": asked.victim_id}
        own: dict[type[SQLModel], dict[str, Any]] = {
            ReferralRow: {"id": made, "victim_id": asked.victim_id},
            LedgerEntry: event | about,
            OutboxEntry: event,
            IdempotencyRow: {"key": idempotency_key},
        }
        with turn, engine.begin() as connection:
            for table, row in rows.items():
                connection.execute(insert(table), row | own[table])
        return Response(answer, 201, {"Location": f"/v1/referrals/{made}"}, "application/json")

    return app


def _rows_of(database_url: str, referral_id: str) -> dict[type[SQLModel], dict[str, Any]]:
    """The rows that the POST of a referral inserted, without columns set by the database or by later events."""
    sent = select(col(LedgerEntry.event_id)).where(col(LedgerEntry.referral_id) == referral_id, col(LedgerEntry.sent))
    wanted: dict[type[SQLModel], Any] = {
        ReferralRow: col(ReferralRow.id) == referral_id,
        LedgerEntry: col(LedgerEntry.event_id).in_(sent),
        OutboxEntry: col(OutboxEntry.event_id).in_(sent),
        IdempotencyRow: col(IdempotencyRow.location) == f"/v1/referrals/{referral_id}",
    }
    later = {"number", "position", "published_at", "confirmed_at", "receipt_id", "resend_at"}
    engine = open_engine(database_url)
    with engine.connect() as connection:
        found = {table: connection.execute(select(table).where(is_it)).mappings() for table, is_it in wanted.items()}
        rows = {table: {k: v for k, v in row.one().items() if k not in later} for table, row in found.items()}
    engine.dispose()
    return rows


async def start_floor(stack: Stack, example: str) -> str:
    """Start the floor beside the services, on an empty database with the police's tables. Returns its URL."""
    database, url = stack.database_url("floor"), f"http://{HOST}:{free_port()}"
    engine = open_engine(database)
    await asyncio.to_thread(migrate, engine, LINEAGES)
    engine.dispose()
    environment = {FLOOR_DATABASE: database, SENDER_DATABASE: stack.database_url(SENDER), EXAMPLE: example}
    command = [*serve_command("deploy.bench.floor:floor", url), "--factory"]
    await stack.supervisor.start(ServiceProcess("floor", command, environment, stack.folder / "logs" / "floor.log"))
    system = AgencySystem("floor", url)
    await system.get("/openapi.json")  # repeated until it answers
    await system.close()
    return url
