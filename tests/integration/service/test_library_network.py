"""A library and its branch lend books with the same engine: it knows no ministry and needs no coordinator.

What differs is declared below: two agencies, their desks, their directory, their keys, their broker accounts.
"""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from deploy.credentials.secrets import make_secrets, network
from deploy.local.embedded_nats import EmbeddedNats
from shared.agency.member import agency_member
from shared.contracts.codes import Kind, Stage
from shared.contracts.subjects import addressed_to
from shared.domain.agency import Agency, Route, Service
from shared.domain.text import Text
from shared.reference.directory import write_directory
from tests.support.databases import SqliteDatabases
from tests.support.network import Client, Network, problem, provisioning, refer, until_told

LOAN = "loan-decided"
BEGUN = ["started", "rejected", "cancelled", "failed", "completed"]
CLOCKS = {
    LOAN: {
        "label": {"id": "Peminjaman diputuskan", "en": "Loan decided"},
        "basis": "House rules of the library",
        "source": "The test",
        "scope": "local-standard",
        "about": "referral",
        "limit": "PT48H",
        "counting": "elapsed",
        "starts": [{"event": "referral.requested"}],
        "stops": [{"event": f"referral.{word}"} for word in BEGUN],
        "by_itself": False,
        "warn_before": "PT12H",
        "escalate_after": ["PT24H", "PT48H"],
    }
}
LIBRARY = Agency(
    code="library",
    label=Text("Perpustakaan Kota", "City library"),
    subsatgas="lending",
    channels={"counter": Text("Meja layanan", "counter"), "letter": Text("Surat pembaca", "reader's letter")},
    services=(Service("cataloguing", Text("Pengatalogan", "Cataloguing"), Stage.IDENTIFICATION, LOAN),),
    routes=(
        Route("branch", "book-loan", frozenset({Kind.REFERRAL})),
        Route("branch", "membership", frozenset(Kind)),
    ),
)
BRANCH = Agency(
    code="branch",
    label=Text("Perpustakaan Cabang", "Branch library"),
    subsatgas="lending",
    channels={"van": Text("Perpustakaan keliling", "book van")},
    services=(
        Service("book-loan", Text("Peminjaman buku", "Book loan"), Stage.REINTEGRATION, LOAN),
        Service("membership", Text("Keanggotaan", "Membership"), Stage.AFTER_CARE, LOAN),
    ),
    routes=(Route("library", "cataloguing", frozenset({Kind.REFERRAL})),),
)
MEMBERS = {agency.code: agency_member(agency) for agency in (LIBRARY, BRANCH)}
UNITS = """\
agency,level,area,id,name,name_en,valid_from,valid_to,source
library,national,nation,main-hall,Aula Utama,Main hall,2020-01-01,,The test
library,regency,regency:74.01,reading-room,Ruang Baca {name},{name} reading room,2020-01-01,,The test
branch,national,nation,van-garage,Garasi,Garage,2020-01-01,,The test
branch,regency,regency,shelf-{code},Rak {name},{name} shelf,2020-01-01,,The test
"""


@pytest.fixture
async def libraries(tmp_path: Path) -> AsyncIterator[Network]:
    """The two, on SQLite, with a broker whose accounts are theirs alone."""
    units, directory, clocks = (tmp_path / name for name in ("units.csv", "directory.json", "clocks.json"))
    clocks.write_text(json.dumps(CLOCKS), encoding="utf-8")
    units.write_text(UNITS, encoding="utf-8")
    directory.write_text(write_directory([LIBRARY, BRANCH]), encoding="utf-8")
    secrets = tmp_path / "secrets"
    make_secrets(secrets, network(MEMBERS))
    readers = {code: addressed_to(code) for code in MEMBERS}
    with EmbeddedNats(tmp_path / "nats", secrets) as nats:
        async with provisioning(nats, readers):
            network_of_two = Network(
                tmp_path,
                secrets,
                nats,
                SqliteDatabases(tmp_path),
                members=MEMBERS,
                extra={"units_file": units, "directory_file": directory, "clocks_file": clocks},
            )
            yield network_of_two
            await network_of_two.stop_all()


async def a_reader(library: Client) -> str:
    """A person at the counter of the reading room. Answers the reader's pseudonym."""
    visit = {"unit": "reading-room", "channel": "counter", "exploitation": "unknown"}
    case = await library.post("/v1/cases", visit)
    assert case.status_code == 201, case.text
    reader = {"age_class": "adult", "sex": "unspecified", "home_region": "74.01"}
    response = await library.post(f"/v1/cases/{case.json()['id']}/victims", reader)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


async def test_a_book_is_asked_for_lent_and_returned(libraries: Network) -> None:
    library, branch = await libraries.start("library"), await libraries.start("branch")
    reader = await a_reader(library)
    loan = await refer(library, reader, "branch", "book-loan")

    arrived = await branch.until_status(loan, "received")
    assert arrived["receiver"] == {"agency": "branch", "unit": "shelf-74.01", "region": "74.01"}
    assert arrived["sender"]["unit"] == "reading-room"
    for action in ("accept", "start"):
        await branch.must(loan, action)
    await branch.must(loan, "complete", outcome="service-provided")

    returned = await library.until(f"/v1/referrals/{loan}", lambda seen: seen["closed"])
    assert (returned["status"], returned["outcome"], returned["version"]) == ("completed", "service-provided", 5)
    confirmed = await branch.until(f"/v1/referrals/{loan}", lambda seen: seen["closed"])
    assert confirmed["version"] == 5
    # a service was lent out; the reader is still the library's
    assert (await library.get(f"/v1/victims/{reader}"))["custody"]["agency"] == "library"


async def test_a_reader_moves_to_the_branch_and_is_the_librarys_no_more(libraries: Network) -> None:
    library, branch = await libraries.start("library"), await libraries.start("branch")
    reader = await a_reader(library)
    move = await refer(library, reader, "branch", "membership", kind="transfer")
    await branch.until_status(move, "received")
    await branch.must(move, "accept")
    await library.until_status(move, "accepted")
    for member in (library, branch):
        assert (await member.get(f"/v1/victims/{reader}"))["custody"]["unit"] == "shelf-74.01"


async def test_a_loan_that_nobody_decides_is_told_to_both_and_to_the_desk_above(libraries: Network) -> None:
    library, branch = await libraries.start("library"), await libraries.start("branch")
    loan = await refer(library, await a_reader(library), "branch", "book-loan")
    arrived = await branch.until_status(loan, "received")
    due = datetime.fromisoformat(arrived["sender_due_at"])
    assert due - datetime.fromisoformat(arrived["requested_at"]) == timedelta(hours=48)
    libraries.clock.advance(timedelta(hours=73))
    for member, desk in ((library, "reading-room"), (branch, "shelf-74.01")):
        await until_told(libraries, member.code, 3)
        [kept] = (await member.get("/v1/clocks"))["items"]
        assert (kept["unit"], kept["state"], kept["basis"]) == (desk, "overdue", "House rules of the library")
        # one desk stands above: it is told, and no other
        assert [(step["step"], step["told"]) for step in kept["steps"]] == [
            ("warned", True),
            ("breached", True),
            ("escalated", True),
        ]


async def test_the_libraries_rules_are_those_they_declare(libraries: Network) -> None:
    library = await libraries.start("library")
    reader = await a_reader(library)

    async def refused(**body: str | dict[str, str]) -> str:
        asked = {"victim_id": reader, "service": "book-loan", "receiver": {"agency": "branch"}, "basis": "public-task"}
        return problem(await library.post("/v1/referrals", asked | body))

    assert await refused(service="investigation") == "no-such-route"
    assert await refused(receiver={"agency": "police"}, service="investigation") == "no-such-route"
    assert await refused(kind="transfer") == "kind-not-on-route"
    assert await refused(receiver={"agency": "branch", "unit": "polres-74.01"}) == "unknown-unit"
