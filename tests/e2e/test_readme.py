"""The README's commands, as a reader would run them, on a network that ``deploy.local.run`` has started."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from shared.contracts.events import CATALOGUE
from tests.support.sources import ROOT
from tests.support.stack import Run, running, six_free_ports

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(bash|python)\n(.*?)```", README, re.DOTALL)
SHOWN_PORTS = {"coordination": 8000, "police": 8001, "kemenpppa": 8002, "kemensos": 8003, "kemenkes": 8004}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The network of ``make run``, on free ports."""
    with running(tmp_path_factory.mktemp("readme") / ".run") as run:
        run.until("Ctrl-C menghentikan")
        yield run


ENVIRONMENT = (f"VENV={sys.prefix}", "--assume-old", f"{sys.prefix}/.ready")
"""Words that make ``make`` use the environment of these tests instead of a new one."""


def here(text: str, run: Run) -> str:
    """The text, with the README's ports, folder and environment replaced by those of this run."""
    for name, port in SHOWN_PORTS.items():
        text = text.replace(f"http://127.0.0.1:{port}", run.urls[name])
    text = re.sub(
        r'make token ARGS="([^"]*)"', f'make {" ".join(ENVIRONMENT)} token ARGS="\\1 --folder {run.secrets}"', text
    )
    text = text.replace(" .run/", f" {run.folder}/")
    return text.replace("tls://127.0.0.1:4222", str(run.state()["nats"]["url"]))


def test_every_curl_of_the_readme_is_answered(run: Run) -> None:
    assert shutil.which("curl"), "this test needs curl"
    calls = [block for kind, block in BLOCKS if kind == "bash" and block.startswith(("curl", "TOKEN="))]
    # in one shell, as a reader has it: the token of one block is used in the next
    script = here("".join(calls), run).replace("curl -sS", "echo; curl -sS --fail-with-body --no-progress-meter")
    # a reader is at a prompt, not in ``make test``, which would have its own make say where it is
    prompt = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=ROOT, env=prompt, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answers = [line for line in done.stdout.split("\n") if line]
    assert script.count("curl -sS") == script.count("Authorization: Bearer") == 17
    assert len(answers) == 16  # the PDF goes into its file
    assert '"status":"received"' in answers[3] and '"sender_custody":"confirmed"' in answers[5]
    assert '"status":"accepted"' in answers[6]
    assert '"form":"police-report"' in answers[10] and '"clock":"spdp"' in answers[12]
    assert '"registered":2,"refused":0' in answers[13] and '"kind":"referral-letter"' in answers[14]
    assert '"issued":"proven","tells":"proven","standing":"current"' in answers[15]
    assert (run.folder / "surat.pdf").read_bytes().startswith(b"%PDF-")
    assert '"name":"Melati Contoh Rekaan"' in answers[8] and '"purpose":"family-tracing"' in answers[9]


def test_a_run_shows_a_token_for_the_console(run: Run) -> None:
    [token] = [line for line in run.lines if line.startswith("eyJ")]
    keys = KeySet.import_key_set(json.loads((run.secrets / "public" / "issuer.json").read_text()))
    claims = jwt.decode(token, keys, ["ES256"]).claims
    assert (claims["aud"], claims["roles"], claims["unit"]) == ("urn:estafet:coordination", ["coordinator"], "pusat")
    assert any(f'TOKEN=$(make token ARGS="police --folder {run.secrets}")' in line for line in run.lines)


def test_the_subscriber_of_the_readme_reads_events(run: Run) -> None:
    [script] = [block for kind, block in BLOCKS if kind == "python"]
    with subprocess.Popen(
        [sys.executable, "-u", "-c", here(script, run)],
        cwd=run.folder.parent,
        env={**os.environ, "PYTHONWARNINGS": "error"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as reading:
        assert reading.stdout is not None
        said = []
        for line in reading.stdout:  # it ends when the script does, or at the timeout of the test
            said.append(line)
            if "id.tppo.referral.requested.v1 police>kemenpppa" in line:
                break
        else:
            pytest.fail("".join(said))
        reading.kill()


def test_every_make_target_that_the_readme_names_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"make ([a-z-]+)", README))
    assert {"run", "test", "check", "compose-test", "secrets"} <= named <= targets | {"help"}


def test_the_operators_commands_of_the_readme_run(tmp_path: Path, run: Run) -> None:
    environment = {
        **os.environ,
        "ESTAFET_DATABASE_URL": f"sqlite:///{tmp_path}/police.db",
        "ESTAFET_KEY_FOLDER": str(run.folder / "secrets" / "police" / "keys"),
        "ESTAFET_KEY_DIRECTORY_FILE": str(run.folder / "secrets" / "public" / "keys.json"),
        "ESTAFET_KEY_DIRECTORY_ROOT_FILE": str(run.folder / "secrets" / "public" / "directory-root.json"),
    }
    commands = re.findall(r"`\.venv/bin/python (-m shared\.(?:service|agency)\.commands [^`]+)`", README)
    assert len(commands) == 5
    for command in commands:
        words = command.replace("FOLDER", str(tmp_path / "schemas")).split()
        subprocess.run([sys.executable, *words], cwd=ROOT, env=environment, check=True, capture_output=True)
    assert (tmp_path / "police.db").exists() and len(list((tmp_path / "schemas").iterdir())) == len(CATALOGUE)


def make(*words: str) -> str:
    """The output of a make target, in the environment of these tests, without a new one."""
    done = subprocess.run(["make", *ENVIRONMENT, *words], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_make_run_plays_the_journey(tmp_path: Path) -> None:
    options = f"--folder {tmp_path}/run --port {six_free_ports()} --exit-after-journey"
    assert "Perjalanan selesai" in make("run", f"ARGS={options}")


def test_make_help_lists_what_the_readme_names() -> None:
    listed = set(re.findall(r"^  make ([a-z-]+)", make("help"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)`", README)) - {"help"} <= listed
