"""The development CA: the files that it makes or leaves alone, and the commands that renew, check and revoke."""

import contextlib
import os
import re
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from typer.testing import CliRunner, Result

from deploy.credentials.authority import Authority, make_certificates
from deploy.credentials.certificates import app
from deploy.credentials.keyring import Keyring
from deploy.credentials.secrets import BROKER, BROKER_ROLES, DATABASE, ISSUER, certify_network, make_secrets
from services.members import SERVICES
from shared.security.development import DEVELOPMENT_CA, is_of_development_ca
from shared.security.transport import ClientTls, ServerTls

NOW = datetime.now(UTC)
SERVERS, CLIENTS = [*SERVICES, BROKER, DATABASE, ISSUER], [*BROKER_ROLES, DATABASE, ISSUER]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificates of the shipped network."""
    certify_network(folder := tmp_path_factory.mktemp("network"))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The certificates of a small network, for one test."""
    make_certificates(tmp_path, ["library"], ["library", "reader"], NOW)
    return tmp_path


def command(*words: object) -> Result:
    """``python -m deploy.credentials.certificates …``."""
    return CliRunner().invoke(app, [str(word) for word in words])


def load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def names(certificate: x509.Certificate) -> list[str]:
    return [str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]


def uses(certificate: x509.Certificate) -> list[x509.ObjectIdentifier]:
    return list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def all_files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("server", SERVERS)
def test_a_server_is_certified_for_its_name_and_this_machine_and_as_a_server_only(network: Path, server: str) -> None:
    certificate = load(network / server / "tls.pem")
    addresses = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert addresses.get_values_for_type(x509.DNSName) == [server, "localhost"]
    assert [str(ip) for ip in addresses.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]
    assert uses(certificate) == [ExtendedKeyUsageOID.SERVER_AUTH]


@pytest.mark.parametrize("client", CLIENTS)
def test_a_member_is_certified_by_name_and_as_a_client_only(network: Path, client: str) -> None:
    certificate = load(network / client / "client.pem")
    assert (names(certificate), uses(certificate)) == ([client], [ExtendedKeyUsageOID.CLIENT_AUTH])


def test_each_certificate_is_of_the_ca_for_its_own_p256_key_and_short_lived(network: Path) -> None:
    ca, seen = load(network / "public" / "ca.pem"), set()
    assert names(ca) == [DEVELOPMENT_CA] and is_of_development_ca(network / "public" / "ca.pem")
    for path in [*network.rglob("tls.pem"), *network.rglob("client.pem")]:
        certificate, key = load(path), load_pem_private_key((path.with_stem(f"{path.stem}-key")).read_bytes(), None)
        certificate.verify_directly_issued_by(ca)
        assert isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)
        assert certificate.public_key() == key.public_key()
        assert certificate.not_valid_after_utc - certificate.not_valid_before_utc <= timedelta(days=90, minutes=5)
        assert is_of_development_ca(path)
        seen.add(certificate.serial_number)
    assert len(seen) == len(SERVERS) + len(CLIENTS)


def test_keys_are_their_owners_alone(network: Path) -> None:
    modes = {path: path.stat().st_mode & 0o777 for path in network.rglob("*") if path.is_file()}
    assert {mode for path, mode in modes.items() if path.parent.name != "public"} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (network / "ca", network / "police")} == {0o700}
    assert {path.name for path in modes if path.parent.name == "public"} == {"ca.pem", "crl.pem"}


def test_openssl_takes_them_as_rfc_5280_wants_them(network: Path) -> None:
    """The strict contexts of ``shared.security.transport`` shake hands with them, in memory."""
    public, own = network / "public", network / "police"
    server = ServerTls(own / "tls.pem", own / "tls-key.pem", public / "ca.pem", public / "crl.pem").context()
    caller = ClientTls.of_member(network, "kemenkes").context()
    assert shake_hands(caller, server).version() == "TLSv1.3"


def shake_hands(caller: ssl.SSLContext, server: ssl.SSLContext) -> ssl.SSLObject:
    """The server's end, once both are done. Raises ssl.SSLError."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [caller.wrap_bio(back, there, server_hostname="police"), server.wrap_bio(there, back, server_side=True)]
    for _ in range(3):
        for end in ends:
            with contextlib.suppress(ssl.SSLWantReadError):
                end.do_handshake()
    return ends[1]


def test_existing_certificates_stay(network: Path) -> None:
    before = all_files(network)
    assert certify_network(network) == []
    assert all_files(network) == before


def test_only_what_is_missing_is_made(folder: Path) -> None:
    before = all_files(folder)
    assert make_certificates(folder, ["library", "archive"], ["library", "reader"], NOW) == [folder / "archive/tls.pem"]
    after = all_files(folder)
    assert {name for name in after if after[name] != before.get(name)} == {"archive/tls.pem", "archive/tls-key.pem"}


def test_a_certificate_whose_key_is_lost_is_made_anew(folder: Path) -> None:
    (folder / "library" / "tls-key.pem").unlink()
    make_certificates(folder, ["library"], ["library", "reader"], NOW)
    own = folder / "library"
    assert ServerTls(own / "tls.pem", own / "tls-key.pem").context()


def test_what_expires_is_renewed_only_when_asked_and_keeps_its_key(folder: Path) -> None:
    before, later = all_files(folder), NOW + timedelta(days=70)
    wanted = (["library"], ["library", "reader"], later)
    assert make_certificates(folder, *wanted) == []
    assert make_certificates(folder, *wanted, renew=timedelta(days=10)) == []
    assert all_files(folder) == before
    assert len(make_certificates(folder, *wanted, renew=timedelta(days=30))) == 4  # and the list of those revoked
    after = all_files(folder)
    assert {name for name in after if after[name] == before[name]} == {
        "ca/ca-key.pem",
        "public/ca.pem",
        *(f"{name}-key.pem" for name in ("library/tls", "library/client", "reader/client")),
    }
    assert load(folder / "library" / "tls.pem").not_valid_after_utc > later + timedelta(days=80)


def test_without_the_cas_key_nothing_is_made_and_nothing_is_missed(folder: Path) -> None:
    (folder / "ca" / "ca-key.pem").unlink()
    assert make_certificates(folder, ["library"], ["reader"], NOW) == []
    with pytest.raises(FileNotFoundError, match=r"ca-key\.pem"):
        make_certificates(folder, ["archive"], [], NOW)
    told = command("make", folder)
    assert told.exit_code == 1 and "hanya pemegang kunci CA" in told.output


def test_one_command_makes_all_of_it_and_another_says_that_it_holds(tmp_path: Path) -> None:
    made = command("make", tmp_path / "new")
    assert made.exit_code == 0 and made.output.count("✓") == len(SERVERS) + len(CLIENTS)
    assert "semuanya sudah ada" in command("make", tmp_path / "new").output
    checked = command("check", tmp_path / "new")
    assert (checked.exit_code, checked.output.count("✗")) == (0, 0)
    both = f"{len(SERVERS) + len(CLIENTS) + 2} sertifikat dan {len(SERVERS) + len(CLIENTS) + 1} rahasia"
    assert f"✓ {both} berlaku lebih dari 30 hari · all" in checked.output


def test_make_secrets_makes_them_too(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    assert command("check", tmp_path).exit_code == 0


def test_the_check_names_what_expires_soon_what_is_expired_and_what_cannot_be_read(tmp_path: Path) -> None:
    make_certificates(tmp_path, ["soon"], [], NOW - timedelta(days=70))
    make_certificates(tmp_path, ["late"], [], NOW - timedelta(days=91))
    make_certificates(tmp_path, ["fresh"], [], NOW, renew=None)
    (tmp_path / "fresh" / "client.pem").write_text("nothing that could be a certificate")
    told = command("check", tmp_path)
    assert told.exit_code == 1
    assert re.search(r"soon/tls.pem: segera kedaluwarsa, .* · expires soon", told.output)
    assert re.search(r"late/tls.pem: sudah kedaluwarsa, .* · expired", told.output)
    assert re.search(r"fresh/client.pem: bukan sertifikat .* · cannot be read", told.output)
    assert "fresh/tls.pem" not in told.output and "ca.pem" not in told.output
    assert "crl.pem: segera kedaluwarsa" in told.output  # the list of those revoked expires too
    assert command("check", tmp_path, "--days", 10).output.count("✗") == 2


@pytest.mark.parametrize(
    ("name", "days"),
    [("police/database.password", 90), ("kemenkes/nats.seed", 365), ("police/keys/police-1.pem", 365),
     ("nats/store.key", 365), ("kemensos/keys/storage-1.key", 365), ("directory/directory-1.pem", 1825),
     ("police/tls-key.pem", 365)],
)  # fmt: skip
def test_the_check_names_a_secret_that_has_served_its_time(tmp_path: Path, name: str, days: int) -> None:
    make_secrets(tmp_path)

    def written(ago: timedelta) -> Result:
        moment = (NOW - ago).timestamp()
        os.utime(tmp_path / name, (moment, moment))
        return command("check", tmp_path)

    assert written(timedelta(days=days - 31)).exit_code == 0
    told = written(timedelta(days=days - 29))
    assert told.exit_code == 1 and re.search(rf"✗ \S+{name}: terlalu lama dipakai, ganti sebelum", told.output)
    assert told.output.count("✗") == 1


def test_a_key_that_a_newer_one_has_replaced_is_not_named(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    old = tmp_path / "police" / "keys" / "storage-1.key"
    os.utime(old, (0, 0))
    assert command("check", tmp_path).exit_code == 1
    Keyring(tmp_path).rotate_storage("police")
    assert old.exists() and command("check", tmp_path).exit_code == 0


def test_the_renewal_that_the_check_asks_for_satisfies_it(tmp_path: Path) -> None:
    make_certificates(tmp_path, SERVERS, CLIENTS, NOW - timedelta(days=70))
    assert command("check", tmp_path).exit_code == 1
    assert "semuanya sudah ada" in command("make", tmp_path).output
    assert command("make", tmp_path, "--renew").output.count("✓") == len(SERVERS) + len(CLIENTS) + 1
    assert command("check", tmp_path).exit_code == 0


def test_an_empty_folder_does_not_pass_the_check(tmp_path: Path) -> None:
    told = command("check", tmp_path)
    assert told.exit_code == 1 and "tidak ada sertifikat" in told.output


def test_what_is_revoked_stays_revoked(folder: Path) -> None:
    for name in ("library", "reader", "reader"):
        assert command("revoke", folder, folder / name / "client.pem").exit_code == 0
    Authority.of(folder).list_revoked(NOW + timedelta(days=80))
    listed = x509.load_pem_x509_crl((folder / "public" / "crl.pem").read_bytes())
    both = {load(folder / name / "client.pem").serial_number for name in ("library", "reader")}
    assert len(list(listed)) == 2 and {entry.serial_number for entry in listed} == both
    assert listed.is_signature_valid(load(folder / "public" / "ca.pem").public_key())  # type: ignore[arg-type]


def test_a_ministrys_ca_is_not_taken_for_ours(folder: Path, tmp_path: Path) -> None:
    text = (folder / "public" / "ca.pem").read_bytes()
    assert is_of_development_ca(folder / "public" / "ca.pem")
    other = tmp_path / "other.pem"
    other.write_bytes(self_signed_by("Balai Sertifikasi Rekaan"))
    assert not is_of_development_ca(other)
    other.write_bytes(other.read_bytes() + text)
    assert is_of_development_ca(other)


def self_signed_by(name: str) -> bytes:
    """A CA certificate of this name."""
    key, subject = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)
