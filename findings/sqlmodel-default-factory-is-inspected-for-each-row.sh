#!/usr/bin/env bash
# Surprise: A new row of an SQLModel table reads the signature of each default factory again, with inspect. Two empty
#           lists make a row several times as slow. The same fields in a pydantic model cost nothing like it.
# Library:  sqlmodel 0.0.50 with pydantic 2.14.3 and sqlalchemy 2.1.9.
# Source:   sqlmodel/_compat.py: sqlmodel_table_construct asks pydantic's FieldInfo.get_default for each missing field.
#           get_default passes default_factory_takes_validated_data, a property that calls inspect.signature each time.
#           pydantic asks it once, when it builds a model's schema. The pages on default factories name no such cost.
# Expected: A default factory costs one call.
# Seen:     One call of inspect.signature for each factory and each row. None for a plain default, which is copied.
# Estafet:  Tables of the write path have plain defaults (shared/victims/register/tables.py). A transfer's receiver
#           spent a tenth of its time on two default factories.
# Output (the times differ between machines):
#   table, default_factory=list: 2000 signatures for 1000 rows
#   table, default=[]:              0 signatures for 1000 rows
#   model, default_factory=list:    0 signatures for 1000 rows
#   the lists of two rows are two lists: True
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
bin="$folder/venv/bin"
"$bin/pip" install --quiet --disable-pip-version-check sqlmodel==0.0.50 pydantic==2.14.3 sqlalchemy==2.1.9

"$bin/python" - <<'PYTHON'
import sys
from time import perf_counter
from typing import Any

from pydantic import BaseModel
from pydantic import Field as ModelField
from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

ROWS = 1000


class Made(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    first: Any = Field(default_factory=list, sa_type=JSON)
    second: Any = Field(default_factory=list, sa_type=JSON)


class Copied(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    first: Any = Field(default=[], sa_type=JSON)
    second: Any = Field(default=[], sa_type=JSON)


class Plain(BaseModel):
    id: int | None = None
    first: Any = ModelField(default_factory=list)
    second: Any = ModelField(default_factory=list)


def signatures_of(model: Any) -> int:
    """The calls of inspect.signature while rows are made."""
    model(id=0)
    calls = []

    def note(frame: Any, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_name == "signature" and frame.f_globals["__name__"] == "inspect":
            calls.append(1)

    sys.setprofile(note)
    for number in range(ROWS):
        model(id=number)
    sys.setprofile(None)
    return len(calls)


seen = {}
for name, model in (
    ("table, default_factory=list", Made),
    ("table, default=[]", Copied),
    ("model, default_factory=list", Plain),
):
    seen[name] = signatures_of(model)
    began = perf_counter()
    for number in range(ROWS):
        model(id=number)
    took = (perf_counter() - began) * 1000
    print(f"{name + ':':28} {seen[name]:4} signatures for {ROWS} rows; {took:.0f} ms without the counting")
apart = Copied(id=1).first is not Copied(id=2).first
print("the lists of two rows are two lists:", apart)
if list(seen.values()) != [2 * ROWS, 0, 0] or not apart:
    sys.exit("the behaviour has changed")
PYTHON
