"""An identity provider of a domain, which the real broker asks instead of sending mail."""

from __future__ import annotations

import datetime
import ipaddress
import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qsl, urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from jwt.algorithms import OKPAlgorithm, RSAAlgorithm

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

HOST = "127.0.0.1"


class IdentityProvider:
    """Serves its documents over `https`. `certificate` is the file of its certificate.

    It accepts everybody: `answer` gives the form that it would post for a request of the broker.
    """

    def __init__(self, directory: Path, algorithm: str) -> None:
        self._algorithm = algorithm
        self._key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey = (
            rsa.generate_private_key(65537, 2048)
            if algorithm == "RS256"
            else ed25519.Ed25519PrivateKey.generate()
        )
        self.certificate = directory / "identity-provider.pem"
        _make_certificate(self.certificate)
        self._server = _Server((HOST, 0), _Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.origin = f"https://{HOST}:{self._server.server_port}"
        self._server.documents = self._documents()
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, url: str) -> tuple[str, dict[str, str]]:
        """Where it posts the answer to a request, and the fields of the form."""
        assert url.startswith(f"{self.origin}/authorize?")
        query = dict(parse_qsl(urlsplit(url).query, strict_parsing=True))
        now = int(time.time())
        claims = {
            "iss": self.origin,
            "aud": query["client_id"],
            "email": query["login_hint"],
            "nonce": query["nonce"],
            "iat": now,
            "exp": now + 60,
        }
        token = jwt.encode(claims, self._key, self._algorithm, headers={"kid": "only"})
        return query["redirect_uri"], {"id_token": token, "state": query["state"]}

    def _documents(self) -> dict[str, object]:
        public = self._key.public_key()
        encode = RSAAlgorithm if isinstance(public, rsa.RSAPublicKey) else OKPAlgorithm
        key = encode.to_jwk(public, as_dict=True)  # type: ignore[arg-type]
        return {
            "/.well-known/openid-configuration": {
                "issuer": self.origin,
                "authorization_endpoint": f"{self.origin}/authorize",
                "jwks_uri": f"{self.origin}/keys.json",
                "response_modes_supported": ["form_post"],
                "id_token_signing_alg_values_supported": [self._algorithm],
                "accepts_id_token_signing_alg_query_param": True,
            },
            "/keys.json": {"keys": [{**key, "kid": "only", "use": "sig", "alg": self._algorithm}]},
        }


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    documents: dict[str, object]


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        document = self.server.documents.get(self.path)
        body = json.dumps(document).encode()
        self.send_response(404 if document is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def _make_certificate(file: Path) -> None:
    """Write a certificate of an hour, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "identity provider")])
    now = datetime.datetime.now(datetime.UTC)
    hour = datetime.timedelta(hours=1)
    alternatives = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - hour)
        .not_valid_after(now + hour)
        .add_extension(alternatives, critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
