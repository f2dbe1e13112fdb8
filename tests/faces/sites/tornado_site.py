"""A site on Tornado, for the cases of all integrations."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPConnection, HTTPMessageDelegate, HTTPServerConnectionDelegate
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

sys.path.insert(0, str(Path(__file__).parents[3] / "python"))

from portier_client import ConfigError, Login, PortierError
from portier_client.tornado import (
    Confirmation,
    LoginHandler,
    LogoutHandler,
    PortierMixin,
    Problem,
    SessionMixin,
    VerifyHandler,
    require_login,
)
from portier_client.web import LoginFlow
from tests.web.flow_site import CaseClient, login_members, make_client

if TYPE_CHECKING:
    from collections.abc import Callable


class Site(HTTPServerConnectionDelegate):
    """The application of the current case."""

    def __init__(self) -> None:
        self.made: CaseClient
        self.application: Application
        self.next: dict[str, Any] = {}
        self.seen: dict[str, Any] = {}
        self.token_requests = 0
        self.sets_cookies = False
        self._late: Callable[[], object] = dict

    def start_request(
        self, server_conn: object, request_conn: HTTPConnection
    ) -> HTTPMessageDelegate:
        return self.application.start_request(server_conn, request_conn)

    def case(self, *, sets_cookies: bool, **given: Any) -> dict[str, Any]:
        """Makes a new application."""
        self.sets_cookies = sets_cookies
        self.made = make_client(**given)
        try:
            self.application = make_app(self)
        except ConfigError as error:
            return {"refused": error.code}
        return {"refused": None}

    def step(self, **following: Any) -> None:
        """Stores the instructions for the next request."""
        self.next, self.seen = following, {}
        status, text = following["token_answer"]
        json_type = [("content-type", "application/json")]
        self.made.transport.respond(self.token_endpoint, text, status=status, headers=json_type)
        self.token_requests = self.made.transport.requests(self.token_endpoint)
        if self.made.store is not None:
            self.made.store.is_down = following["store_is_down"]

    @property
    def token_endpoint(self) -> str:
        """The URL at which the broker redeems codes."""
        return f"{self.made.client.broker}/token"

    def advance(self, seconds: int) -> None:
        """Moves the clock of the client."""
        self.made.clock.advance(seconds)

    async def late(self) -> None:
        """Makes a hook respond that has returned before."""
        asyncio.get_running_loop().call_soon(self._late)
        await asyncio.sleep(0)

    async def act(self, name: str, handler: RequestHandler) -> None:
        """Does in a hook what the instructions say."""
        self.seen.setdefault("hooks", []).append(name)
        wanted = self.next.get("hooks", {}).get(name, {})

        def answer() -> None:
            handler.set_status(wanted["status"])
            handler.finish(wanted["text"])

        match wanted.get("does"):
            case "throw":
                raise LookupError("the site has failed")
            case "answer":
                answer()
            case "answer in a moment":
                await asyncio.sleep(0)
                answer()
            case "set a cookie":
                handler.set_cookie("email", "1")
            case "give a page":
                handler.write(wanted["text"])
            case "answer too late":
                self._late = answer

    async def authenticate(self, session: str) -> dict[str, Any]:
        """Starts a login with `authenticate` of the client."""
        return {"url": await self.made.client.authenticate("alice@example.com", session=session)}


def make_app(site: Site) -> Application:
    """The application with the options of the case."""
    options = dict(site.made.flow_options)
    # Tornado's handlers make their flow later; here an invalid option must show at once.
    LoginFlow(site.made.client, **options)
    path = options.pop("callback_path", urlsplit(site.made.client.redirect_uri).path)
    settings = {
        "portier": site.made.client,
        "portier_secret": options.pop("secret", None),
        "login_url": options.pop("login_url", "/"),
    }

    class Mixin(PortierMixin):
        def prepare(self) -> None:
            if site.sets_cookies:
                self.set_cookie("seen", "1")

        async def on_login_error(self, error: PortierError) -> None:
            site.seen["error"] = error.code
            await site.act("on_login_error", self)

        async def show_problem(self, problem: Problem) -> None:
            await site.act("show_problem", self)

        async def show_confirmation(self, confirmation: Confirmation) -> None:
            await site.act("show_confirmation", self)

    for name, value in options.items():
        assert hasattr(Mixin, name), name
        setattr(Mixin, name, value)

    class LogIn(Mixin, LoginHandler):
        pass

    class Start(Mixin):
        async def post(self) -> None:
            await self.start_login(site.next["start"]["email"], site.next["start"]["next"])

    class Verify(Mixin, VerifyHandler):
        async def on_login(self, login: Login) -> None:
            site.seen["login"] = login_members(login)
            await site.act("on_login", self)

    class LogOut(Mixin, LogoutHandler):
        pass

    class Show(SessionMixin, Mixin):
        def get(self) -> None:
            self.finish({"email": self.current_user and self.current_user.email})

    class ShowNobody(RequestHandler):
        def get(self) -> None:
            self.finish({"email": None})

    class Members(SessionMixin, Mixin):
        @require_login
        async def get(self) -> None:
            self.finish("for members")

        head = post = get

    routes: list[Any] = [
        ("/login", LogIn),
        ("/start", Start),
        (re.escape(path), Verify),
        ("/logout", LogOut),
        ("/session", ShowNobody if settings["portier_secret"] is None else Show),
        ("/members", Members),
    ]
    return Application(routes, **settings)


class Control(RequestHandler):
    """Receives commands of the tests."""

    async def post(self, name: str) -> None:
        site: Site = self.settings["site"]
        if name == "seen":
            asked = site.made.transport.requests(site.token_endpoint) - site.token_requests
            seen = {"error": None, "login": None, "hooks": [], "token_requests": asked}
            self.finish({**seen, **site.seen})
            return
        answer = getattr(site, name)(**json.loads(self.request.body))
        self.finish((await answer if asyncio.iscoroutine(answer) else answer) or {})


async def main() -> None:
    """Serves until it is told to stop."""
    site = Site()
    ports = []
    for served in (site, Application([("/(.*)", Control)], site=site)):
        sockets = bind_sockets(0, "127.0.0.1")
        HTTPServer(served).add_sockets(sockets)
        ports.append(sockets[0].getsockname()[1])
    print("ready", *ports, flush=True)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()


if __name__ == "__main__":
    asyncio.run(main())
