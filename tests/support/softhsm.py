"""SoftHSM for tests: a real PKCS#11 library that keeps its keys in files."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

PLACES = [
    os.environ.get("ESTAFET_TEST_PKCS11", ""),  # named so, it must be there
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
]
FOUND = [Path(place) for place in PLACES if place and (place == PLACES[0] or Path(place).exists())]
PIN, LABEL = "7401-1407", "hsm"


def new_hsm(folder: Path) -> Path:
    """An empty HSM, the only one there is from now on; answers the file with its PIN."""
    store, configuration, pin = folder / "hsm", folder / "softhsm2.conf", folder / "pin"
    store.mkdir(mode=0o700)
    configuration.write_text(f"directories.tokendir = {store}\nobjectstore.backend = file\nlog.level = ERROR\n")
    pin.touch(0o600)
    pin.write_text(f"{PIN}\n")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    tool = shutil.which("softhsm2-util")
    assert tool, "SoftHSM is here without its softhsm2-util"
    words = ["--init-token", "--free", "--label", LABEL, "--pin", PIN, "--so-pin", PIN]
    subprocess.run([tool, *words], check=True, capture_output=True)
    restart()  # it reads its configuration anew
    return pin


def restart() -> None:
    """Let the library begin anew: whatever was open is void."""
    import pkcs11  # only where there is a SoftHSM to use it with

    library: Any = pkcs11.lib(str(FOUND[0]))
    library.reinitialize()
