"""Means that the shipped code does without: sources of injection, unsafe parsing and weak cryptography.

The table of OWASP ASVS (``shared/security/asvs.csv``) relies on this, also for requirements that do not apply. A new
mail client or XML parser fails here, because a row of that table is no longer true.
"""

import ast
import re

from tests.support.sources import ROOT, Rule, any_of, broken, called, dotted, imports, put_together, shipped

SERVICES = [path for path in shipped() if path.relative_to(ROOT).parts[0] in ("shared", "services")]


# --- injection --------------------------------------------------------------------------------------------------------


def makes_code(node: ast.AST) -> bool:
    bare = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    return (bare and called(node) in ("eval", "exec", "compile", "__import__")) or called(node) == "from_string"


def test_no_text_becomes_code() -> None:
    assert broken(any_of(makes_code, imports("code", "codeop", "jinja2.Template"))) == []


CONSTANT_STATEMENTS = {
    "connection.execute(f'PRAGMA {pragma}')",  # a loop over constants; SQLite has no parameters there
    "sql.SQL('CREATE DATABASE {} OWNER {} ' + options)",  # likewise a constant; names go through sql.Identifier
}


def makes_a_statement(node: ast.AST) -> bool:
    takes = called(node) in ("execute", "executemany", "exec_driver_sql", "text", "SQL", "scalars", "scalar", "copy")
    return takes and isinstance(node, ast.Call) and any(put_together(given) for given in node.args[:1])


def test_no_statement_is_put_together_from_text() -> None:
    found = broken(makes_a_statement)
    assert [place for place in found if place.split(": ", 1)[1] not in CONSTANT_STATEMENTS] == []


STARTS_PROGRAMS = any_of(
    imports("subprocess", "pty", "popen2", "multiprocessing"),
    lambda node: (
        dotted(node) in ("os.system", "os.popen", "os.fork") or dotted(node).startswith(("os.exec", "os.spawn"))
    ),
    lambda node: called(node) in ("create_subprocess_exec", "create_subprocess_shell"),
)


def test_no_service_starts_another_program() -> None:
    assert broken(STARTS_PROGRAMS) == []


def makes_a_pattern(node: ast.AST) -> bool:
    takes = re.fullmatch(r"re\.(compile|match|fullmatch|search|sub|split|findall|finditer)", dotted(node))
    return bool(takes) and isinstance(node, ast.Call) and put_together(node.args[0])


def test_no_pattern_is_put_together_from_text() -> None:
    assert broken(makes_a_pattern) == []


ABSENT = (
    *(
        "xml",
        "lxml",
        "xmltodict",
        "defusedxml",
        "html.parser",
        "bs4",
        "markdown",
        "pickle",
        "marshal",
        "shelve",
        "dill",
    ),
    *("yaml", "jsonpickle", "ldap", "ldap3", "smtplib", "imaplib", "aiosmtplib", "poplib", "ftplib", "telnetlib"),
    *("memcache", "pymemcache", "redis", "graphql", "strawberry", "graphene", "websockets", "starlette.websockets"),
    *("ctypes", "cffi", "mmap", "zipfile", "tarfile", "gzip", "zlib", "bz2", "lzma", "passlib", "bcrypt", "pyotp"),
    *("authlib.oidc", "saml2", "onelogin", "aiortc"),
)
"""Parsers, protocols and formats that nothing here reads, speaks or unpacks."""


def test_no_unused_parser_or_protocol_is_imported() -> None:
    assert broken(imports(*ABSENT)) == []


def test_no_service_takes_a_file() -> None:
    takes = any_of(imports("fastapi.UploadFile", "fastapi.File"), lambda node: called(node) == "FileResponse")
    assert broken(takes) == []


# --- cryptography -----------------------------------------------------------------------------------------------------


WEAK = {"ECB", "CBC", "CFB", "OFB", "CTR", "PKCS1v15", "MD5", "SHA1", "SHA224", "ARC4", "TripleDES", "Blowfish", "IDEA"}
HASHES = {"sha256", "sha384", "sha512", "file_digest"}
WEAK_JOSE = re.compile(r"none|HS\d+|RSA1_5|RSA-OAEP|A\d+CBC-HS\d+|PBES2-.*")


def is_weak(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "hashlib":
        return node.attr not in HASHES
    if isinstance(node, ast.alias):
        return node.name in WEAK
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return bool(WEAK_JOSE.fullmatch(node.value))
    return isinstance(node, ast.Attribute) and node.attr in WEAK


def test_only_sound_algorithms_are_named() -> None:
    """No ECB, no unauthenticated mode, no PKCS#1 v1.5 encryption, no MD5 or SHA-1, no symmetric or empty signature."""
    told = broken(is_weak)
    assert [place for place in told if place.split(": ", 1)[1] != "'none'" or "/security/" in place] == []


def test_nothing_that_must_not_be_guessed_comes_from_a_predictable_source() -> None:
    assert broken(imports("random", "numpy.random", "uuid.uuid1")) == []


def switches_a_check_off(node: ast.AST) -> bool:
    if isinstance(node, ast.keyword):
        off = isinstance(node.value, ast.Constant) and node.value.value is False
        return node.arg in ("verify", "check_hostname", "verify_signature", "ssl", "tls_verify") and off
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).endswith("check_hostname"):
        return ast.unparse(node.value) != "True"
    return isinstance(node, ast.Attribute) and node.attr in ("CERT_NONE", "_create_unverified_context")


def test_no_check_of_a_certificate_or_signature_is_switched_off() -> None:
    assert broken(switches_a_check_off) == []


# --- where it goes ----------------------------------------------------------------------------------------------------


OUTBOUND = {
    "shared/messaging/broker.py": "the broker, over the connection of the file below",
    "shared/messaging/connection.py": "the broker, whose address is a setting",
    "shared/messaging/stream.py": "the broker, over the connection of the file above",
    "shared/security/issuer_keys.py": "the issuer's key set, whose address is a setting",
    "shared/service/healthcheck.py": "the service itself, on this machine",
    "shared/http/serve.py": "nobody: it listens",
}
"""The files that open a connection, beside ``shared/storage/engine.py``; no address comes from a caller or event."""
CLIENTS = imports(
    "httpx", "requests", "aiohttp", "urllib.request", "http.client", "nats", "socket", "asyncio.open_connection"
)
OPENS = any_of(CLIENTS, lambda node: called(node) in ("open_connection", "create_connection", "open_unix_connection"))


def test_only_these_files_speak_to_others() -> None:
    assert {place.partition(":")[0] for place in broken(OPENS, SERVICES)} == set(OUTBOUND)


def follows(node: ast.AST) -> bool:
    return isinstance(node, ast.keyword) and node.arg in ("follow_redirects", "allow_redirects") and (
        not isinstance(node.value, ast.Constant) or node.value.value is not False
    )  # fmt: skip


def test_no_client_follows_a_redirect() -> None:
    assert broken(any_of(follows, imports("requests", "urllib.request"))) == []


LOG_ELSEWHERE = any_of(
    imports("logging.handlers", "logging.config", "syslog", "sentry_sdk"),
    lambda node: called(node) in ("FileHandler", "SocketHandler", "SysLogHandler", "WriteLoggerFactory", "print"),
)


def test_services_log_to_standard_error_alone() -> None:
    told = "shared/service/production/enforcement.py"  # to standard error: names of settings and what to do
    assert [place for place in broken(LOG_ELSEWHERE, SERVICES) if not place.startswith(told)] == []


# --- and of these rules -----------------------------------------------------------------------------------------------


BAD = """
import pickle, random, subprocess
from lxml import etree
eval(a); connection.execute(f"SELECT {a}"); text("x %s" % a); re.compile("a" + b); os.system(a)
hashlib.md5(a); modes.ECB(); "none"; httpx.get(url, verify=False, follow_redirects=True); context.check_hostname = a
asyncio.open_connection(a); FileHandler(a)
"""
GOOD = """
import json
connection.execute(text("SELECT 1"), {"a": a}); sql.SQL("{}").format(name); re.compile(FORM); hashlib.sha256(a)
httpx.get(url, follow_redirects=False); model.compile(a)
"""


def seen(rule: Rule, source: str) -> int:
    return sum(rule(node) for node in ast.walk(ast.parse(source)))


def test_these_rules_see_what_breaks_them() -> None:
    rules: dict[Rule, int] = {
        makes_code: 1, makes_a_statement: 2, makes_a_pattern: 1, STARTS_PROGRAMS: 2, imports(*ABSENT): 2,
        imports("random"): 1, is_weak: 3, switches_a_check_off: 2, follows: 1, OPENS: 1, LOG_ELSEWHERE: 1,
    }  # fmt: skip
    assert [seen(rule, BAD) for rule in rules] == list(rules.values())
    assert [seen(rule, GOOD) for rule in rules] == [0] * len(rules)


def test_they_read_what_is_shipped() -> None:
    names = {str(path.relative_to(ROOT)) for path in shipped()}
    assert {
        "shared/service/app.py",
        "services/police/main.py",
        "deploy/local/databases.py",
        "deploy/credentials/secrets.py",
    } <= names
    assert not {"deploy/bench/run.py", "deploy/compose/test.py"} & names
