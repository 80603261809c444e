"""An unsafe service as a process: it ends and names the setting. And the table of rules itself."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

from shared.service.production.rules import (
    CERTIFICATE_FILES,
    NEEDED,
    RULES,
    SECRET_FILES,
    TRUST_FILES,
    Facts,
    SettingFault,
    faults,
)
from shared.service.settings import Settings
from tests.support.production import Police, configured, started
from tests.support.sources import ROOT

# --- as a process -----------------------------------------------------------------------------------------------------


def test_the_process_ends_and_names_the_setting(police: Police) -> None:
    del police.told["tls_client_crl_file"]
    with started(police) as running:
        said = running.communicate(timeout=30)[1]
    assert running.returncode == 3
    assert "✗ ESTAFET_TLS_CLIENT_CRL_FILE: belum diisi · is not set" in said


def test_a_broker_that_comes_later_and_allows_too_much_ends_the_process(
    police: Police, ministry: Path, tmp_path: Path
) -> None:
    with configured("no accounts", ministry, tmp_path) as wide:
        police.told |= {"nats_url": wide.url, "log_level": "info"}
        with started(police) as running:
            assert running.stderr is not None
            # an agency works without a broker
            [start] = itertools.islice((line for line in running.stderr if "service.started" in line), 1)
            assert json.loads(start)["people"] is True  # a machine's token opens no identity (access/test_people.py)
            with wide:
                said = running.communicate(timeout=30)[1]
    assert "✗ ESTAFET_NATS_SEED_FILE (account $G, publish >, subscribe >)" in said
    assert running.returncode != 0


# --- the table --------------------------------------------------------------------------------------------------------


def test_every_rule_names_a_setting_and_is_said_in_two_languages() -> None:
    assert {rule.setting for rule in RULES} <= set(Settings.model_fields)
    assert {*NEEDED, *SECRET_FILES, *CERTIFICATE_FILES, *TRUST_FILES, "issuer", "issuer_jwks", "database_url"} == {
        rule.setting for rule in RULES
    }
    assert all(rule.id and rule.en and rule.id != rule.en for rule in RULES)


def test_without_the_profile_there_is_no_fault(police: Police) -> None:
    spoilt = Facts(exposed=frozenset(SECRET_FILES), not_durable=("fsync=off",))
    assert len(faults(Settings(**police.told), spoilt)) == len(SECRET_FILES) + 1
    assert faults(Settings(**police.told | {"profile": "development"}), spoilt) == []


def test_a_fault_says_what_was_found() -> None:
    assert str(SettingFault("nats_url", ("nats",), "pakai tls://", "use tls://")) == (
        "✗ ESTAFET_NATS_URL (nats): pakai tls:// · use tls://"
    )


def test_half_set_tls_is_named_and_not_what_it_holds() -> None:
    env = {"ESTAFET_TLS_CERTIFICATE_FILE": "/tidak/ada", "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "shared.http.serve", "services.police.main"]
    ended = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 3
    [said] = ended.stderr.splitlines()
    assert "ESTAFET_TLS_CERTIFICATE_FILE, ESTAFET_TLS_KEY_FILE" in said and "/tidak/ada" not in said
