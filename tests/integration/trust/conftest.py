"""The police, KemenPPPA, coordination, and a child whom all may come to know."""

import pytest

from tests.support.network import Client, Network, a_victim


@pytest.fixture
async def police(network: Network) -> Client:
    return await network.start("police")


@pytest.fixture
async def kemenpppa(network: Network) -> Client:
    return await network.start("kemenpppa")


@pytest.fixture
async def coordination(network: Network) -> Client:
    return await network.start("coordination")


@pytest.fixture
async def child(police: Client, coordination: Client) -> str:
    """A child in the custody of the police, known to coordination."""
    victim = await a_victim(police, age_class="child")
    await coordination.until(f"/v1/journeys/{victim}", lambda seen: seen["registered_at"] is not None)
    return victim
