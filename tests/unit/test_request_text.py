"""The same request is the same text in every process: a repeated POST is known again after a restart."""

import os
import subprocess
import sys

import pytest

from tests.support.sources import ROOT

SAYS = """
from services.members import SERVICES
from importlib import import_module
from shared.domain.consent import RecordConsent
from shared.domain.forms import body_of
from pydantic import BaseModel
consent = {
    "notice": "2026-1", "purposes": ["care", "medical", "legal", "repatriation"], "manner": "written", "agrees": True,
    "fields": ["name", "nik", "born_on", "phone", "address"], "recipients": ["kemenkes", "kemensos", "police"],
    "valid_until": "2099-01-01T00:00:00Z",
}
print(RecordConsent.model_validate(consent).model_dump_json())
for module in SERVICES.values():
    for form in import_module(module).MEMBER.agency.forms:
        body = body_of(form)
        [example] = body.model_json_schema()["examples"]
        many = {f.code: list(f.kind.options) for f in form.fields if getattr(f.kind, "many", False)}
        print(body.model_validate({**example, **many}).model_dump_json())
"""


def test_a_consent_and_every_form_are_the_same_text_in_two_processes(capsys: pytest.CaptureFixture[str]) -> None:
    """In this one, and in one with another seed of its hashes."""
    exec(SAYS, {})
    here = capsys.readouterr().out
    env = {**os.environ, "PYTHONHASHSEED": "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"}
    run = subprocess.run([sys.executable, "-c", SAYS], env=env, cwd=ROOT, capture_output=True, text=True, check=True)
    assert here == run.stdout and len(here.splitlines()) > 40
