"""Two desks of the police, and what each may see of a victim."""

from typing import Any

from shared.domain.access import Role
from tests.support.identities import known
from tests.support.network import Client, Network, problem, refer

KOLAKA, MAKASSAR, TOP = "polres-74.01", "polres-73.71", "bareskrim"
WHO = {"name": "Dahlia Contoh Rekaan", "nik": "7401010101010007", "safe_house": "Rumah rekaan 7"}
NOTE = "Catatan rekaan: ia memakai nama lain."
LOOK: dict[str, Any] = {"reason": "life-in-danger", "minutes": 30, "note": "Catatan rekaan: ada yang menunggunya."}


async def officers(network: Network) -> tuple[Client, Client]:
    """The desk that finds her, and one that it asks to investigate."""
    return await network.calling("police", Role.OFFICER, KOLAKA), await network.calling(
        "police", Role.OFFICER, MAKASSAR
    )


async def investigation(owner: Client, victim: str, **more: Any) -> str:
    return await refer(
        owner, victim, "police", "investigation", receiver={"agency": "police", "unit": MAKASSAR}, **more
    )


async def looks(client: Client, victim: str) -> list[tuple[str, str, str, list[str]]]:
    """The rows of the access report: unit, purpose, right, fields."""
    rows = (await client.get(f"/v1/victims/{victim}/access-report"))["looks"]
    return [(row["unit"], row["purpose"], row["right"], row["fields"]) for row in rows]


async def identity(client: Client, victim: str) -> dict[str, Any] | str:
    answer = await client.http.get(f"/v1/victims/{victim}/identity", params={"purpose": "care"})
    if answer.status_code != 200:
        return problem(answer)
    return known(answer.json())


async def search(client: Client, nik: str) -> list[str]:
    answer = await client.post("/v1/victim-search", {"field": "nik", "value": nik})
    return [item["id"] for item in answer.json()["items"]]


async def notes(client: Client, referral: str) -> list[str] | str:
    answer = await client.http.get(f"/v1/referrals/{referral}/notes", params={"purpose": "investigation"})
    if answer.status_code != 200:
        return problem(answer)
    assert answer.headers["cache-control"] == "no-store"
    return [item["text"] for item in answer.json()["items"]]
