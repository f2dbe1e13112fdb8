"""A broker that serves its two documents, counts requests, and signs any token for a test.

It shares no code with the clients or with the development broker. It sends the minimum that is
allowed: no `issuer`, no `use` in its keys, no caching headers.
"""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from cases.keys import ED_A, RSA_A, RSA_B, Jwk, without
from cases.mint import Part, changed, sign

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

AUTHORIZATION_ENDPOINT = "http://imaginary-server.test/fake-auth-route"
CLIENT_ID = "http://imaginary-client.test"
REDIRECT_URI = f"{CLIENT_ID}/fake-verify-route"
DISCOVERY = "/.well-known/openid-configuration"
KEYS = "/test-keys"

# Names may contain spaces.
SIGNERS = {"test key": RSA_A, "next key": RSA_B, "edwards key": ED_A}


class Broker:
    """Listens until it is closed."""

    def __init__(self) -> None:
        self.discovery: dict[str, Any] = {}
        self.keys: list[Jwk] = [self.jwk("test key")]
        self._requests: list[tuple[str, float]] = []
        self._open = threading.Event()
        self._open.set()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.broker = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.port: int = self._server.server_address[1]
        self.origin = f"http://127.0.0.1:{self.port}"
        self.discovery.update(
            jwks_uri=f"{self.origin}{KEYS}", authorization_endpoint=AUTHORIZATION_ENDPOINT
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @staticmethod
    def jwk(signer: str, /, **members: object) -> Jwk:
        """The public key of one of the signers."""
        return {**without(SIGNERS[signer].jwk(signer), "use"), **members}

    def hold(self) -> None:
        """Holds requests until `release`."""
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    def requests(self) -> tuple[int, int]:
        """The number of requests for the discovery document and for the keys."""
        paths = [path for path, _ in list(self._requests)]
        return paths.count(DISCOVERY), paths.count(KEYS)

    def keys_served_at(self) -> list[float]:
        """When the keys were requested, on the monotonic clock."""
        return [at for path, at in list(self._requests) if path == KEYS]

    def serve(self, path: str) -> bytes | None:
        """The document at a path."""
        self._requests.append((path, time.monotonic()))
        self._open.wait()
        documents = {DISCOVERY: self.discovery, KEYS: {"keys": self.keys}}
        return json.dumps(documents[path]).encode() if path in documents else None

    def token(self, url: str, *, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """The token that completes the login of an authorization URL, with other claims."""
        return self.sign(self.claims(url, **changes), **(header or {}))

    def claims(self, url: str, **changes: Any) -> dict[str, object]:
        """The claims of the token for the login of an authorization URL."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        now = int(time.time())
        usual = {
            "iss": self.origin,
            "aud": query["client_id"],
            "exp": now + 5,
            "iat": now,
            "email": query["login_hint"],
            "nonce": query["nonce"],
        }
        return changed(usual, changes)

    @staticmethod
    def sign(payload: Part, *, signed_by: str | None = None, **header: Any) -> str:
        """A token with this payload and header. The key is that of the header's `kid`, or
        another's."""
        header = changed({"kid": "test key", "alg": "RS256"}, header)
        signer = SIGNERS[signed_by or str(header["kid"])]
        return sign(header, payload, signer.sign)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    broker: Broker


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        body = self.server.broker.serve(self.path)
        self.send_response(404 if body is None else 200)
        # The content type of a server that guesses it from the text.
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: object) -> None:
        """Logs nothing."""
