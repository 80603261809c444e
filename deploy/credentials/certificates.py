"""``python -m deploy.credentials.certificates`` makes, renews, revokes and checks the certificates of a deployment.

The check also names other secrets that are too old (``deploy.credentials.secret_ages``).
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509

from deploy.credentials.authority import Authority, load_certificate, now_utc
from deploy.credentials.secret_ages import due_dates
from deploy.credentials.secrets import SOON, certify_network
from deploy.local.console_output import say

Folder = Annotated[Path, typer.Argument(help="The folder with the secrets of the deployment.")]
Days = Annotated[int, typer.Option(min=0, help="Days from now; an earlier expiry is too soon.")]

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Certificates of a deployment.")


@app.command()
def make(
    folder: Folder,
    renew: Annotated[bool, typer.Option("--renew", help="Also renew what expires soon, for the same key.")] = False,
    days: Days = SOON.days,
) -> None:
    """Make the development CA and its certificates where missing. A key is never overwritten."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        made = certify_network(folder, renew=timedelta(days=days) if renew else None)
    except FileNotFoundError as error:
        _fail(
            f"{error.filename} tidak ada: hanya pemegang kunci CA dapat membuat sertifikat",
            "is missing: only the owner of the CA's key can make certificates",
        )
    for path in made:
        say(f"✓ {path}", "made", "green")
    if not made:
        say("✓ semuanya sudah ada", "nothing is missing", "green")


@app.command()
def check(folder: Folder, days: Days = SOON.days) -> None:
    """Name the certificates and secrets to replace soon; exit code 1 where there is any.

    It names certificates that are expired, unreadable or expire within so many days. It also names keys and passwords
    that reach their greatest age within so many days.
    """
    now, found, bad = now_utc(), 0, 0
    for path, until in expiries(folder):
        found += 1
        if until is None:
            bad += 1
            say(f"✗ {path}: bukan sertifikat yang dapat dibaca", "cannot be read", "bold red")
        elif until < now + timedelta(days=days):
            bad += 1
            words = ("sudah kedaluwarsa", "expired") if until <= now else ("segera kedaluwarsa", "expires soon")
            say(f"✗ {path}: {words[0]}, {until:%Y-%m-%d %H:%M} UTC", words[1], "bold red")
    if not found:
        _fail(f"{folder}: tidak ada sertifikat", "there is no certificate")
    secrets = list(due_dates(folder))
    for path, until in secrets:
        if until < now + timedelta(days=days):
            bad += 1
            say(f"✗ {path}: terlalu lama dipakai, ganti sebelum {until:%Y-%m-%d}", "in use too long", "bold red")
    if bad:
        raise typer.Exit(1)
    whole = f"{found} sertifikat dan {len(secrets)} rahasia berlaku lebih dari {days} hari"
    say(f"✓ {whole}", "all certificates and secrets are valid for longer", "green")


@app.command()
def revoke(
    folder: Folder, certificate: Annotated[Path, typer.Argument(help="The PEM file of the certificate.")]
) -> None:
    """Add a certificate to the revocation list. Services read the list on SIGHUP or at their next start."""
    Authority.of(folder).list_revoked(now_utc(), [load_certificate(certificate)])
    say(f"✓ {certificate} dicabut", "is revoked", "green")


def expiries(folder: Path) -> Iterator[tuple[Path, datetime | None]]:
    """Each certificate and revocation list below a folder, and when it expires (UTC); None: unreadable.

    For a file with several certificates, the first expiry counts.
    """
    for path in sorted(folder.rglob("*.pem")):
        try:
            content = path.read_bytes()
            if b"-BEGIN X509 CRL-" in content:
                yield path, x509.load_pem_x509_crl(content).next_update_utc
            elif b"-BEGIN CERTIFICATE-" in content or b"PRIVATE KEY-" not in content:
                yield path, min(one.not_valid_after_utc for one in x509.load_pem_x509_certificates(content))
        except (OSError, ValueError):
            yield path, None


def _fail(indonesian: str, english: str) -> None:
    say(f"✗ {indonesian}", english, "bold red")
    raise typer.Exit(1)


def main() -> None:
    """The command line."""
    app()


if __name__ == "__main__":
    main()
