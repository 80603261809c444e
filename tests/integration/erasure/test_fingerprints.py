"""After an erasure no keyed hash is left that could be tried for who the person was. TRUST 20."""

from sqlalchemy import select

from shared.casework.people_list.tables import BatchRow
from shared.domain.identity import Identity
from shared.reference.office import new_id
from shared.storage.agency_tables import IdempotencyRow
from tests.support.identities import WHO
from tests.support.network import Network, a_victim, erase, problem

FACTS = {"role": "victim", "age_class": "adult", "sex": "female"}
PEOPLE = [{**FACTS, "identity": {"name": name}} for name in (WHO["name"], "Kenanga Rekaan")]


async def test_the_hash_of_a_list_goes_with_the_first_of_its_people_who_is_erased(police_alone: Network) -> None:
    police = police_alone["police"]
    case = {"unit": "polres-74.01", "channel": "spkt", "exploitation": "online-scam"}
    path = f"/v1/cases/{(await police.post('/v1/cases', case)).json()['id']}/batches"
    taken = await police.post(path, {"people": PEOPLE}, key=(key := new_id()))
    assert taken.status_code == 200, taken.text
    database = police_alone.apps["police"].state.database
    [batch] = database.read(lambda s: s.scalars(select(BatchRow)).all())
    assert batch.fingerprint
    people = (await police.get(f"/v1/batches/{batch.id}"))["items"]
    assert people[0]["victim_id"], people
    await erase(police_alone, "police", people[0]["victim_id"])
    [batch] = database.read(lambda s: s.scalars(select(BatchRow)).all())
    assert batch.fingerprint is None
    again = await police.post(path, {"people": PEOPLE}, key=key)
    assert (again.status_code, problem(again)) == (422, "idempotency-key-reused")


async def test_the_hash_of_what_was_sent_about_a_person_goes_with_the_person(police_alone: Network) -> None:
    police = police_alone["police"]
    victim, another = await a_victim(police, identity=WHO), await a_victim(police, identity=WHO)
    key = new_id()
    for about in (victim, another):
        named = await police.post(f"/v1/victims/{about}/identity", {"nik": WHO["nik"]}, key=f"{key}-{about}")
        assert named.status_code == 200
    before = len(fingerprints(police_alone, victim))
    assert before >= 2 and None not in fingerprints(police_alone, victim)  # registered, and named
    await erase(police_alone, "police", victim)
    kept = fingerprints(police_alone, victim)
    assert kept[:before] == [None] * before
    assert None not in fingerprints(police_alone, another)
    path = f"/v1/victims/{victim}/identity"
    again = await police.post(path, {"nik": WHO["nik"]}, key=f"{key}-{victim}")
    assert (again.status_code, problem(again)) == (422, "idempotency-key-reused")


def fingerprints(network: Network, victim: str) -> list[str | None]:
    """The stored hashes of requests about a victim, oldest first."""
    statement = select(IdempotencyRow).order_by(IdempotencyRow.answered_at)  # type: ignore[arg-type]
    rows = network.apps["police"].state.database.read(lambda s: s.scalars(statement).all())
    return [row.fingerprint for row in rows if victim in f"{row.location}{row.body}{row.victim_id}"]


async def test_without_the_callers_key_a_hash_says_nothing_of_what_was_sent(police_alone: Network) -> None:
    """The database and the agency's own keys are not enough to try a NIK."""
    police = police_alone["police"]
    path = f"/v1/victims/{await a_victim(police)}/identity"
    assert (await police.post(path, {"nik": WHO["nik"]})).status_code == 200
    vault = police_alone.apps["police"].state.office.vault
    sent = Identity(nik=WHO["nik"]).model_dump_json()
    rows = police_alone.apps["police"].state.database.read(lambda s: s.scalars(select(IdempotencyRow)).all())
    assert rows and vault.blind(f"{path}\n{sent}", "fingerprint") not in {row.fingerprint for row in rows}
