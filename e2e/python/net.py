"""HTTP/1.1 inside TLS to one member, whose key the genesis file pins. No certificate authority is asked."""

import hashlib
import http.client
import json
import ssl
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ANSWER_BYTES_MAX = 4 << 20
PATIENCE_S = 20


class Unreachable(Exception):
    """No member answered, or it has no time now."""


class WrongKey(Exception):
    """Somebody answered who does not hold the pinned key."""


class Refused(Exception):
    """The member said no: its status line and its problem document, as far as it is one."""

    def __init__(self, status, body):
        self.status = status
        try:
            problem = json.loads(body)
            self.code, self.detail = str(problem["code"]), str(problem["detail"])
        except (ValueError, KeyError, TypeError):
            self.code, self.detail = None, f"HTTP {status}"
        super().__init__(f"{self.detail} ({self.code or 'no code'})")


class Member:
    """A connection to a member that has shown that it holds the pinned key. Nothing is sent before that."""

    def __init__(self, member):
        address = urlsplit(member.api)
        if address.scheme != "https" or address.hostname is None:
            raise Unreachable(f"the genesis file gives {member.name} the address {member.api!r}, which is not https")
        self.connection = http.client.HTTPSConnection(
            address.hostname, address.port or 443, timeout=PATIENCE_S, context=pinned_context()
        )
        try:
            self.connection.connect()
        except OSError as error:
            raise Unreachable(f"{member.name} at {member.api}: {error}") from None
        check_pin(self.connection.sock.getpeercert(binary_form=True), member)

    def ask(self, method, path, body=None, **headers):
        """Status line and body of what came; Refused for everything that is no success."""
        if body is not None:
            headers["content-type"] = "application/octet-stream"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            self.connection.request(method, path, body, named)
            response = self.connection.getresponse()
            answer = response.read(ANSWER_BYTES_MAX + 1)
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"{method} {path}: {error}") from None
        if len(answer) > ANSWER_BYTES_MAX:
            raise Unreachable(f"{method} {path}: the answer is longer than {ANSWER_BYTES_MAX} bytes")
        if response.status not in (200, 202):
            raise Refused(response.status, answer)
        return response.status, answer

    def close(self):
        self.connection.close()


def pinned_context():
    """TLS proves that the other side holds the key of its certificate; which key that must be, the pin says."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def check_pin(certificate, member):
    key = x509.load_der_x509_certificate(certificate).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if hashlib.sha256(spki).digest() != member.tls_spki:
        raise WrongKey(f"who answers at {member.api} does not hold the key that the genesis file pins for {member.name}")
