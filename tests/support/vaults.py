"""A member of a network of libraries, with its keys in files or in an HSM behind PKCS#11."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from deploy.credentials.keyring import Keyring
from shared.security.file_vault import FileVault
from shared.security.keys import KeyDirectory
from shared.security.sealing import DataKey
from shared.security.vault import Vault
from tests.support import softhsm

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
VICTIM, OTHER = "0193f0a2-7a10-7000-8000-000000000002", "0193f0a2-7a10-7000-8000-000000000003"
BODY = b'{"specversion": "1.0"}'
SECRET = DataKey.generate()


@dataclass
class Library:
    """A member with its keys in a folder, and whatever vault is opened on them."""

    folder: Path
    now: datetime = NOW
    directory: KeyDirectory = field(default_factory=lambda: KeyDirectory({}))

    def __post_init__(self) -> None:
        self.own = self.folder / "library" / "keys"
        self.keyring = Keyring(self.folder)
        self.read()

    def read(self) -> None:
        """See what was published."""
        self.directory = self.keyring.directory()

    def rotated(self, use: Any, valid_from: datetime | None = None) -> str:
        """A new key, listed."""
        key_id = self.keyring.rotate("library", use, valid_from or self.now, self.now)
        self.read()
        return key_id

    def files(self) -> FileVault:
        """A vault on the files."""
        return FileVault(self.own, "library", lambda: self.directory, lambda: self.now)


class InFiles:
    """Keys in files."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.vault = self.again()

    def again(self) -> Vault:
        """Another vault, as after a restart."""
        return self.library.files()

    def take_in(self) -> None:
        """No work: the keys are in the folder already."""


class InHsm:
    """Keys in an HSM, copied there by the operator's command."""

    def __init__(self, library: Library) -> None:
        from shared.security.hsm import Hsm

        self.library = library
        self.hsm = Hsm(softhsm.FOUND[0], softhsm.LABEL, softhsm.new_hsm(library.folder))
        self.take_in()
        self.vault = self.again()

    def again(self) -> Vault:
        """Another vault, as after a restart."""
        from shared.security.pkcs11_vault import Pkcs11Vault

        return Pkcs11Vault(self.hsm, "library", lambda: self.library.directory, lambda: self.library.now)

    def take_in(self) -> None:
        """Copy what is new."""
        import pkcs11

        from deploy.credentials.into_hsm import copy_keys

        softhsm.restart()  # a vault's session breaks here, and must come back by itself
        module = pkcs11.lib(str(softhsm.FOUND[0]))
        with module.get_token(token_label=softhsm.LABEL).open(rw=True, user_pin=softhsm.PIN) as session:
            copy_keys(self.library.own, "library", session)


IMPLEMENTATIONS: dict[str, type[InFiles] | type[InHsm]] = {"files": InFiles}
if softhsm.FOUND:  # make test says so when it is not
    IMPLEMENTATIONS["hsm"] = InHsm
