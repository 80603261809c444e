"""A list of people off a ship, whom a desk at Nunukan takes in."""

from typing import Any

from tests.support.network import Client

NUNUKAN = "polres-65.03"
AID = {"service": "first-aid", "receiver": {"agency": "kemenkes"}, "basis": "vital-interest"}


def person(number: int, **more: Any) -> dict[str, Any]:
    identity = {"name": f"Rekaan Nomor {number}", "nik": f"65030101010{number:05d}"}
    return {"age_class": "adult", "sex": "male", "home_region": "53.01", "identity": identity, **more}


async def a_ship(police: Client) -> str:
    """A case: deportees came off a ship."""
    case = {"unit": NUNUKAN, "channel": "immigration", "exploitation": "forced-labour", "destination": "MY"}
    return str((await police.post("/v1/cases", case)).json()["id"])


async def victims_of(police: Client, case: str) -> list[str]:
    return list((await police.get(f"/v1/cases/{case}"))["victims"])
