"""The test clients of frameworks, as browsers."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterable
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlsplit

from ._browser import Browser, Reply, Request, _Swapped
from ._cookies import Cookies
from ._django_settings import login_page_of_django, scheme_of_django
from ._journey import origin_of

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
        return f"{scheme_of_django()}://{self.client.defaults.get('SERVER_NAME', 'testserver')}"

    @property
    def default_page(self) -> str:
        return login_page_of_django() or super().default_page

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
            base_url=origin_of(request.url),
            follow_redirects=False,
        )
        text = response.get_data(as_text=True)
        return Reply(request.url, response.status_code, list(response.headers), text, response)

    def _other(self) -> Browser:
        if hasattr(self.client.application, "test_client"):
            return type(self)(self.client.application.test_client())
        return type(self)(type(self.client)(self.client.application, self.client.response_wrapper))


class _WebTest(Browser):
    """``TestApp`` of WebTest."""

    follows_scheme = True

    @property
    def origin(self) -> str:
        environ = {"wsgi.url_scheme": "http", "HTTP_HOST": "localhost", **self.client.extra_environ}
        return f"{environ['wsgi.url_scheme']}://{environ['HTTP_HOST'].removesuffix(':80')}"

    def _send(self, request: Request) -> Any:
        response = self.client.request(
            request.url,
            method=request.method,
            # Otherwise, it would contain the usual port.
            headers={**request.headers, "Host": urlsplit(request.url).netloc},
            body=request.body.encode(),
            expect_errors=True,
        )
        headers = list(response.headers.items())
        return Reply(request.url, response.status_int, headers, response.text, response)

    def _other(self) -> Browser:
        return _Swapped(self, "cookiejar", CookieJar(self.client.cookiejar._policy))


class _DjangoWebTest(_WebTest):
    """``DjangoTestApp`` of django-webtest."""

    @property
    def origin(self) -> str:
        return f"{scheme_of_django()}:{super().origin.partition(':')[2]}"

    @property
    def default_page(self) -> str:
        return login_page_of_django() or super().default_page


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


class _Requests(Browser):
    """``requests.Session``, at a running site."""

    has_secure_cookies_on_http = False

    @property
    def origin(self) -> str:
        url = getattr(self.client, "base_url", None) or self.page or ""
        if not urlsplit(url).netloc:
            fact = (
                "a session of requests does not know the site; give the page with the form as a URL"
            )
            raise TypeError(f'{fact}, such as page="http://localhost:8000/login"')
        return origin_of(url)

    def _send(self, request: Request) -> Any:
        response = self.client.request(
            request.method,
            request.url,
            data=request.body or None,
            headers=request.headers,
            allow_redirects=False,
            timeout=_SECONDS_TO_WAIT,
        )
        # The headers of the response itself join the cookies.
        headers = list(getattr(response.raw, "headers", response.headers).items())
        return Reply(request.url, response.status_code, headers, response.text, response)


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
        return origin_of(self.client)

    @property
    def default_page(self) -> str:
        return login_page_of_django() or super().default_page

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
    ("webtest", "TestApp"): _WebTest,
    ("django_webtest", "DjangoTestApp"): _DjangoWebTest,
    ("requests", "Session"): _Requests,
    ("quart", "QuartClient"): _Quart,
    ("aiohttp", "TestClient"): _Aiohttp,
    ("tornado", "AsyncHTTPTestCase"): _Tornado,
}


def browser_of(client: Any, page: str | None = None) -> Browser:
    """Return the browser for a test client, which is recognized without importing its framework.

    ``page`` is the page that it opens first, if that is known.
    """
    if isinstance(client, str):
        return _Url(client)
    for kind in type(client).__mro__:
        found = _KINDS.get((kind.__module__.partition(".")[0], kind.__name__))
        if found is not None:
            browser = found(client)
            browser.page = page
            return browser
    raise TypeError(
        f"there is no support for this client: {_name(type(client))}; supported are the URL of a "
        f"running site and {', '.join(sorted(_known()))}"
    )


def _known() -> Iterable[str]:
    return {f"{module}'s {name}" for module, name in _KINDS}


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
