"""Replace files atomically."""

import os
from pathlib import Path

PRIVATE, PUBLIC = 0o600, 0o644
"""Modes of a file: only its owner reads it, or everybody does."""


def replace_file(path: Path, content: bytes, mode: int) -> None:
    """Replace a file atomically and sync it to the disk.

    A concurrent reader sees the old file or the new one, never a part. A revocation must survive a power cut.
    """
    new = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        os.fchmod(file.fileno(), mode)  # the umask cuts the mode, and a file left by a killed run keeps its own
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Sync to the disk which files a folder has."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
