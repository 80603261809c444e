"""A POST without its Idempotency-Key is told what to send as one."""

from tests.support.network import Network


async def test_a_missing_key_is_answered_with_what_to_put_there(police_alone: Network) -> None:
    case = {"unit": "polres-74.01", "channel": "spkt", "exploitation": "online-scam", "destination": "KH"}
    http = police_alone["police"].http
    for language, words in (("id", "UUID baru untuk tiap tindakan"), ("en", "a new UUID for each act")):
        refused = await http.post("/v1/cases", json=case, headers={"Accept-Language": language})
        [fault] = refused.json()["errors"]
        assert (refused.status_code, fault["field"], fault["rule"]) == (422, "Idempotency-Key", "missing")
        assert words in fault["message"]
