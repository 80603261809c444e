"""The operator's commands for keys: ``python -m deploy.credentials.keys --help``.

They act on a folder of secrets (``deploy.credentials.keyring``) and publish a new directory. Running services read the
directory within seconds. For a planned change: ``rotate``, and later ``retire`` the old key. After 30 more days,
``destroy`` an old encryption key. After a theft: ``rotate --after 0``, then ``revoke``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, assert_never

import typer
from rich.console import Console
from rich.table import Table

from deploy.credentials.keyring import Keyring
from deploy.local.console_output import console, say
from shared.security.public_keys import DirectoryKey, Revocation, Untrusted

LEAD = 60.0
"""Seconds between the publication of a new key and its first use, so that every service has read the directory."""

app = typer.Typer(no_args_is_help=True, help="Kunci instansi · The keys of the agencies.")

Folder = Annotated[Path, typer.Option("--folder", help="Folder rahasia · The folder of secrets.")]
KeyId = Annotated[str, typer.Argument(metavar="KID", help="Kunci · The id of a key.")]
SECRETS = Path("deploy/secrets")


class KeyUse(StrEnum):
    """The use of a key."""

    SIGNING = "sig"
    ENCRYPTION = "enc"
    STORAGE = "storage"


PUBLISHED = [KeyUse.SIGNING, KeyUse.ENCRYPTION]
"""The kinds of keys whose public halves are in the directory."""


@app.command()
def rotate(
    member: Annotated[str, typer.Argument(help="Instansi · The agency.")],
    kind: Annotated[list[KeyUse], typer.Option("--use", help="Jenis · The kind; repeat for each.")] = PUBLISHED,
    after: Annotated[float, typer.Option(min=0, help="Detik sebelum dipakai · Seconds until it is used.")] = LEAD,
    folder: Folder = SECRETS,
) -> None:
    """Kunci baru; yang lama tetap memverifikasi · New keys; the old ones still verify and open."""
    with _explained():
        for one in kind:
            key_id = _rotate(Keyring(folder), member, one, timedelta(seconds=after))
            used = "from now on" if one is KeyUse.STORAGE else f"in {after:.0f} s"
            say(f"✓ {key_id} dibuat", f"made, in use {used}", "green")


def _rotate(keyring: Keyring, member: str, kind: KeyUse, after: timedelta) -> str:
    now = _now()
    match kind:
        case KeyUse.SIGNING:
            return keyring.rotate(member, "sig", now + after, now)
        case KeyUse.ENCRYPTION:
            return keyring.rotate(member, "enc", now + after, now)
        case KeyUse.STORAGE:
            return keyring.rotate_storage(member)
    assert_never(kind)


@app.command("rotate-matching")
def rotate_matching(folder: Folder = SECRETS) -> None:
    """Kunci pengenal bersama yang baru · A new matching key; the agencies then send all match tokens again."""
    with _explained():
        name = Keyring(folder).rotate_matching()
        say(f"✓ {name} dibuat", "made at every agency; once all have it, delete the one before", "green")


@app.command()
def retire(key_id: KeyId, folder: Folder = SECRETS) -> None:
    """Kunci tidak dipakai lagi, masih berlaku 30 hari · Stop using a key; it is still trusted for 30 days."""
    with _explained():
        Keyring(folder).retire(key_id, _now())
        say(f"✓ {key_id} dipensiunkan", "retired", "green")


@app.command()
def revoke(
    key_id: KeyId,
    reason: Annotated[Revocation, typer.Option(help="Alasan · Why (RFC 5280).")],
    folder: Folder = SECRETS,
) -> None:
    """Kunci dicabut, berlaku seketika · Revoke a key: no service trusts it any more, at once."""
    with _explained():
        keyring, now = Keyring(folder), _now()
        keyring.revoke(key_id, reason, now)
        say(f"✓ {key_id} dicabut", "revoked", "green")
        directory = keyring.directory()
        key = directory.keys[key_id]
        if not directory.in_use(key.agency, key.use, now):
            say(f"! {key.agency} tidak punya kunci lain: rotate", "has no other in use now: rotate", "yellow")


@app.command()
def destroy(key_id: KeyId, folder: Folder = SECRETS) -> None:
    """Kunci enkripsi yang sudah lewat masanya dimusnahkan · Remove an encryption key past its time, for ever."""
    with _explained():
        Keyring(folder).destroy(key_id, _now())
        say(f"✓ {key_id} dimusnahkan", "destroyed; remove it from backups and HSMs too", "green")


@app.command()
def publish(folder: Folder = SECRETS) -> None:
    """Direktori ditandatangani lagi · Sign the directory again, with the next version."""
    with _explained():
        say(f"✓ Direktori versi {Keyring(folder).publish(_now())}", "the directory is signed", "green")


@app.command("list")
def list_keys(folder: Folder = SECRETS) -> None:
    """Semua kunci dari semua instansi · Every key of every agency, with its id."""
    with _explained():
        directory, now = Keyring(folder).directory(), _now()
    say(f"Direktori versi {directory.version}", f"issued {directory.issued_at:%Y-%m-%d %H:%M} UTC")
    table = Table("kid", "use", "keadaan · state", "sejak · since", box=None)
    for key_id, key in sorted(directory.keys.items()):
        state, since = _state(key, now)
        table.add_row(key_id, key.use, state, f"{since:%Y-%m-%d %H:%M}")
    # at least 120 wide: in a narrow window lines wrap, and no state is truncated
    Console(highlight=False, width=max(console.width, 120)).print(table)


def _state(key: DirectoryKey, now: datetime) -> tuple[str, datetime]:
    if key.revoked_at is not None:
        return f"dicabut · revoked ({key.revoked_because})", key.revoked_at
    if key.retired_at is not None:
        return "pensiun · retired", key.retired_at
    return ("dipakai · in use" if key.in_use(now) else "menunggu · not yet"), key.valid_from


@contextmanager
def _explained() -> Iterator[None]:
    """Turn an expected error into one line and exit code 1, instead of a traceback."""
    try:
        yield
    except FileNotFoundError as error:
        say(f"✗ Ditolak: tidak ada berkas {error.filename}", "refused: no such file", "bold red")
        say("  Buat rahasia dengan make secrets, atau sebut foldernya: --folder .run/secrets",
            "make them with make secrets, or name their folder: --folder .run/secrets")  # fmt: skip
        raise typer.Exit(1) from error
    except (ValueError, OSError, Untrusted) as error:
        say("✗ Ditolak", str(error), "bold red")
        raise typer.Exit(1) from error


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    app()
