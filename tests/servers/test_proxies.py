"""Logins through a reverse proxy that ends TLS and may strip a prefix, with the settings of the
manual."""

from __future__ import annotations

import re
import ssl
import subprocess
import sys
from contextlib import contextmanager
from http.cookies import SimpleCookie
from os import environ
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, Request, build_opener

import pytest

from .proxies import is_installed, listens, proxied
from .running import PATIENCE, SITES, free_port, wait_until
from .servers import NODE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.client import HTTPResponse
    from pathlib import Path

    from portier_client.testing import DevBroker

HERE = SITES / "proxied"
GUNICORN = [sys.executable, "-m", "gunicorn", "--threads=2", "--no-control-socket"]
SERVED = {
    "flask": [*GUNICORN, "--bind=127.0.0.1:{port}", "flask_site:app"],
    "fastapi": [
        *[sys.executable, "-m", "uvicorn", "--host=127.0.0.1", "--port={port}"],
        *["--root-path={prefix}", "fastapi_site:app"],
    ],
    "django": [*GUNICORN, "--bind=127.0.0.1:{port}", "django_site:app"],
    "tornado": [sys.executable, "tornado_site.py"],
    "express": [NODE, "express_site.mjs"],
    "fastify": [NODE, "fastify_site.mjs"],
}
IN_FRONT = [("nginx", ""), ("nginx", "/app"), ("apache", "/app")]


@pytest.mark.parametrize("site", SERVED)
@pytest.mark.parametrize(
    ("proxy", "prefix"), IN_FRONT, ids=[f"{name}{prefix}" for name, prefix in IN_FRONT]
)
def test_a_login_through_a_proxy_leads_back_to_the_page(
    site: str, proxy: str, prefix: str, broker: DevBroker, tmp_path: Path
) -> None:
    if not is_installed(proxy):
        pytest.skip(f"there is no {proxy} here")
    port, upstream = free_port(), free_port()
    base = f"https://localhost:{port}{prefix}"
    variables = {
        "BROKER": broker.origin,
        "PORT": str(upstream),
        "PREFIX": prefix,
        "REDIRECT_URI": f"{base}/verify",
    }
    with (
        served(SERVED[site], upstream, tmp_path, variables),
        proxied(proxy, tmp_path, port=port, upstream=upstream, prefix=prefix),
    ):
        browser = Browser(tmp_path / "certificate.pem")
        at_login = browser.get(f"{base}/members")
        assert f"next={prefix}/members" in at_login.url.replace("%2F", "/")
        form = {"email": "alice@example.com", "next": f"{prefix}/members", **csrf(at_login.text)}
        started = browser.post(f"{base}/login", form)
        assert started.url.startswith(f"{broker.origin}/auth?"), started.text
        answer = broker.sign_in(started.url)
        done = browser.get(f"{base}/verify?{urlencode(answer)}")
        assert (done.status, done.url) == (200, f"{base}/members"), done.text
        # The framework, too, knows scheme and host as browsers see them. Not all know the prefix.
        assert done.text.startswith(f"alice@example.com at https://localhost:{port}/"), done.text
        assert all(cookie["secure"] for cookie in browser.cookies.values())
        if site == "django":
            return  # Its LOGIN_REDIRECT_URL is a setting of its own.
        started = browser.post(f"{base}/login", {**form, "next": ""})
        answer = broker.sign_in(started.url)
        assert browser.get(f"{base}/verify?{urlencode(answer)}").url == f"{base}/"


@contextmanager
def served(
    command: list[str], port: int, folder: Path, variables: dict[str, str]
) -> Iterator[None]:
    """Runs a site."""
    words = [word.format(port=port, prefix=variables["PREFIX"]) for word in command]
    log = folder / "site.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            words,
            cwd=HERE,
            env={**environ, **variables},
            stdout=output,
            stderr=subprocess.STDOUT,
        )

    def is_ready() -> bool:
        assert process.poll() is None, log.read_text(encoding="utf-8", errors="replace")
        return listens(port)

    try:
        wait_until(is_ready, "the site does not listen")
        yield
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


def csrf(page: str) -> dict[str, str]:
    """The token in the form of Django."""
    found = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', page)
    return {} if found is None else {"csrfmiddlewaretoken": found[1]}


class Page:
    """A response."""

    def __init__(self, url: str, response: HTTPResponse | HTTPError) -> None:
        self.url = url
        self.status = response.status or 0
        with response:
            self.text = response.read().decode()


class Browser:
    """A browser that follows redirects within the site, and keeps cookies."""

    def __init__(self, certificate: Path) -> None:
        context = ssl.create_default_context(cafile=certificate)
        self._opener = build_opener(HTTPSHandler(context=context), HTTPHandler, Staying)
        self.cookies: SimpleCookie = SimpleCookie()

    def get(self, url: str) -> Page:
        """Opens a page."""
        return self._send(Request(url, headers={"Sec-Fetch-Site": "none"}))

    def post(self, url: str, form: dict[str, str]) -> Page:
        """Posts a form of the site."""
        origin = urljoin(url, "/").removesuffix("/")
        headers = {"Origin": origin, "Referer": url, "Sec-Fetch-Site": "same-origin"}
        return self._send(Request(url, urlencode(form).encode(), headers))

    def _send(self, request: Request) -> Page:
        pairs = (f"{name}={morsel.value}" for name, morsel in self.cookies.items() if morsel.value)
        request.add_header("Cookie", "; ".join(pairs))
        request.add_header("Accept", "text/html")
        try:
            response = self._opener.open(request, timeout=PATIENCE)
        except HTTPError as error:
            response = error
        for cookie in response.headers.get_all("Set-Cookie", []):
            self.cookies.load(cookie)
        location = response.headers["Location"]
        page = Page(urljoin(request.full_url, location or ""), response)
        # The broker is on plain http, and is another site.
        return self.get(page.url) if location and page.url.startswith("https:") else page


class Staying(HTTPRedirectHandler):
    """Does not follow redirects."""

    def redirect_request(self, *_: object) -> None:
        return None
