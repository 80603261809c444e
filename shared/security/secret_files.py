"""Files with secrets: only their owner reads them, and they are never written over."""

import os
from pathlib import Path


def read_secret(path: Path) -> bytes:
    """What stands in a file of secrets. Raises PermissionError when anyone but its owner may read it."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_mode & 0o077:
            raise PermissionError(f"{path} may be read by others than its owner: chmod 600 {path}")
        return file.read()


def write_secret(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read; never over one that is there (FileExistsError).

    It appears whole, for a service that looks for it, and belongs to whom its folder belongs to, if root writes it.
    """
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        try:
            owner = path.parent.stat()
            if os.geteuid() == 0 and owner.st_uid != 0:
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # what is published of it next must not outlive it
            os.link(new, path)
        finally:
            new.unlink()
