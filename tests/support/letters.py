"""Letters: how a test prints them, reads them and answers on their slips."""

import io
from datetime import datetime
from typing import Any

from pypdf import PdfReader
from sqlalchemy import select

from shared.victims.identity.tables import AccessRow
from tests.support.network import Client, Network

WHO = {"name": "Melati Contoh Rekaan", "born_on": "2001-02-28", "phone": "+628000000004", "address": "Jalan Rekaan 7",
       "statement": "Cerita rekaan."}  # fmt: skip
CARE = "examination-and-treatment"
LETTER, SLIP = "referral-letter", "reply-slip"


async def printed(client: Client, referral: str, kind: str = LETTER) -> str:
    """Print something of a referral; answers its code."""
    made = await client.post(f"/v1/referrals/{referral}/letters", {"kind": kind})
    assert made.status_code == 201, made.text
    return str(made.json()["code"])


async def on_paper(client: Client, code: str) -> str:
    """The text of a letter, as printed."""
    answer = await client.http.get(f"/v1/letters/{code}/pdf", params={"purpose": "care"})
    assert answer.status_code == 200, answer.text
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("application/pdf", "no-store")
    pages = PdfReader(io.BytesIO(answer.content)).pages
    for number, page in enumerate(pages, 1):
        assert f"Halaman {number} dari {len(pages)}" in page.extract_text() and code in page.extract_text()
    return " ".join(" ".join(page.extract_text().split()) for page in pages)


async def until_heard(sender: Client, receiver: Client, referral: str) -> None:
    """Wait until the receiver knows the sender's words about a referral so far: a link keeps its order."""
    asks = (await sender.must(referral, "remind"))["asks"]
    await receiver.until(f"/v1/referrals/{referral}", lambda seen: seen["asks"] == asks)


def looks(network: Network, code: str) -> list[tuple[str, list[str]]]:
    """Why somebody looked at an identity here, and at what; without the search that a registration is."""
    rows = network.apps[code].state.database.read(lambda session: session.scalars(select(AccessRow)).all())
    return [(row.purpose, row.fields) for row in rows if row.purpose != "search"]


def slip_of(code: str, signed_at: datetime, **said: Any) -> dict[str, Any]:
    return {"letter": code, "answer": "accepted", "signed_by": "Petugas Rekaan", "occurred_at": signed_at.isoformat(),
            **said}  # fmt: skip
