"""The stored response of an Idempotency-Key serves one client at one address. Its row does not reveal the key."""

from hashlib import sha256

from sqlalchemy import select

from shared.domain.identity import Identity
from shared.storage.agency_tables import IdempotencyRow
from tests.support.desks import KOLAKA, MAKASSAR, WHO, officers
from tests.support.network import Network, a_victim, problem


async def test_one_clients_key_is_not_anothers(police_alone: Network) -> None:
    owner, asked = await officers(police_alone)
    body = {"channel": "spkt", "exploitation": "sexual"}
    mine = await owner.post("/v1/cases", {"unit": KOLAKA, **body}, key="satu")
    theirs = await asked.post("/v1/cases", {"unit": MAKASSAR, **body}, key="satu")
    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert mine.json()["id"] != theirs.json()["id"]


async def test_a_key_is_for_one_address(police_alone: Network) -> None:
    """Of two victims who are told the same, the second is not given the answer for the first."""
    owner, _ = await officers(police_alone)
    one, other = [await a_victim(owner) for _ in range(2)]
    stage = {"stage": "protection"}
    assert (await owner.post(f"/v1/victims/{one}/stages", stage, key="tahap")).status_code == 201
    reused = await owner.post(f"/v1/victims/{other}/stages", stage, key="tahap")
    assert problem(reused) == "idempotency-key-reused"
    assert (await owner.get(f"/v1/victims/{other}"))["stage"] == "detection"


async def test_what_is_kept_of_a_post_cannot_be_guessed_from_it(police_alone: Network) -> None:
    """A NIK has few digits: a plain hash of what was sent could be tried out. The keyed one differs at each agency."""
    owner, _ = await officers(police_alone)
    path = f"/v1/victims/{await a_victim(owner)}/identity"
    assert (await owner.post(path, {"nik": WHO["nik"]})).status_code == 200
    sent = Identity(nik=WHO["nik"]).model_dump_json()
    guesses = {sha256(f"{lead}{sent}".encode()).hexdigest() for lead in ("", path, f"{path}\n")}
    rows = police_alone.apps["police"].state.database.read(lambda s: s.scalars(select(IdempotencyRow)).all())
    assert rows and not guesses & {row.fingerprint for row in rows}
