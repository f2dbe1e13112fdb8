"""The test clients of frameworks, as browsers."""

from __future__ import annotations

import http.client
import sys
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from ._browser import Browser, Reply, Request
from ._cookies import Cookies

_SECONDS_TO_WAIT = 30


class _Httpx(Browser):
    """``httpx.Client``, and the test clients of Starlette, FastAPI and Litestar."""

    has_secure_cookies_on_http = False

    @property
    def origin(self) -> str:
        url = self.client.base_url
        if not url.host:
            raise TypeError("the client needs a base_url: the origin of the site")
        return f"{url.scheme}://{url.netloc.decode()}"

    def _send(self, request: Request) -> Any:
        response = self.client.request(
            request.method,
            request.url,
            content=request.body or None,
            headers=request.headers,
            follow_redirects=False,
        )
        return self._read(request, response)

    def _read(self, request: Request, response: Any) -> Reply:
        headers = response.headers.multi_items()
        return Reply(request.url, response.status_code, headers, response.text, response)


class _AsyncHttpx(_Httpx):
    """``httpx.AsyncClient``, and the asynchronous test client of Litestar."""

    is_async = True

    def _send(self, request: Request) -> Any:
        return self._asend(request)

    async def _asend(self, request: Request) -> Reply:
        response = await self.client.request(
            request.method,
            request.url,
            content=request.body or None,
            headers=request.headers,
            follow_redirects=False,
        )
        return self._read(request, response)


class _Django(Browser):
    """Django's ``Client``."""

    follows_scheme = True

    @property
    def origin(self) -> str:
        from django.conf import settings

        given = getattr(settings, "PORTIER", {}).get("redirect_uri", "")
        scheme = "https" if given.startswith("https:") else "http"
        return f"{scheme}://{self.client.defaults.get('SERVER_NAME', 'testserver')}"

    @property
    def default_page(self) -> str:
        return _login_page_of_django() or super().default_page

    def _send(self, request: Request) -> Any:
        return self._read(request, self._request(request))

    def _request(self, request: Request) -> Any:
        headers = dict(request.headers)
        kind = headers.pop("Content-Type", "")
        return self.client.generic(
            request.method,
            request.target,
            request.body,
            kind,
            secure=request.is_secure,
            headers=headers,
        )

    def _read(self, request: Request, response: Any) -> Reply:
        text = "" if response.streaming else response.content.decode(response.charset, "replace")
        cookies = [("set-cookie", cookie.OutputString()) for cookie in response.cookies.values()]
        headers = [*response.items(), *cookies]
        return Reply(request.url, response.status_code, headers, text, response)


class _AsyncDjango(_Django):
    """Django's ``AsyncClient``."""

    is_async = True

    def _send(self, request: Request) -> Any:
        return self._asend(request)

    async def _asend(self, request: Request) -> Reply:
        return self._read(request, await self._request(request))


class _Werkzeug(Browser):
    """The test clients of Werkzeug and Flask."""

    follows_scheme = True

    @property
    def origin(self) -> str:
        config = getattr(self.client.application, "config", {})
        return f"http://{config.get('SERVER_NAME') or 'localhost'}"

    def _send(self, request: Request) -> Any:
        response = self.client.open(
            request.target,
            method=request.method,
            data=request.body or None,
            headers=request.headers,
            base_url=f"{urlsplit(request.url).scheme}://{urlsplit(request.url).netloc}",
            follow_redirects=False,
        )
        text = response.get_data(as_text=True)
        return Reply(request.url, response.status_code, list(response.headers), text, response)

    def _other(self) -> Browser:
        if hasattr(self.client.application, "test_client"):
            return type(self)(self.client.application.test_client())
        return type(self)(type(self.client)(self.client.application, self.client.response_wrapper))


class _Quart(Browser):
    """The test client of Quart."""

    is_async = True
    follows_scheme = True

    @property
    def origin(self) -> str:
        return f"http://{self.client.app.config.get('SERVER_NAME') or 'localhost'}"

    def _send(self, request: Request) -> Any:
        return self._asend(request)

    async def _asend(self, request: Request) -> Reply:
        response = await self.client.open(
            request.target,
            method=request.method,
            data=request.body or None,
            headers=request.headers,
            scheme=urlsplit(request.url).scheme,
            follow_redirects=False,
        )
        text = await response.get_data(as_text=True)
        return Reply(request.url, response.status_code, list(response.headers), text, response)

    def _other(self) -> Browser:
        return type(self)(self.client.app.test_client())


class _Aiohttp(Browser):
    """The test client of aiohttp."""

    is_async = True
    has_secure_cookies_on_http = False

    @property
    def origin(self) -> str:
        return str(self.client.make_url("/")).rstrip("/")

    def _session(self) -> Any:
        return self.client.session

    def _send(self, request: Request) -> Any:
        return self._asend(request)

    async def _asend(self, request: Request) -> Reply:
        response = await self._session().request(
            request.method,
            request.url,
            data=request.body or None,
            headers=request.headers,
            allow_redirects=False,
        )
        text = await response.text()
        return Reply(request.url, response.status, list(response.headers.items()), text, response)

    def _other(self) -> Browser:
        return _OtherAiohttp(self.client)

    async def aclose(self) -> None:
        if self.elsewhere is not None:
            await self.elsewhere.aclose()


class _OtherAiohttp(_Aiohttp):
    _own: Any = None

    def _session(self) -> Any:
        if self._own is None:
            from aiohttp import ClientSession, CookieJar

            # It keeps cookies of IP addresses, too.
            self._own = ClientSession(cookie_jar=CookieJar(unsafe=True))
        return self._own

    async def aclose(self) -> None:
        if self._own is not None:
            await self._own.close()


class _KeepingCookies(Browser):
    """A client that keeps no cookies itself."""

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self._cookies = Cookies()

    def _send(self, request: Request) -> Any:
        headers = dict(request.headers)
        if self._cookies.header:
            headers["Cookie"] = self._cookies.header
        reply = self._fetch(request, headers)
        self._cookies.keep(reply.set_cookies)
        return reply

    def _fetch(self, request: Request, headers: dict[str, str]) -> Reply:
        raise NotImplementedError

    def _other(self) -> Browser:
        return type(self)(self.client)


class _Tornado(_KeepingCookies):
    """The methods of Tornado's ``AsyncHTTPTestCase``."""

    @property
    def origin(self) -> str:
        return str(self.client.get_url("")).rstrip("/")

    @property
    def default_page(self) -> str:
        return str(self.client._app.settings.get("login_url", "/login"))

    def _fetch(self, request: Request, headers: dict[str, str]) -> Reply:
        response = self.client.fetch(
            request.target,
            method=request.method,
            body=request.body if request.method == "POST" else None,
            headers=headers,
            follow_redirects=False,
        )
        text = (response.body or b"").decode("utf-8", "replace")
        headers_read = list(response.headers.get_all())
        return Reply(request.url, response.code, headers_read, text, response)


class _Url(_KeepingCookies):
    """A site that runs at a URL."""

    @property
    def origin(self) -> str:
        parts = urlsplit(self.client)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def default_page(self) -> str:
        return _login_page_of_django() or super().default_page

    def _fetch(self, request: Request, headers: dict[str, str]) -> Reply:
        parts = urlsplit(request.url)
        secure = parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(parts.netloc, timeout=_SECONDS_TO_WAIT)
        try:
            connection.request(request.method, request.target, request.body or None, headers)
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
        finally:
            connection.close()
        return Reply(request.url, response.status, response.getheaders(), text, response)


_KINDS: dict[tuple[str, str], Callable[[Any], Browser]] = {
    ("httpx", "Client"): _Httpx,
    ("httpx", "AsyncClient"): _AsyncHttpx,
    ("httpx2", "Client"): _Httpx,
    ("httpx2", "AsyncClient"): _AsyncHttpx,
    ("django", "Client"): _Django,
    ("django", "AsyncClient"): _AsyncDjango,
    ("werkzeug", "Client"): _Werkzeug,
    ("quart", "QuartClient"): _Quart,
    ("aiohttp", "TestClient"): _Aiohttp,
    ("tornado", "AsyncHTTPTestCase"): _Tornado,
}


def browser_of(client: Any) -> Browser:
    """Return the browser for a test client, which is recognized without importing its framework."""
    if isinstance(client, str):
        return _Url(client)
    for kind in type(client).__mro__:
        found = _KINDS.get((kind.__module__.partition(".")[0], kind.__name__))
        if found is not None:
            return found(client)
    raise TypeError(
        f"there is no support for this client: {_name(type(client))}; supported are the URL of a "
        f"running site and {', '.join(sorted(_known()))}"
    )


def _login_page_of_django() -> str | None:
    """The login page in the settings of this process, if Django is in use and has the app."""
    apps: Any = sys.modules.get("django.apps")
    if apps is None or not apps.apps.ready or not apps.apps.is_installed("portier_client.django"):
        return None
    from ..django import conf

    return urlsplit(conf.site().login_url)._replace(scheme="", netloc="").geturl()


def _known() -> Iterable[str]:
    return {f"{module}'s {name}" for module, name in _KINDS}


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
