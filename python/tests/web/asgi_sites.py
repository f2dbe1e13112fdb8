"""Shared code of the tests of integrations with ASGI servers."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from starlette.testclient import TestClient

from portier_client import Client
from portier_client.testing import ManualClock, MockTransport, mock_client

if TYPE_CHECKING:
    from portier_client.testing import DevBroker

SECRET = secrets.token_bytes(32)
SITE = "https://example.com"
PAGE = {"accept": "text/html"}
ALICE = "alice@example.com"


def client_of(broker: DevBroker, path: str = "/verify", **options: Any) -> Client:
    """A client of the site."""
    return Client(f"{SITE}{path}", broker=broker.origin, **options)


def visit(app: Any, **options: Any) -> TestClient:
    """A browser at a site, which does not follow redirects."""
    return TestClient(app, base_url=SITE, follow_redirects=False, **options)


def log_in(browser: TestClient, broker: DevBroker, prefix: str = "", **fields: str) -> Any:
    """Posts the login form, then opens the redirect URI; returns the response to that."""
    started = browser.post(
        f"{prefix}/login", data={"email": ALICE, **fields}, headers={"origin": SITE}
    )
    assert started.status_code == 303, started.text
    return browser.get(f"{prefix}/verify", params=broker.sign_in(started.headers["location"]))


class AgingSession:
    """A client with a clock, and a session that has to be renewed."""

    def __init__(self) -> None:
        self._clock = ManualClock(1_750_000_000)
        self.client = mock_client(f"{SITE}/verify", clock=self._clock, transport=MockTransport())

    def start(self, flow: Any) -> dict[str, str]:
        """Starts a session, waits for most of its time, and returns the header with its cookie."""
        _, cookie = flow.start_session(ALICE)
        self._clock.advance(1_000_000)
        return {"cookie": cookie.partition(";")[0], **PAGE}


def sessions_set(response: Any) -> int:
    """How many session cookies a response sets."""
    cookies = response.headers.get_list("set-cookie")
    return sum(cookie.startswith("__Host-portier-session=") for cookie in cookies)
