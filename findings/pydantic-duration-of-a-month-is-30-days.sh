#!/usr/bin/env bash
# Surprise: A timedelta field reads the ISO 8601 duration P1M as 30 days. So twelve months are 360 days, and one year
#           is 365.
# Library:  pydantic 2.14.3.
# Source:   pydantic's page on datetime types lists ISO 8601 forms with days, hours, minutes and seconds. It lists no
#           months or years. A month has no fixed length, so no timedelta equals one.
# Expected: pydantic refuses P1M and P1Y.
# Seen:     pydantic reads both. It writes a month back as P30D, and 365 days as P1Y. It also reads the number 120 as
#           two minutes, against its own JSON Schema.
# Estafet:  load_clocks (shared/reference/clock_table.py) reads the limits of laws and local standards as durations.
#           services/clocks.json uses days, hours and minutes alone. Nothing refuses P1M there today: a limit in
#           months needs a rule of its own.
# Output:
#   "P1M"   30 days, 0:00:00   written back as "P30D"
#   "P12M"  360 days, 0:00:00  written back as "P360D"
#   "P1Y"   365 days, 0:00:00  written back as "P1Y"
#   120     0:02:00            written back as "PT2M"
#   schema: {'format': 'duration', 'type': 'string'}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
bin="$folder/venv/bin"
"$bin/pip" install --quiet --disable-pip-version-check pydantic==2.14.3

"$bin/python" - <<'PYTHON'
import sys
from datetime import timedelta

from pydantic import TypeAdapter

SEEN = {
    '"P1M"': timedelta(days=30),
    '"P12M"': timedelta(days=360),
    '"P1Y"': timedelta(days=365),
    "120": timedelta(minutes=2),
}
duration = TypeAdapter(timedelta)
as_seen = True
for written, seen in SEEN.items():
    read = duration.validate_json(written)
    print(f"{written:7} {read!s:18} written back as {duration.dump_json(read).decode()}")
    as_seen &= read == seen
schema = duration.json_schema()
print("schema:", schema)
if not as_seen or schema != {"format": "duration", "type": "string"}:
    sys.exit("the behaviour has changed")
PYTHON
