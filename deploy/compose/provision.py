"""Run the provisioner, which keeps the stream and its readers' consumers: ``python -m deploy.compose.provision``.

Settings: ``ESTAFET_NATS_URL``, ``ESTAFET_NATS_SEED_FILE`` (the provisioner's seed), ``ESTAFET_NATS_CA_FILE``,
``ESTAFET_NATS_CERTIFICATE_FILE`` and ``ESTAFET_NATS_KEY_FILE``; ``ESTAFET_STREAM_MAX_BYTES``, if not 2 GiB: the most
bytes of the stream. A running stream follows a change of it at the next start of the provisioner.
"""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from services.members import SERVICES
from shared.contracts.subjects import addressed_to, in_province, sent_by
from shared.logs.setup import configure_logs, silence_others
from shared.messaging.broker import Broker
from shared.messaging.provisioner import keep_provisioned
from shared.messaging.stream import MAX_BYTES
from shared.security.transport import ClientTls

COORDINATOR = "coordination"
PROVINCES = ("74",)
"""Codes of the provinces that follow the events of their own region."""

READERS: Mapping[str, list[str]] = {
    **{name: addressed_to(name) for name in SERVICES},
    COORDINATOR: sent_by(name for name in SERVICES if name != COORDINATOR),
    **{f"province-{code}": [in_province(code)] for code in PROVINCES},
}
"""Reader → the NATS subjects that it may read."""


async def main() -> None:
    """Connect to the broker, or wait for it, and keep it provisioned until stopped."""
    seed, *tls = (Path(os.environ[f"ESTAFET_NATS_{name}_FILE"]) for name in ("SEED", "CA", "CERTIFICATE", "KEY"))
    broker = Broker(os.environ["ESTAFET_NATS_URL"], "provisioner", seed, ClientTls(*tls))
    try:
        await broker.connect()
        await keep_provisioned(broker, READERS, int(os.environ.get("ESTAFET_STREAM_MAX_BYTES") or MAX_BYTES))
    finally:
        await broker.close()


if __name__ == "__main__":
    configure_logs("info")
    silence_others()
    asyncio.run(main())
