"""The network that ``make bench`` measures: its victims, its hand-overs, and when it is at rest."""

import asyncio
import itertools
from collections.abc import Mapping

import httpx

from deploy.bench.load import CLIENTS
from deploy.client.agency_system import AgencySystem, Json

SENDER, RECEIVER, WITNESS = "police", "kemenpppa", "coordination"

IDENTITY = {
    "name": "Melati Contoh Rekaan",
    "nik": "7401010101010001",
    "born_on": "2001-02-03",
    "phone": "+628000000001",
}
"""An invented identity, which is sealed for the receiver."""


def transfer(victim: str) -> Json:
    """The request of the police to KemenPPPA for this victim: the body of the POST."""
    desk, why = {"agency": RECEIVER}, {"service": "case-management", "basis": "vital-interest"}
    return {"victim_id": victim, "kind": "transfer", "receiver": desk, **why}


class Network:
    """The network before and between the windows: it registers victims and waits for rest."""

    def __init__(self, urls: Mapping[str, str], auths: Mapping[str, httpx.Auth], identity: bool) -> None:
        own = (AgencySystem(name, urls[name], auth=auths[name]) for name in (SENDER, WITNESS))
        self._police, self._coordination = own
        self._case = ""
        self._facts = {"age_class": "adult", "sex": "female", "home_region": "74.01"} | (
            {"identity": IDENTITY} if identity else {}
        )

    async def close(self) -> None:
        """Close the connections."""
        await asyncio.gather(self._police.close(), self._coordination.close())

    async def register(self, count: int) -> list[str]:
        """Register ``count`` victims, CLIENTS at once. Returns their ids."""
        if not self._case:
            opened = {"unit": "polres-74.01", "channel": "spkt", "exploitation": "online-scam", "destination": "KH"}
            self._case = (await self._police.post("/v1/cases", opened))["id"]
        path = f"/v1/cases/{self._case}/victims"
        numbers = iter(range(count))

        async def client() -> list[str]:
            return [(await self._police.post(path, self._facts))["id"] for _ in numbers]

        return list(itertools.chain(*await asyncio.gather(*(client() for _ in range(CLIENTS)))))

    async def at_rest(self) -> str:
        """Follow one more hand-over until coordination has it: then all earlier ones have arrived. Returns its id."""
        [victim] = await self.register(1)
        asked = await self._police.post("/v1/referrals", transfer(victim))
        await self._police.until(f"/v1/referrals/{asked['id']}", lambda seen: seen["version"] >= 2)
        told = f"/v1/journeys/{victim}"
        await self._coordination.until(told, lambda seen: any(one["version"] >= 2 for one in seen["handovers"]))
        return str(asked["id"])
