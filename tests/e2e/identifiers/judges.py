"""The judges of addresses and redirect URIs: real broker, development broker and client."""

from __future__ import annotations

import asyncio
import html
import http.client
import re
from typing import TYPE_CHECKING, Self
from urllib.parse import urlencode, urlsplit

from portier_client import Client, ConfigError, InvalidEmail

if TYPE_CHECKING:
    from types import TracebackType

SITE = {"client_id": "https://rp.example", "redirect_uri": "https://rp.example/verify"}
REQUEST = {
    "scope": "openid email",
    "nonce": "n",
    "response_type": "id_token",
    "response_mode": "form_post",
}


class Judge:
    """A broker that is used over one connection."""

    def __init__(self, origin: str, *, blocks: bool) -> None:
        """With `blocks`, it blocks the domain of every address that it accepts."""
        self.origin = origin
        self._connection = http.client.HTTPConnection(urlsplit(origin).netloc, timeout=30)
        self._blocks = blocks

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def takes_address(self, text: str) -> bool:
        """Whether a login may be started for an address."""
        status, page = self._ask({**SITE, "login_hint": text})
        error = re.search(r'name="error_description" value="([^"]*)"', page)
        if error is None:
            assert status == 200, page
            assert not self._blocks, page
            return True
        reason = html.unescape(error[1])
        if self._blocks and reason == "the domain of the email address is blocked":
            return True
        assert re.search("not a(n| valid) e-?mail address|address is invalid", reason), reason
        return False

    def takes_redirect_uri(self, text: str) -> bool:
        """Whether a client may have this redirect URI."""
        status, page = self._ask({"client_id": "nobody", "redirect_uri": text})
        assert status == 400, page
        return bool(re.search("client_id (must be|is not) the origin", html.unescape(page)))

    def takes_client(self, client: Client) -> bool:
        """Whether a login may be started by a client."""
        site = {"client_id": client.client_id, "redirect_uri": client.redirect_uri}
        status, _ = self._ask(site)
        return status == 200

    def normalize(self, text: str) -> str:
        """The normalized form of an address, as the real broker computes it for others."""
        self._connection.request("POST", "/normalize", body=text.encode())
        return self._connection.getresponse().read().decode()

    def _ask(self, params: dict[str, str]) -> tuple[int, str]:
        self._connection.request("GET", f"/auth?{urlencode({**REQUEST, **params})}")
        response = self._connection.getresponse()
        return response.status, response.read().decode()


def our_client(redirect_uri: str) -> Client | None:
    """A client with a redirect URI, if the library accepts it."""
    try:
        return Client(redirect_uri)
    except ConfigError:
        return None


def we_take_address(client: Client, text: str) -> bool:
    """Whether the library starts a login for an address."""
    try:
        asyncio.run(client.authenticate(text))
    except InvalidEmail:
        return False
    return True
