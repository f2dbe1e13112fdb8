"""Shared code of the sites in Python: commands of the tests, and the client of a case."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import threading
import time
import traceback
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[3] / "python"))

from portier_client import ConfigError, LoginRefused
from tests.web.flow_site import EMAIL, CaseClient, login_members, make_client

if TYPE_CHECKING:
    from collections.abc import Callable

    Respond = Callable[[int, str, list[tuple[str, str]]], object]


class Control:
    """What the tests say to a site.

    `make_app` makes the site's application for a case. It gets this object, and uses `made` (the
    client and the options), `hooks`, `start` and `sets_cookies`. The server of the site gets an
    application that forwards to `app`; it listens at the port of the environment `SITE_PORT`.
    """

    def __init__(self, make_app: Callable[[Control], Any], *, is_blocking: bool = False) -> None:
        self._make_app = make_app
        self._is_blocking = is_blocking
        self._next: dict[str, Any] = {}
        self._seen: dict[str, Any] = {}
        self._token_requests = 0
        self.app: Any = None
        """The application of the current case."""
        self.made: CaseClient
        """The client of the current case, and the options of the integration."""
        self.sets_cookies = False
        """Whether every response of the site sets the cookie `seen=1`."""
        self.late: Callable[[], object] = dict
        """Makes a hook respond that has returned before."""

    @property
    def start(self) -> tuple[str, str]:
        """The address and the page of the site's own form, which starts the next login."""
        return self._next["start"]["email"], self._next["start"]["next"]

    def hooks(self, respond: Respond) -> dict[str, Callable[..., object]]:
        """The hooks of an integration whose hooks return responses.

        `respond` makes a response of the framework, from a status, a text and headers.
        """

        def hook(name: str) -> Callable[..., object]:
            return lambda *arguments: self._act(name, arguments[-1], respond)

        names = ("on_login", "on_login_error", "show_problem", "show_confirmation")
        return {name: hook(name) for name in names}

    def record(self, name: str, subject: Any) -> dict[str, Any]:
        """Records that a hook was called; returns what it has to do."""
        self._seen.setdefault("hooks", []).append(name)
        if name == "on_login":
            self._seen["login"] = login_members(subject)
        elif name == "on_login_error":
            self._seen["error"] = subject.code
        wanted: dict[str, Any] = self._next.get("hooks", {}).get(name, {})
        return wanted

    def _act(self, name: str, subject: object, respond: Respond) -> object:
        wanted = self.record(name, subject)
        match wanted.get("does"):
            case "throw":
                raise LookupError("the site has failed")
            case "refuse":
                raise LoginRefused(code=wanted["code"])
            case "answer":
                return respond(wanted["status"], wanted["text"], [])
            case "answer in a moment":
                response = respond(wanted["status"], wanted["text"], [])
                return response if self._is_blocking else _in_a_moment(response)
            case "set a cookie":
                headers = [("location", "/"), ("set-cookie", "email=1; Path=/")]
                return respond(303, "", headers)
            case "give a page":
                return wanted["text"]
        return None

    def serve(self) -> None:
        """Receives commands, in a thread; prints both ports once the site is ready."""
        server = ThreadingTCPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        ports = int(os.environ["SITE_PORT"]), server.server_address[1]
        threading.Thread(target=_announce, args=ports, daemon=True).start()

    def tell(self, command: str, members: dict[str, Any]) -> dict[str, Any]:
        """Executes a command of the tests."""
        match command:
            case "case":
                return self._case(**members)
            case "step":
                self._step(**members)
            case "seen":
                asked = self.made.transport.requests(self._token_endpoint) - self._token_requests
                seen = {"error": None, "login": None, "hooks": [], "token_requests": asked}
                return {**seen, **self._seen}
            case "late":
                self.late()
            case "advance":
                self.made.clock.advance(members["seconds"])
            case "authenticate":
                started: Any = self.made.client.authenticate(EMAIL, session=members["session"])
                return {"url": asyncio.run(started) if asyncio.iscoroutine(started) else started}
        return {}

    def _case(self, *, sets_cookies: bool, **given: Any) -> dict[str, Any]:
        # A test may send its first request without instructions.
        self._next, self._seen = {}, {}
        self.sets_cookies = sets_cookies
        self.made = make_client(**given, is_blocking=self._is_blocking)
        try:
            self.app = self._make_app(self)
        except ConfigError as error:
            return {"refused": error.code}
        return {"refused": None}

    def _step(self, **following: Any) -> None:
        self._next, self._seen = following, {}
        status, text = following["token_answer"]
        json_type = [("content-type", "application/json")]
        self.made.transport.respond(self._token_endpoint, text, status=status, headers=json_type)
        self._token_requests = self.made.transport.requests(self._token_endpoint)
        if self.made.store is not None:
            self.made.store.is_down = following["store_is_down"]

    @property
    def _token_endpoint(self) -> str:
        return f"{self.made.client.broker}/token"


def asgi(make_app: Callable[[Control], Any]) -> Callable[..., Any]:
    """The ASGI application of a site, for its server to import."""
    control = Control(make_app)
    control.serve()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await control.app(scope, receive, send)
            return
        # The applications of the cases come and go.
        while True:
            event = (await receive())["type"]
            await send({"type": f"{event}.complete"})
            if event == "lifespan.shutdown":
                return

    return app


def wsgi(make_app: Callable[[Control], Any]) -> Callable[..., Any]:
    """The WSGI application of a site, for its server to import. Its client is a blocking one."""
    control = Control(make_app, is_blocking=True)
    control.serve()

    def app(environ: Any, start_response: Any) -> Any:
        return control.app(environ, start_response)

    return app


async def _in_a_moment(response: object) -> object:
    await asyncio.sleep(0)
    return response


def _announce(site: int, control: int) -> None:
    """Waits until the server of the site listens. The tests limit the time."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", site), timeout=1).close()
            break
        except OSError:
            time.sleep(0.02)
    # In one write: an unbuffered output could have a message in between.
    print(f"ready {site} {control}\n", end="", flush=True)


def _handler(control: Control) -> type[StreamRequestHandler]:
    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            for line in self.rfile:
                command, members = json.loads(line)
                try:
                    answer = control.tell(command, members)
                except Exception as error:
                    traceback.print_exc()
                    answer = {"failed": repr(error)}
                self.wfile.write(f"{json.dumps(answer)}\n".encode())

    return Handler
