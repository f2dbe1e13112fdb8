"""The login of the Tornado example, written with asyncio-portier as its manual says."""

from __future__ import annotations

import asyncio
import os
import secrets
import urllib.request
from urllib.parse import urlencode
from uuid import uuid4

from asyncio_portier import get_verified_email
from peers import Cache
from tornado.web import Application, RequestHandler

BROKER = os.environ["BROKER"]
PORT = int(os.environ["PORT"])
ORIGIN = f"http://localhost:{PORT}"
LIFETIME_SECONDS = 900

FORM = """<!doctype html><title>Sign in</title>
<form method="post" action="/login">{}
<input type="email" name="email"><button>Sign in</button></form>
"""


def jwks() -> str:
    with urllib.request.urlopen(f"{BROKER}/keys.json") as response:
        text: str = response.read().decode()
    return text


CACHE = Cache({f"portier:jwks:{BROKER}": jwks()})


class Login(RequestHandler):
    def get(self) -> None:
        self.write(FORM.format(self.xsrf_form_html()))

    def post(self) -> None:
        nonce = uuid4().hex
        CACHE.set(f"portier:nonce:{nonce}", "/", LIFETIME_SECONDS)
        query = {
            "login_hint": self.get_argument("email"),
            "scope": "openid email",
            "nonce": nonce,
            "response_type": "id_token",
            "response_mode": "form_post",
            "client_id": ORIGIN,
            "redirect_uri": f"{ORIGIN}/verify",
        }
        self.redirect(f"{BROKER}/auth?{urlencode(query)}", status=303)


class Verify(RequestHandler):
    def check_xsrf_cookie(self) -> None:
        """The broker posts here."""

    async def post(self) -> None:
        token = self.get_argument("id_token")
        email, place = await get_verified_email(BROKER, token, ORIGIN, BROKER, CACHE)
        self.set_signed_cookie("email", email)
        self.redirect(place, status=303)


async def main() -> None:
    app = Application(
        [("/login", Login), ("/verify", Verify)],
        cookie_secret=secrets.token_bytes(32),
        xsrf_cookies=True,
    )
    app.listen(PORT, "localhost")
    print(f"Open {ORIGIN}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
