"""A small site with a page for members, who log in with their e-mail address.

`make demo` serves it together with a development broker, which sends no mail.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from pathlib import Path
from typing import Any, cast

from tornado.web import Application, HTTPError, authenticated

from portier_client import Client, Login
from portier_client.tornado import (
    Confirmation,
    LoginHandler,
    PortierMixin,
    Problem,
    VerifyHandler,
)

HERE = Path(__file__).parent


class Page(PortierMixin):
    """Shared by all pages: who is signed in, the headers, and the error page."""

    def get_current_user(self) -> str | None:
        email = self.get_signed_cookie("email")
        return email.decode() if email else None

    def set_default_headers(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Security-Policy", self.login_flow.form_policy)
        self.set_header("Referrer-Policy", "same-origin")
        self.set_header("X-Content-Type-Options", "nosniff")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        text = "Please go back and try again."
        self.render("problem.html", language="en", title=self._reason, text=text)

    def show_problem(self, problem: Problem) -> None:
        self.render(
            "problem.html", language=problem.language, title=problem.title, text=problem.text
        )

    def show_confirmation(self, confirmation: Confirmation) -> None:
        self.render("confirm.html", confirmation=confirmation)


class Index(Page):
    def get(self) -> None:
        self.render("index.html")


class Members(Page):
    @authenticated
    def get(self) -> None:
        self.render("members.html")


class NotFound(Page):
    def prepare(self) -> None:
        raise HTTPError(404)


class SignIn(LoginHandler, Page):
    def get(self) -> None:
        if self.current_user:
            self.see_other(self.safe_next(self.get_argument("next", "")) or "/")
        else:
            self.show_form(self.get_argument("email", ""), self.get_argument("next", ""))

    def show_problem(self, problem: Problem) -> None:
        if problem.id == "invalid_email":
            self.show_form(problem.typed_email or "", problem.next or "", problem.text)
        else:
            super().show_problem(problem)

    def show_form(self, email: str, next_page: str, complaint: str = "") -> None:
        self.render("login.html", email=email, next_page=next_page, complaint=complaint)


class Verify(VerifyHandler, Page):
    def on_login(self, login: Login) -> None:
        self.set_signed_cookie("email", login.email, **self.cookie_flags)


class SignOut(Page):
    def post(self) -> None:
        # The token of the forms changes with the person. A new cookie also makes Chromium drop the
        # pages that it kept for the back button; removing the cookie does not.
        self.clear_all_cookies()
        self.redirect("/", status=303)


def make_app(client: Client, cookie_secret: str | bytes) -> Application:
    """Makes the application; `client` knows the broker."""
    secure = client.redirect_uri.startswith("https:")
    return Application(
        [
            ("/", Index),
            ("/members", Members),
            ("/login", SignIn),
            ("/verify", Verify),
            ("/logout", SignOut),
        ],
        default_handler_class=NotFound,
        portier=client,
        login_url="/login",
        cookie_secret=cookie_secret,
        xsrf_cookies=True,
        xsrf_cookie_name="__Host-xsrf" if secure else "_xsrf",
        xsrf_cookie_kwargs={"httponly": True, "samesite": "Lax", "secure": secure},
        template_path=str(HERE / "templates"),
        static_path=str(HERE.parents[2] / "node/examples/shared/static"),
    )


async def main() -> None:
    """Serves the site with the public broker, which sends real mails.

    Settings from the environment: PORT, BROKER, STORE, FLOW, RESPONSE_MODE, ALGORITHMS,
    BROWSER_BINDING.
    """
    says = os.environ
    port = int(says.get("PORT", "8888"))
    names = ("BROKER", "STORE", "RESPONSE_MODE")
    options: dict[str, Any] = {name.lower(): says[name] for name in names if name in says}
    if "ALGORITHMS" in says:
        options["algorithms"] = says["ALGORITHMS"].split(",")
    cookie_secret = says.get("COOKIE_SECRET") or secrets.token_bytes(32)
    PortierMixin.flow = cast("Any", says.get("FLOW", "auto"))
    PortierMixin.browser_binding = cast("Any", says.get("BROWSER_BINDING", "confirm"))
    async with Client(f"http://localhost:{port}/verify", **options) as client:
        make_app(client, cookie_secret).listen(port, "localhost", max_body_size=64 * 1024)
        print(f"Open http://localhost:{port}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
