"""A site on Tornado, for the cases of all integrations."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from control import Control
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPConnection, HTTPMessageDelegate, HTTPServerConnectionDelegate
from tornado.web import Application, RequestHandler

from portier_client import LoginRefused
from portier_client.tornado import (
    Confirmation,
    HealthHandler,
    LoginHandler,
    LogoutHandler,
    PortierMixin,
    Problem,
    SessionMixin,
    VerifyHandler,
    require_login,
)
from portier_client.web import LoginFlow

if TYPE_CHECKING:
    from portier_client import Login, PortierError


def make_app(control: Control) -> Application:
    """The application with the options of the case."""
    options = dict(control.made.flow_options)
    client: Any = control.made.client
    # Tornado's handlers make their flow later; here an invalid option must show at once.
    LoginFlow(client, **options)
    path = options.get("callback_path", urlsplit(client.redirect_uri).path)
    settings = {
        "portier": client,
        "portier_secret": options.pop("secret", None),
        "login_url": options.pop("login_url", None),
    }

    class Mixin(PortierMixin):
        def prepare(self) -> None:
            if control.sets_cookies:
                self.set_cookie("seen", "1")

        async def on_login_error(self, error: PortierError) -> None:
            await act(control, "on_login_error", error, self)

        async def show_problem(self, problem: Problem) -> None:
            await act(control, "show_problem", problem, self)

        async def show_confirmation(self, confirmation: Confirmation) -> None:
            await act(control, "show_confirmation", confirmation, self)

    for name, value in options.items():
        assert hasattr(Mixin, name), name
        setattr(Mixin, name, value)

    class LogIn(Mixin, LoginHandler):
        pass

    class Start(Mixin):
        async def post(self) -> None:
            await self.start_login(*control.start)

    class Verify(Mixin, VerifyHandler):
        async def on_login(self, login: Login) -> None:
            await act(control, "on_login", login, self)

    class LogOut(Mixin, LogoutHandler):
        pass

    class Health(Mixin, HealthHandler):
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
        ("/healthz", Health),
        ("/session", ShowNobody if settings["portier_secret"] is None else Show),
        ("/members", Members),
    ]
    return Application(routes, **settings)


async def act(control: Control, name: str, subject: object, handler: RequestHandler) -> None:
    """Does in a hook what the instructions say."""
    wanted = control.record(name, subject)
    loop = asyncio.get_running_loop()

    def answer() -> None:
        handler.set_status(wanted["status"])
        handler.finish(wanted["text"])

    async def answer_too_late() -> None:
        loop.call_soon(answer)
        await asyncio.sleep(0)

    match wanted.get("does"):
        case "throw":
            raise LookupError("the site has failed")
        case "refuse":
            raise LoginRefused(code=wanted["code"])
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
            late = asyncio.run_coroutine_threadsafe
            control.late = lambda: late(answer_too_late(), loop).result(timeout=10)


class Dispatcher(HTTPServerConnectionDelegate):
    """Passes requests to the application of the current case."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def start_request(
        self, server_conn: object, request_conn: HTTPConnection
    ) -> HTTPMessageDelegate:
        # Before the first case, a connection shows that the server listens.
        application: Application = self._control.app or Application()
        return application.start_request(server_conn, request_conn)


async def main() -> None:
    """Serves until it is told to stop."""
    control = Control(make_app)
    HTTPServer(Dispatcher(control)).listen(int(os.environ["SITE_PORT"]), "127.0.0.1")
    control.serve()
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()


if __name__ == "__main__":
    asyncio.run(main())
