"""A site on Tornado with sealed sessions, whose URLs are those of browsers."""

import asyncio

from settings import BROKER, PORT, REDIRECT_URI, SECRET
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from portier_client import Client
from portier_client.tornado import (
    LoginHandler,
    PortierMixin,
    SessionMixin,
    VerifyHandler,
    require_login,
)


class Index(RequestHandler):
    def get(self) -> None:
        self.write("sign in")


class Here(PortierMixin):
    callback_path = "/verify"


class LogIn(Here, LoginHandler):
    pass


class Verify(Here, VerifyHandler):
    pass


class Members(SessionMixin, Here):
    @require_login
    async def get(self) -> None:
        self.write(f"{self.current_user.email} at {self.request.full_url()}")


async def main() -> None:
    app = Application(
        [("/", Index), ("/login", LogIn), ("/verify", Verify), ("/members", Members)],
        portier=Client(REDIRECT_URI, broker=BROKER),
        portier_secret=SECRET,
    )
    HTTPServer(app, xheaders=True).listen(PORT, "127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(main())
