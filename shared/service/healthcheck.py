"""``python -m shared.service.healthcheck``: asks the service on this machine whether it is ready.

The exit code is 0 when the service is ready, else 1. The check trusts only the service's own certificate, and shows
the member's client certificate. It takes its settings from the environment alone and imports little, because a
container runs the check every few seconds.
"""

import http.client
import os
import socket
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509

HOST, PORT = "127.0.0.1", 8000
SECONDS = 2.0


def is_ready(port: int, environment: Mapping[str, str]) -> bool:
    """Whether the service on ``port`` answers that it is ready. Raises OSError for unusable certificate files.

    ``environment``: the settings with which the service was started.
    """
    connection = http.client.HTTPConnection(HOST, port, timeout=SECONDS)
    try:
        connection.sock = _connect(port, environment)
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except (ConnectionError, TimeoutError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _connect(port: int, environment: Mapping[str, str]) -> socket.socket:
    plain = socket.create_connection((HOST, port), SECONDS)
    if not (own := environment.get("ESTAFET_TLS_CERTIFICATE_FILE")):
        return plain
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(own)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # the certificate is trusted although it is not a CA
    if environment.get("ESTAFET_TLS_CLIENT_CA_FILE"):
        context.load_cert_chain(environment["ESTAFET_NATS_CERTIFICATE_FILE"], environment["ESTAFET_NATS_KEY_FILE"])
    return context.wrap_socket(plain, server_hostname=_a_name_in(Path(own)))


def _a_name_in(certificate: Path) -> str:
    names = x509.load_pem_x509_certificate(certificate.read_bytes()).extensions
    return names.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)[0]


if __name__ == "__main__":
    sys.exit(0 if is_ready(PORT, os.environ) else 1)
