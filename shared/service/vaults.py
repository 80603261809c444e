"""Open a member's vault: keys in files, or in an HSM behind PKCS#11 where the settings name one."""

from collections.abc import Callable

from shared.security.file_vault import FileVault
from shared.security.keys import KeyDirectory
from shared.security.vault import Vault
from shared.service.settings import Keeping
from shared.storage.unit_of_work import Now


def open_vault(settings: Keeping, member: str, directory: Callable[[], KeyDirectory], now: Now) -> Vault:
    """The member's vault, by ``key_folder`` or ``key_token_module``. Raises the errors of FileVault and Pkcs11Vault."""
    if settings.key_folder is not None:
        return FileVault(settings.key_folder, member, directory, now)
    assert settings.key_token_module is not None and settings.key_token_pin_file is not None  # Keeping checks it
    # part of the extra ``pkcs11``: imported only where an HSM behind PKCS#11 is configured
    from shared.security.hsm import Hsm
    from shared.security.pkcs11_vault import Pkcs11Vault

    hsm = Hsm(settings.key_token_module, settings.key_token_label, settings.key_token_pin_file)
    return Pkcs11Vault(hsm, member, directory, now)
