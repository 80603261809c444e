"""Examples for an agency's OpenAPI document, with a desk and a route that this agency really has."""

from datetime import date
from typing import Any

from shared.reference.office import Office

SOME_REGENCY = "74.01"
SOME_VICTIM = "0193f0a2-7c3b-7d5e-9a10-4f6b2c8d1e03"


def examples(office: Office, on: date) -> dict[str, Any]:
    """Schema name → an example, for the commands that name desks and agencies.

    The other examples stand with their commands. ``on``: the day on which the desk must be valid.
    """
    desk = office.units.desk_for(office.code, SOME_REGENCY, on).as_ref()
    shown: dict[str, Any] = {
        "Reject": {"reason": "no-capacity", "better_desk": {"agency": desk.agency, "unit": desk.unit}}
    }
    if channel := next(iter(office.agency.channels), None):
        shown["OpenCase"] = {"unit": desk.unit, "channel": channel, "exploitation": "online-scam", "destination": "KH"}
    if route := next(iter(office.agency.routes), None):
        shown["Request"] = {
            "victim_id": SOME_VICTIM,
            "kind": min(route.kinds),
            "service": route.service,
            "receiver": {"agency": route.agency, "region": SOME_REGENCY},
            "priority": "urgent",
            "basis": "vital-interest",
        }
        shown["RecordConsent"] = {
            "notice": max(office.notices),
            "purposes": ["care"],
            "fields": ["name", "born_on"],
            "recipients": [route.agency],
            "valid_until": "2099-12-31T00:00:00+07:00",
            "manner": "written",
            "agrees": True,
            "guardian": "none",
        }
    return shown
