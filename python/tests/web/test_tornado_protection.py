"""The handlers together with Tornado's own protections, and Tornado's log."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from tornado.web import Application, RequestHandler

from portier_client import Client, Login, PortierError
from portier_client.tornado import Confirmation, LoginHandler, Problem, VerifyHandler

from ..client.test_frames import secrets_in
from .conftest import Verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from portier_client.testing import DevBroker

    from .conftest import Serve
    from .visitor import Visitor

BROKERS_POST = {"Origin": "null", "Sec-Fetch-Site": "cross-site"}
PAGES_POST = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def protected(serve: Serve, broker: DevBroker, implicit: None) -> str:
    """The origin of a site with all of Tornado's protections."""

    class Show(LoginHandler):
        def get(self) -> None:
            self.finish(
                f'<form method="post" action="/login"><input name="email">'
                f"{self.xsrf_form_html()}</form>"
            )

    class Other(RequestHandler):
        def post(self) -> None:
            self.finish("posted")

    handlers: list[Any] = [("/login", Show), ("/verify", Verify), ("/other", Other)]
    return serve(
        lambda origin: Application(
            handlers,
            portier=Client(f"{origin}/verify", broker=broker.origin),
            cookie_secret="a secret of some length",
            xsrf_cookies=True,
            cross_origin_protection=True,
        )
    )


def test_a_login_completes_under_cross_origin_protection(visitor: Visitor, protected: str) -> None:
    form = visitor.get(f"{protected}/login")
    visitor.headers = PAGES_POST
    asked = visitor.submit(form, "/login", email="alice@example.com")
    visitor.headers = {}
    callback = visitor.submit(asked, answer="continue")
    visitor.headers = BROKERS_POST
    again = visitor.submit(callback, goes_on=False)
    assert again.posts_again, again.text
    visitor.headers = PAGES_POST
    assert visitor.submit(again, follow=False).status == 303
    assert visitor.cookies["localhost"]["email"].value == "alice@example.com"


@pytest.mark.parametrize("path", ["/login", "/other"])
def test_other_handlers_stay_protected(visitor: Visitor, protected: str, path: str) -> None:
    form = visitor.get(f"{protected}/login").form("/login")
    visitor.headers = BROKERS_POST
    refused = visitor.post(f"{protected}{path}", {**form.fields, "email": "a@example.com"})
    assert refused.status == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_nothing_but_the_post_is_exempt(visitor: Visitor, protected: str, method: str) -> None:
    visitor.headers = BROKERS_POST
    assert visitor.request(method, f"{protected}/verify").status == 403


class Counted(LoginHandler):
    """Counts the reported errors."""

    async def on_login_error(self, error: PortierError) -> None:  # type: ignore[override]
        self.application.settings["told"].append(error.code)


XSRF: dict[str, Any] = {"xsrf_cookies": True, "cookie_secret": "a secret of some length"}
FORM = {"email": "alice@example.com"}


def test_a_browser_without_cookies_is_told_so_before_the_xsrf_check_refuses_it(
    visitor: Visitor, serve_handlers: Callable[..., str]
) -> None:
    told: list[str] = []
    site = serve_handlers(login=Counted, told=told, **XSRF)
    page = visitor.post(f"{site}/login", FORM, origin=site)
    assert (page.status, told) == (400, ["request_cookies"])
    assert 'data-id="cookies_needed"' in page.text
    # A form of another site gets its own refusal.
    assert visitor.post(f"{site}/login", FORM, origin="http://evil.example").status == 403
    # A form with the cookie but without the token gets Tornado's refusal.
    visitor.headers["Cookie"] = "_xsrf=2|12345678|0123456789abcdef0123456789abcdef|1750000000"
    refused = visitor.post(f"{site}/login", FORM, origin=site)
    assert (refused.status, "data-id" in refused.text) == (403, False)
    assert told == ["request_cookies", "request_origin"]


def test_a_hook_that_fails_there_is_answered_by_the_site(
    visitor: Visitor, serve_handlers: Callable[..., str]
) -> None:
    class Failing(LoginHandler):
        async def on_login_error(self, error: PortierError) -> None:  # type: ignore[override]
            raise LookupError(error.code)

    class Misconfigured(LoginHandler):
        default_next = "//evil.example"

    for login in (Failing, Misconfigured):
        site = serve_handlers(login=login, **XSRF)
        assert visitor.post(f"{site}/login", FORM, origin=site).status == 500


@pytest.mark.parametrize("exempts", [False, True])
def test_a_form_with_origin_null_needs_the_token_of_tornado(
    visitor: Visitor, serve_handlers: Callable[..., str], exempts: bool
) -> None:
    class Start(LoginHandler):
        def get(self) -> None:
            self.finish(f'<form action="/login">{self.xsrf_form_html()}</form>')

        def check_xsrf_cookie(self) -> None:
            if not exempts:
                super().check_xsrf_cookie()

    site = serve_handlers(login=Start, **XSRF)
    fields = visitor.get(f"{site}/login").form().fields
    # Browsers do this with `Referrer-Policy: no-referrer`, over plain http.
    visitor.headers["Origin"] = "null"
    started = visitor.post(f"{site}/login", {**fields, **FORM}, origin=site, follow=False)
    assert started.status == 303
    assert visitor.post(f"{site}/login", FORM, origin=site, follow=False).status == 403


CAUGHT: list[BaseException] = []


class Tracked(VerifyHandler):
    """A site with an error tracker."""

    def on_login(self, login: Login) -> None:
        raise LookupError("the database said no")

    def on_login_error(self, error: PortierError) -> None:
        CAUGHT.append(error)

    def show_problem(self, problem: Problem) -> None:
        raise LookupError("the template said no")

    def show_confirmation(self, confirmation: Confirmation) -> None:
        raise LookupError("the template said no")

    def log_exception(self, typ: object, value: BaseException | None, tb: object) -> None:
        assert value is not None
        CAUGHT.append(value)


class TrackedStart(LoginHandler):
    on_login_error = Tracked.on_login_error
    show_problem = Tracked.show_problem
    log_exception = Tracked.log_exception


SECRET, OTHER_SECRET = "s" * 43, "t" * 43


@pytest.mark.parametrize("trouble", ["", "another browser", "forged", "closed"])
@pytest.mark.parametrize("binding", ["confirm", "require", "off"])
@pytest.mark.usefixtures("implicit")
def test_no_frame_of_a_handler_holds_a_secret(
    visitor: Visitor, serve: Serve, broker: DevBroker, *, binding: Any, trouble: str
) -> None:
    CAUGHT.clear()
    clients: list[Client] = []

    class Handler(Tracked):
        browser_binding = binding

    class Start(TrackedStart):
        browser_binding = binding

    def make(origin: str) -> Application:
        clients.append(Client(f"{origin}/verify", broker=broker.origin))
        handlers: list[Any] = [("/verify", Handler), ("/login", Start)]
        return Application(handlers, portier=clients[0])

    origin = serve(make)
    visitor.headers = {**PAGES_POST, "Cookie": f"portier={SECRET}"}
    address = {"email": "vanishing@example.com"}
    started = visitor.post(f"{origin}/login", address, origin=origin, follow=False)
    key = "stranger" if trouble == "forged" else None
    token = broker.mint(started.headers["Location"], key=key)  # type: ignore[arg-type]
    if trouble == "closed":
        asyncio.run(clients[0].aclose())
    elif trouble == "another browser":
        visitor.headers["Cookie"] = f"portier={OTHER_SECRET}"
    form = {"id_token": token, "portier_confirmation": "a-confirmation"}
    assert visitor.post(f"{origin}/verify", form, origin=origin).status == 500
    address = {"email": "vanishing@two@example.com"}
    assert visitor.post(f"{origin}/login", address, origin=origin).status == 500
    assert CAUGHT
    secrets = {token, SECRET, OTHER_SECRET, "vanishing", "a-confirmation"}
    for error in CAUGHT:
        assert secrets_in(error, secrets) == []
