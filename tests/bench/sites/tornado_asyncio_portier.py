"""The login of the Tornado example, written with asyncio-portier as its manual says."""

from __future__ import annotations

import asyncio

from asyncio_portier_login import email_of, url_of
from shared import FORM, ORIGIN, PORT, SECRET
from tornado.web import Application, RequestHandler


class Index(RequestHandler):
    def get(self) -> None:
        email = self.get_signed_cookie("email")
        self.write(email.decode() if email else "")


class Login(RequestHandler):
    def get(self) -> None:
        self.write(FORM.format(self.xsrf_form_html()))

    def post(self) -> None:
        self.redirect(url_of(self.get_argument("email")), status=303)


class Verify(RequestHandler):
    def check_xsrf_cookie(self) -> None:
        """The broker posts here."""

    async def post(self) -> None:
        email, place = await email_of(self.get_argument("id_token"))
        self.set_signed_cookie("email", email)
        self.redirect(place, status=303)


async def main() -> None:
    app = Application(
        [("/", Index), ("/login", Login), ("/verify", Verify)],
        cookie_secret=SECRET,
        xsrf_cookies=True,
    )
    app.listen(PORT, "localhost")
    print(f"Open {ORIGIN}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
