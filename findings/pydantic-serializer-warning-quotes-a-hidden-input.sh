#!/usr/bin/env bash
# Surprise: hide_input_in_errors=True keeps a wrong value out of a model's errors. A warning of the serializer still
#           quotes the value.
# Library:  pydantic 2.14.3.
# Source:   The description of hide_input_in_errors (pydantic/config.py) speaks of printed errors. It does not
#           mention the warnings of model_dump and model_dump_json.
# Expected: One setting hides the value wherever pydantic prints it.
# Seen:     The error does not show the value. The warning does, and Python prints warnings to standard error.
# Estafet:  The value may be a victim's name. silence_others (shared/logs/setup.py) captures warnings and logs that
#           one came, never its text.
# Output:
#   the error shows the value: False
#   the warning shows the value: True
#   PydanticSerializationUnexpectedValue(Expected `int` - serialized value may not be as expected
#   [field_name='age', input_value='Melati', input_type=str])
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
bin="$folder/venv/bin"
"$bin/pip" install --quiet --disable-pip-version-check pydantic==2.14.3

"$bin/python" - <<'PYTHON'
import sys
import textwrap
import warnings

from pydantic import BaseModel, ConfigDict, ValidationError


class Person(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)
    age: int


error = warning = ""
try:
    Person(age="Melati")
except ValidationError as raised:
    error = str(raised)
with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    person = Person(age=20)
    person.age = "Melati"  # an assignment is not validated unless the model asks for it
    person.model_dump_json()
    warning = str(warned[0].message).splitlines()[-1].strip() if warned else ""
print("the error shows the value:", "Melati" in error)
print("the warning shows the value:", "Melati" in warning)
print(textwrap.fill(warning, 100))
if not error or "Melati" in error or "Melati" not in warning:
    sys.exit("the behaviour has changed")
PYTHON
