"""The same request is the same text in every process: a repeated POST is known again after a restart."""

import os
import subprocess
import sys

from tests.sources import ROOT

SAYS = """
from services.members import MEMBERS
from importlib import import_module
from shared.domain.commands import RecordConsent
from shared.domain.forms import body_of
from pydantic import BaseModel
consent = {
    "notice": "2026-1", "purposes": ["care", "medical", "legal", "repatriation"], "manner": "written", "agrees": True,
    "fields": ["name", "nik", "born_on", "phone", "address"], "recipients": ["kemenkes", "kemensos", "police"],
    "valid_until": "2099-01-01T00:00:00Z",
}
print(RecordConsent.model_validate(consent).model_dump_json())
for module in MEMBERS.values():
    for form in import_module(module).MEMBER.agency.forms:
        body = body_of(form)
        [example] = body.model_json_schema()["examples"]
        many = {f.code: list(f.kind.options) for f in form.fields if getattr(f.kind, "many", False)}
        print(body.model_validate({**example, **many}).model_dump_json())
"""


def said(seed: str) -> str:
    """What a process with this seed of its hashes writes."""
    env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-c", SAYS], env=env, capture_output=True, text=True, check=True).stdout


def test_a_consent_and_every_form_are_the_same_text_in_two_processes() -> None:
    one, other = said("1"), said("2")
    assert one == other and len(one.splitlines()) > 40
