"""The broker of the sites that are measured.

Its documents and its tokens are those of the development broker. A token is signed before a site
redeems its code, so that the signature does not slow down the measured requests.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from common import EMAIL, get_text

from portier_client.testing import DevBroker

if TYPE_CHECKING:
    from collections.abc import Mapping


class Callback(NamedTuple):
    """What the browser brings back from the broker."""

    target: str
    form: dict[str, str] | None


class SiteBroker:
    """Answers from memory, in the event loop of the driver."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.origin = f"http://localhost:{port}"
        self._signer = DevBroker(origin=self.origin)
        self._grants: dict[str, bytes] = {}
        source = f"http://127.0.0.1:{self._signer.port}"
        documents = ("/.well-known/openid-configuration", "/keys.json")
        self._documents = {path: get_text(source + path).encode() for path in documents}

    async def serve(self) -> asyncio.Server:
        """Listens until the server is closed."""
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: _Connection(self), "localhost", self._port)

    def stop(self) -> None:
        """Stops signing."""
        self._signer.stop()

    def sign_in(self, url: str) -> Callback:
        """Signs a person in who was sent to this URL."""
        asked = dict(parse_qsl(urlsplit(url).query))
        token = self._token(asked)
        path = urlsplit(asked["redirect_uri"]).path
        state = asked.get("state", "")
        if asked["response_type"] == "id_token":
            return Callback(path, {"id_token": token, "state": state})
        code = secrets.token_urlsafe(32)
        answer = {"access_token": "UNUSED", "token_type": "bearer", "id_token": token}
        self._grants[code] = json.dumps(answer).encode()
        return Callback(f"{path}?{urlencode({'code': code, 'state': state})}", None)

    def _token(self, asked: Mapping[str, str]) -> str:
        nonce = asked.get("nonce")
        return self._signer.mint(
            client_id=asked["client_id"],
            email=EMAIL,
            nonce=nonce or "",
            # Some packages send none, and then accept none.
            remove_claims=[] if nonce else ["nonce"],
        )

    def answer(self, target: str, body: bytes) -> bytes | None:
        """The JSON for a request; `None` if there is none."""
        if target == "/token":
            (code,) = parse_qs(body.decode())["code"]
            return self._grants.pop(code, None)
        if target == "/userinfo":
            return json.dumps({"sub": EMAIL, "email": EMAIL}).encode()
        return self._documents.get(target)


class _Connection(asyncio.Protocol):
    """A connection of a site, with one request at a time."""

    def __init__(self, broker: SiteBroker) -> None:
        self._broker = broker
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, rest = bytes(self._received).partition(b"\r\n\r\n")
        if not end:
            return
        request, *headers = head.decode("latin-1").lower().split("\r\n")
        values = dict(line.split(": ", 1) for line in headers)
        if len(rest) < int(values.get("content-length", 0)):
            return
        self._received.clear()
        # The paths of the broker are in lower case.
        json_text = self._broker.answer(request.split(" ")[1].partition("?")[0], rest)
        status = "404 Not Found" if json_text is None else "200 OK"
        body = json_text or b"{}"
        assert self._transport is not None
        self._transport.write(
            f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
            f"Cache-Control: max-age=86400\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        if values.get("connection") == "close":
            self._transport.close()
