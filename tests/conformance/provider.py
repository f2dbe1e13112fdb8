"""Starts `oidc-provider`, and logs in to it like a browser."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

PROVIDER = Path(__file__).resolve().parent / "provider"

# The limit for one request, or for the start, in seconds.
LIMIT = 30


class Provider:
    """Serves until it is closed."""

    def __init__(self, **settings: Any) -> None:
        if not (PROVIDER / "node_modules").exists():
            raise RuntimeError("oidc-provider is not there: run `make test-conformance`")
        self._process = subprocess.Popen(
            [os.environ.get("NODE", "node"), str(PROVIDER / "server.mjs"), json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # It warns that it keeps everything in memory, which is right here.
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
        )
        assert self._process.stdout is not None
        self.origin = f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.communicate(timeout=LIMIT)

    def document(self, path: str) -> Any:
        """One of its JSON documents."""
        return json.loads(browse(f"{self.origin}{path}").text)


@dataclass
class Page:
    """The URL that a browser arrives at, and the form of that page."""

    status: int
    text: str
    location: str | None = None
    action: str | None = None
    fields: dict[str, str] = field(default_factory=dict)


def browse(url: str, stop: str = "") -> Page:
    """Opens a URL in a new browser and follows all redirects, but none to a URL below `stop`."""
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPCookieProcessor(CookieJar()),
        _Redirects(stop),
    )
    try:
        response = opener.open(url, timeout=LIMIT)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        page = Page(
            response.status, response.read().decode("utf-8"), response.headers.get("location")
        )
    _Form(page).feed(page.text)
    return page


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Stops at the redirect to a site that does not exist."""

    def __init__(self, stop: str) -> None:
        self._stop = stop

    def redirect_request(self, *given: Any) -> urllib.request.Request | None:
        url = given[-1]
        stops = self._stop and url.startswith(self._stop)
        return None if stops else super().redirect_request(*given)


class _Form(HTMLParser):
    """Finds the form of a page."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "form":
            self._page.action = attributes["action"]
        if tag == "input":
            self._page.fields[str(attributes["name"])] = attributes["value"] or ""
