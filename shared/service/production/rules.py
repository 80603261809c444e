"""The production profile: the conditions on which a service refuses to start. One table of rules, and a pure function.

The table leaves out two things that a service cannot see. One is whether a disk keeps the data that it reports as
written. The other is whether a good key has leaked.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import make_url

from shared.contracts.senders import MemberKind
from shared.messaging.rights import BrokerRights, Durability, most_rights
from shared.security.development import DEVELOPMENT_ISSUER
from shared.service.settings import Settings

PRODUCTION = "production"
SECRET_FILES = (
    *("key_folder", "key_token_pin_file", "database_password_file"),
    *("nats_seed_file", "nats_key_file", "tls_key_file"),
)
TRUST_FILES = ("key_directory_root_file", "key_directory_file", "tls_client_crl_file", "revoked_tokens_file")
"""These files are not secret, but anybody who can write them decides whom the service trusts."""
CERTIFICATE_FILES = ("tls_certificate_file", "tls_client_ca_file", "nats_ca_file", "nats_certificate_file")


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts found around a service. Sets hold the names of settings."""

    unreadable: frozenset[str] = frozenset()
    exposed: frozenset[str] = frozenset()
    """Files that users other than the owner can read."""
    guessable: frozenset[str] = frozenset()
    """Files with a password that is too short or too regular."""
    for_development: frozenset[str] = frozenset()
    """Files that carry the mark of the development tools."""
    not_durable: tuple[str, ...] = ()
    """Settings of the database server that can lose a commit."""
    may_rewrite: tuple[str, ...] = ()
    """Append-only tables that the service's database role can change."""
    member: str = ""
    kind: MemberKind = MemberKind.AGENCY
    rights: BrokerRights | None = None
    """The broker rights of the member; None while the broker cannot be asked."""
    durability: Durability | None = None
    """The durability of the broker; None while the broker cannot be asked."""


@dataclass(frozen=True, slots=True)
class SettingFault:
    """An unsafe setting, with the fault and the remedy in both languages."""

    setting: str
    found: tuple[str, ...]
    id: str
    en: str

    @property
    def variable(self) -> str:
        """The name of the environment variable."""
        return f"ESTAFET_{self.setting.upper()}"

    def __str__(self) -> str:
        found = f" ({', '.join(self.found)})" if any(self.found) else ""
        return f"✗ {self.variable}{found}: {self.id} · {self.en}"


Found = Callable[[Settings, Facts], Sequence[str]]
"""Finds the fault of a rule, in words of the configuration; empty where the setting is safe."""


@dataclass(frozen=True, slots=True)
class ProductionRule:
    """One rule of the production profile: a setting, its check, and the texts for the operator."""

    setting: str
    found: Found
    id: str
    en: str


def _missing(setting: str) -> Found:
    return lambda settings, _: [""] if getattr(settings, setting) is None else []


def _listed(setting: str, fact: str) -> Found:
    return lambda _, facts: [""] if setting in getattr(facts, fact) else []


def _not_postgresql(settings: Settings, _: Facts) -> Sequence[str]:
    kind = make_url(settings.database_url).get_backend_name()
    return [] if kind == "postgresql" else [kind]


def _not_verified(settings: Settings, _: Facts) -> Sequence[str]:
    url = make_url(settings.database_url)
    mode = url.query.get("sslmode", "sslmode")
    return [] if url.get_backend_name() != "postgresql" or mode == "verify-full" else [str(mode)]


def _password_in_clear(settings: Settings, _: Facts) -> Sequence[str]:
    return [""] if make_url(settings.database_url).password else []


def _not_tls(settings: Settings, _: Facts) -> Sequence[str]:
    url = settings.nats_url
    return [] if url is None or url.startswith("tls://") else [url.partition(":")[0]]


def _issuer_of_development(settings: Settings, _: Facts) -> Sequence[str]:
    return [DEVELOPMENT_ISSUER] if settings.issuer == DEVELOPMENT_ISSUER else []


def _not_https(settings: Settings, _: Facts) -> Sequence[str]:
    return [] if settings.issuer_jwks is None or settings.issuer_jwks.startswith("https://") else [""]


def _too_wide(_: Settings, facts: Facts) -> Sequence[str]:
    return [] if facts.rights is None else facts.rights.beyond(most_rights(facts.member, facts.kind))


def _loses_messages(_: Settings, facts: Facts) -> Sequence[str]:
    return [] if facts.durability is None else facts.durability.faults()


NEEDED = (
    *("tls_certificate_file", "tls_key_file", "tls_client_ca_file", "tls_client_crl_file"),
    *("database_password_file", "revoked_tokens_file"),
    *("nats_url", "nats_seed_file", "nats_ca_file", "nats_certificate_file", "nats_key_file"),
)

RULES = (
    *(ProductionRule(name, _missing(name), "belum diisi", "is not set") for name in NEEDED),
    *(
        ProductionRule(name, _listed(name, "unreadable"), "berkas tidak dapat dibaca", "the file cannot be read")
        for name in (*SECRET_FILES, *CERTIFICATE_FILES, *TRUST_FILES)
    ),
    *(
        ProductionRule(
            name,
            _listed(name, "exposed"),
            "dapat dibaca pengguna lain: chmod 600",
            "other users can read the file: chmod 600",
        )
        for name in SECRET_FILES
    ),
    ProductionRule(
        "database_password_file",
        _listed("database_password_file", "guessable"),
        "kata sandi terlalu pendek: buat dengan make secrets",
        "the password is too short: make one with make secrets",
    ),
    *(
        ProductionRule(
            name,
            _listed(name, "for_development"),
            "berkas pengembangan: buat yang baru untuk produksi",
            "a development file: make a new one for production",
        )
        for name in (*SECRET_FILES, *CERTIFICATE_FILES, *TRUST_FILES)
    ),
    ProductionRule("database_url", _not_postgresql, "pakai postgresql+psycopg://", "use postgresql+psycopg://"),
    ProductionRule("database_url", _not_verified, "pakai sslmode=verify-full&sslrootcert=…", "use sslmode=verify-full"),
    ProductionRule("database_url", _password_in_clear, "pindahkan sandi ke berkas", "move the password to a file"),
    ProductionRule(
        "database_url",
        lambda _, facts: facts.not_durable,
        "nyalakan pengaturan ini di PostgreSQL",
        "turn these settings on in PostgreSQL",
    ),
    ProductionRule(
        "database_url",
        lambda _, facts: facts.may_rewrite,
        "masuk sebagai peran layanan, bukan pemilik (deploy/local/databases.py)",
        "log in as the role of the service, not the owner",
    ),
    ProductionRule("nats_url", _not_tls, "pakai tls://", "use tls://"),
    ProductionRule(
        "nats_url",
        _loses_messages,
        "broker dapat kehilangan pesan: pakai nats-server 2.15.1 ke atas dengan deploy/nats",
        "the broker may lose messages: use nats-server 2.15.1 or later with deploy/nats",
    ),
    ProductionRule(
        "nats_seed_file",
        _too_wide,
        "broker mengizinkan lebih dari yang perlu: pakai deploy/nats",
        "the broker allows this member more than it needs: use deploy/nats",
    ),
    ProductionRule(
        "issuer", _issuer_of_development, "pakai penerbit token instansi", "use the agency's own token issuer"
    ),
    ProductionRule("issuer_jwks", _not_https, "pakai alamat https://", "use an https:// address"),
)


def needs_people(settings: Settings) -> bool:
    """Whether a token must name a human for the operations that the access table marks (``AccessRule.person``).

    The production profile demands it. The development profile accepts a machine's token; its start log says so.
    """
    return settings.profile == PRODUCTION


class Unsafe(RuntimeError):
    """A service of the production profile refuses to start with these ``settings``."""

    reason = "unsafe-settings"

    def __init__(self, found: Sequence[SettingFault]) -> None:
        super().__init__(", ".join(dict.fromkeys(fault.variable for fault in found)))
        self.faults = tuple(found)
        self.settings = list(dict.fromkeys(fault.setting for fault in found))


def faults(settings: Settings, facts: Facts) -> list[SettingFault]:
    """Everything that is unsafe, in the order of the table; empty outside the production profile."""
    if settings.profile != PRODUCTION:
        return []
    found = ((rule, tuple(rule.found(settings, facts))) for rule in RULES)
    return [SettingFault(rule.setting, what, rule.id, rule.en) for rule, what in found if what]


def refuse(found: Sequence[SettingFault]) -> None:
    """Raises Unsafe where there is any fault."""
    if found:
        raise Unsafe(found)
