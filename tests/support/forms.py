"""Forms that are filed rightly or wrongly, by the desks of every agency."""

from typing import Any

from services.kemensos.shelter import WARDS
from tests.support.network import Client, problem


async def file(client: Client, about: str, form: str, **fields: Any) -> dict[str, Any]:
    """File a form about ``cases/…``, ``victims/…`` or ``desks/…``; answers the record."""
    answer = await client.post(f"/v1/{about}/forms/{form}", fields)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def refused(client: Client, about: str, form: str, **fields: Any) -> tuple[str, list[str]]:
    """The code of the refusal, and the fields it names; nothing is stored."""
    kind, _, ident = about.partition("/")
    before = (await client.http.get(f"/v1/{about}/records")).json()
    answer = await client.post(f"/v1/{about}/forms/{form}", fields)
    assert (await client.http.get(f"/v1/{kind}/{ident}/records")).json() == before
    return problem(answer), [fault["field"].removeprefix("/") for fault in answer.json()["errors"]]


FIELDS: dict[str, dict[str, Any]] = {
    "first-approach": {"agreed": True},
    "social-assessment": {"findings": "Rekaan"},
    "rehabilitation-plan": {"agreed": True, "plan": "Rekaan"},
    "rehabilitation": {"activity": "Pelatihan menjahit (rekaan)"},
    "resocialisation": {"family_ready": True},
    "termination": {"end": "goals-reached"},
    "further-guidance": {"visited_on": "2026-01-31", "feels": "well", "risk": "none"},
}
HANDED_OVER: dict[str, Any] = {
    "giver": "ministry",
    "giver_person": "Petugas Rekaan, pekerja sosial",
    "giver_signed": True,
    "taker": "province-office",
    "taker_person": "Penerima Rekaan, kepala seksi",
    "taker_signed": True,
    "region": "53",
    "place": "Bandara rekaan",
    "condition": "well",
    "belongings": "Satu tas rekaan",
}
DESK, OTHER = "dinsos-74.01", "dinsos-74.02"
NONE = {ward.replace("-", "_"): 0 for ward in WARDS}


async def a_person(kemensos: Client, sex: str = "female", age: str = "adult", unit: str = DESK) -> str:
    opened = {"unit": unit, "channel": "social-office", "exploitation": "forced-labour"}
    case = (await kemensos.post("/v1/cases", opened)).json()["id"]
    made = await kemensos.post(f"/v1/cases/{case}/victims", {"age_class": age, "sex": sex})
    return str(made.json()["id"])
