"""Files with secrets: only their owner reads them, and they are never overwritten."""

import os
from pathlib import Path


def read_secret(path: Path) -> bytes:
    """The content of a file with a secret. Raises OSError; PermissionError if others than its owner may use it."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_mode & 0o077:
            raise PermissionError(f"{path} may be read by others than its owner: chmod 600 {path}")
        return file.read()


def write_secret(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read. Raises FileExistsError rather than overwrite a file.

    A service may be waiting for the file, so the file appears whole. If root writes it, the owner of the folder
    becomes its owner.
    """
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        try:
            owner = path.parent.stat()
            if os.geteuid() == 0 and owner.st_uid != 0:
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # the secret must be on disk before its public part is published
            os.link(new, path)
        finally:
            new.unlink()
