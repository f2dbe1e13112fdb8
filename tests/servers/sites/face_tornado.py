"""A Tornado site with one secret and no store, in processes that Tornado forks.

SECRET=… BROKER=… FLOW=… PORT=… PORTS=… python face_tornado.py
"""

from __future__ import annotations

import asyncio
import os
from typing import Any, cast

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.process import fork_processes
from tornado.web import Application

from portier_client import Client
from portier_client.tornado import (
    LoginHandler,
    PortierMixin,
    SessionMixin,
    VerifyHandler,
    require_login,
)


class Page(PortierMixin):
    flow = cast("Any", os.environ["FLOW"])

    def set_default_headers(self) -> None:
        self.set_header("X-Worker", os.getpid())


class Index(Page):
    def check_xsrf_cookie(self) -> None:
        pass

    def post(self) -> None:
        self.write(f"{os.getpid()} ")


class SignIn(LoginHandler, Page):
    def get(self) -> None:
        field = self.xsrf_form_html()
        self.write(f'<form action="/login">{field}<input name="email"></form>')


class Verify(VerifyHandler, Page):
    pass


class Members(SessionMixin, Page):
    @require_login
    def get(self) -> None:
        self.write(self.current_user.email)


async def serve() -> None:
    server = HTTPServer(make_app())
    server.add_sockets(sockets)
    await asyncio.Event().wait()


def make_app() -> Application:
    secret = os.environ["SECRET"]
    return Application(
        [("/", Index), ("/login", SignIn), ("/verify", Verify), ("/members", Members)],
        portier=client,
        portier_secret=secret,
        login_url="/login",
        cookie_secret=secret,
        xsrf_cookies=True,
    )


client = Client(f"http://localhost:{os.environ['PORT']}/verify", broker=os.environ["BROKER"])
sockets = bind_sockets(int(os.environ["PORTS"]), "127.0.0.1")
fork_processes(2)
asyncio.run(serve())
