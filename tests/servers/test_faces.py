"""Every integration under a usual server with several workers, with one secret and no store.

No worker remembers a login. So one worker can start it and another one complete it, and the server
may have been restarted in between.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Self
from urllib.parse import urlencode

import pytest

from portier_client.blocking import Client, LoginFlow
from portier_client.web import WebRequest
from tests.web.visitor import Page

from .faces import EXAMPLES, FACES
from .running import serving
from .test_memory import EVENT, WARNING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from portier_client.testing import DevBroker

    from .running import Site

ALICE = "alice@example.com"
ORIGIN = "http://localhost:8888"
SETTINGS = {"SECRET": "WkT1vS7mQ9x4LhR2nYcB8dGpJ6fZaE3u", "PORT": "8888"}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The empty database of the example on Django, which keeps sessions there."""
    file = tmp_path_factory.mktemp("django") / "db.sqlite3"
    command = [sys.executable, str(EXAMPLES / "django" / "manage.py"), "migrate", "--verbosity=0"]
    subprocess.run(command, env={**os.environ, **SETTINGS, "DATABASE": str(file)}, check=True)
    return file


@pytest.mark.parametrize("name", FACES)
def test_workers_with_one_secret_complete_the_logins_of_each_other_and_of_those_before_a_restart(
    name: str, broker: DevBroker, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    if name.startswith("django"):
        shutil.copy(request.getfixturevalue("database"), tmp_path)

    # The example on Passport has sessions in the memory of each process.
    in_memory = name.startswith("passport")

    def site(flow: str) -> AbstractContextManager[Site]:
        more = {**SETTINGS, "FLOW": flow, "DATABASE": str(tmp_path / "db.sqlite3")}
        return serving(FACES[name], tmp_path, broker=broker.origin, store="", **more)

    with site("implicit") as served:
        log_in_everywhere(served, broker, in_memory=in_memory)
        unfinished = Login.started(served, served.workers[0], broker)
    with site("auto") as served:
        unfinished.completes(served, served.workers[0], served.workers[:1])
        log_in_everywhere(served, broker, in_memory=in_memory)
        unfinished = Login.started(served, served.workers[1], broker)
        assert "code" in unfinished.answer
    with site("auto") as served:
        unfinished.completes(served, served.workers[0], served.workers[:1])
        assert WARNING not in served.log()
        assert EVENT not in served.log()


def test_a_second_click_leads_on_in_a_process_of_another_language(
    broker: DevBroker, tmp_path: Path
) -> None:
    client = Client(f"{ORIGIN}/verify", broker=broker.origin)
    here = LoginFlow(client, secret=SETTINGS["SECRET"])
    more = {**SETTINGS, "FLOW": "auto"}
    server = FACES["node cluster"]
    with serving(server, tmp_path, broker=broker.origin, store="", **more) as site:
        login = Login.started(site, site.workers[0], broker)
        login.completes(site, site.workers[1], site.workers)
        cookies = {"Cookie": login.browser.cookies}
        step = here.callback(WebRequest("GET", cookies, query=urlencode(login.answer)))
    assert (step.reply.status, dict(step.reply.headers)["location"]) == (303, "/members")
    assert step.login is None


def log_in_everywhere(site: Site, broker: DevBroker, *, in_memory: bool) -> None:
    """Each worker completes a login of the other one. All of them know who is signed in."""
    first, second = site.workers
    for one, other in ((first, second), (second, first)):
        login = Login.started(site, one, broker)
        login.completes(site, other, [other] if in_memory else site.workers)
        login.completes(site, one, [] if in_memory else site.workers)


class Login:
    """A login in a browser of its own."""

    def __init__(self, browser: Browser, answer: dict[str, str]) -> None:
        self.browser = browser
        self.answer = answer
        """What the broker makes the browser bring back."""

    @classmethod
    def started(cls, site: Site, worker: str, broker: DevBroker) -> Self:
        """Sends the login form to this worker, and signs in at the broker."""
        browser = Browser()
        fields = browser.get(site, worker, "/login").form("/login").fields
        fields |= {"email": ALICE, "next": "/members"}
        started = browser.post(site, worker, "/login", fields)
        assert started.status == 303, (started.text, site.log())
        return cls(browser, broker.sign_in(started.headers["Location"]))

    def completes(self, site: Site, worker: str, readers: Sequence[str]) -> None:
        """The browser returns to this worker. The readers show the page for members then.

        A second time it is a reload or a double click, which has the same result.
        """
        page = self._returned(site, worker)
        assert page.status == 303, (page.status, page.text, site.log())
        assert page.headers["Location"] == "/members"
        for reader in readers:
            members = self.browser.get(site, reader, "/members")
            assert members.status == 200, (members.headers.items(), site.log())
            assert ALICE in members.text

    def _returned(self, site: Site, worker: str) -> Page:
        browser, answer = self.browser, self.answer
        if "code" in answer:
            return browser.get(site, worker, f"/verify?{urlencode(answer)}")
        again = browser.post(site, site.workers[0], "/verify", answer, cross_site=True)
        assert again.posts_again, (again.status, again.text)
        return browser.post(site, worker, "/verify", again.form().fields)


class Browser:
    """A browser, each of whose requests goes to a certain worker."""

    def __init__(self) -> None:
        self._cookies: SimpleCookie = SimpleCookie()

    @property
    def cookies(self) -> str:
        """The `Cookie` header."""
        return "; ".join(f"{name}={cookie.coded_value}" for name, cookie in self._cookies.items())

    def get(self, site: Site, worker: str, target: str) -> Page:
        return self._send(site, worker, target, {})

    def post(
        self,
        site: Site,
        worker: str,
        target: str,
        fields: dict[str, str],
        *,
        cross_site: bool = False,
    ) -> Page:
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": "null" if cross_site else ORIGIN,
            "Sec-Fetch-Site": "cross-site" if cross_site else "same-origin",
        }
        return self._send(site, worker, target, headers, urlencode(fields), cross_site=cross_site)

    def _send(
        self,
        site: Site,
        worker: str,
        target: str,
        headers: dict[str, str],
        body: str | None = None,
        *,
        cross_site: bool = False,
    ) -> Page:
        headers = {**headers, "Host": ORIGIN.removeprefix("http://")}
        # All cookies of the sites are `Lax`.
        if not cross_site:
            headers["Cookie"] = self.cookies
        with site.connection(worker) as connection:
            connection.request("GET" if body is None else "POST", target, body, headers)
            response = connection.getresponse()
            text = response.read().decode()
        assert response.headers["X-Worker"] == worker, (response.status, text, site.log())
        for value in response.headers.get_all("Set-Cookie", []):
            self._cookies.load(value)
        return Page(f"{ORIGIN}{target}", response.status, response.headers, text)
