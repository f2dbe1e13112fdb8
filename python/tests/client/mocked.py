"""Clients for the vectors, with a clock, random numbers and a network that the test controls."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portier_client.testing import ManualClock, MockTransport, mock_client

if TYPE_CHECKING:
    from portier_client import Client

VECTORS = Path(__file__).parents[3] / "tests" / "vectors"
BROKER = "https://broker.example"
DISCOVERY = {
    "issuer": BROKER,
    "authorization_endpoint": f"{BROKER}/auth",
    "jwks_uri": f"{BROKER}/keys.json",
    "response_modes_supported": ["form_post", "fragment"],
}
NOW = 1_790_000_000.0


@cache
def load(name: str) -> dict[str, Any]:
    """Reads a file of vectors."""
    document: dict[str, Any] = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    assert document["cases"]
    return document


def decode(text: str) -> bytes:
    """Decodes base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Mocked:
    """A client with its clock and its network."""

    def __init__(
        self,
        *,
        broker: str = BROKER,
        discovery: object = DISCOVERY,
        key_set: object = '{"keys": []}',
        headers: list[tuple[str, str]] | None = None,
        now: float = NOW,
        nonces: list[str] | None = None,
        redirect_uri: str = "https://example.com/verify",
        **options: object,
    ) -> None:
        self.clock = ManualClock(now)
        self.transport = MockTransport()
        documents = {"/.well-known/openid-configuration": discovery, "/keys.json": key_set}
        for path, document in documents.items():
            text = document if isinstance(document, str) else json.dumps(document)
            self.transport.respond(f"{broker}{path}", text.encode(), headers=headers or [])
        self.client: Client = mock_client(
            redirect_uri,
            broker=broker,
            clock=self.clock,
            transport=self.transport,
            random=[decode(nonce) for nonce in nonces or []],
            **options,
        )
