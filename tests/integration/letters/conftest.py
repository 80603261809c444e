"""A referral that letters are about."""

from collections.abc import AsyncIterator

import pytest

from tests.support.letters import CARE, WHO
from tests.support.network import Client, Network, a_victim, refer


@pytest.fixture
async def asked(network: Network) -> AsyncIterator[tuple[Client, Client, str]]:
    """The police have asked a hospital to treat somebody."""
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    referral = await refer(police, await a_victim(police, identity=WHO), "kemenkes", CARE)
    await kemenkes.until_status(referral, "received")
    await police.until_status(referral, "received")
    yield police, kemenkes, referral
