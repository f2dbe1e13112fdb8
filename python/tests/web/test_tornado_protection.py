"""The handlers beside Tornado's own protections, and what Tornado's log is told."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from tornado.web import Application, RequestHandler

from portier_client import Client, Login, PortierError
from portier_client.tornado import LoginHandler, Problem, VerifyHandler

from ..client.test_frames import secrets_in
from .standin import ELSEWHERE, StandIn, Verify, login

if TYPE_CHECKING:
    from portier_client.testing import DevBroker

    from .conftest import Serve
    from .visitor import Visitor

BROKERS_POST = {"Origin": "null", "Sec-Fetch-Site": "cross-site"}
PAGES_POST = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def protected(serve: Serve, broker: DevBroker) -> str:
    """The origin of a site that has all of Tornado's protections on."""

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


LATIN_1 = b"email=b%F6rn.vanishing%40example.com&next=%2Fb%FCcher"


@pytest.mark.parametrize(
    "body",
    [LATIN_1, b"email=\xf6rn.vanishing@example.com", b"email=%ffvanishing@example.com&email=%ff"],
)
def test_an_address_in_another_encoding_is_asked_for_again_and_not_logged(
    visitor: Visitor, serve_answer: Any, caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    caplog.set_level(logging.DEBUG)
    origin = serve_answer(login())
    visitor.headers = {"Sec-Fetch-Site": "same-origin"}
    refused = visitor.send_form(f"{origin}/login", body)
    assert (refused.status, "Check the address" in refused.text) == (400, True)
    assert "code=invalid_email" in caplog.text
    for record in caplog.records:
        assert "vanishing" not in f"{record.getMessage()} {vars(record)}"


def test_a_page_in_another_encoding_is_no_page_to_go_back_to(
    visitor: Visitor, serve: Serve, broker: DevBroker
) -> None:
    def make(origin: str) -> Application:
        client = Client(f"{origin}/verify", broker=broker.origin)
        return Application([("/login", LoginHandler)], portier=client)

    origin = serve(make)
    visitor.headers = {"Sec-Fetch-Site": "same-origin"}
    started = visitor.send_form(f"{origin}/login", b"email=alice%40example.com&next=%2Fb%FCcher")
    assert started.status == 303


CAUGHT: list[BaseException] = []


class Tracked(VerifyHandler):
    """A site with an error tracker."""

    def on_login(self, login: Login) -> None:
        raise LookupError("the database said no")

    def on_login_error(self, error: PortierError) -> None:
        CAUGHT.append(error)
        super().on_login_error(error)

    def show_problem(self, problem: Problem) -> None:
        raise LookupError("the template said no")

    show_confirmation = show_problem  # type: ignore[assignment]

    def log_exception(self, typ: object, value: BaseException | None, tb: object) -> None:
        assert value is not None
        CAUGHT.append(value)


class TrackedStart(LoginHandler):
    on_login_error = Tracked.on_login_error
    log_exception = Tracked.log_exception


SECRET = "s" * 43
SECRETS = {"a.b.token", SECRET, "the-confirmation", "vanishing@example.com"}
FORM = {"id_token": "a.b.token", "portier_confirmation": "the-confirmation"}


class Unexpected(StandIn):
    """A client that fails in a way of its own, such as one that is closed."""

    async def complete(self, *_: object, **__: object) -> Login:
        raise RuntimeError("the client is closed")

    authenticate = complete  # type: ignore[assignment]


@pytest.mark.parametrize(
    "client",
    [
        StandIn(login()),
        StandIn(PortierError("refused", code="internal")),
        StandIn(ELSEWHERE),
        Unexpected(login()),
    ],
    ids=["login", "refused", "elsewhere", "unexpected"],
)
@pytest.mark.parametrize("binding", ["confirm", "require", "off"])
def test_no_frame_of_a_handler_holds_a_secret(
    visitor: Visitor, serve: Serve, client: StandIn, binding: Any
) -> None:
    CAUGHT.clear()

    class Handler(Tracked):
        browser_binding = binding

    class Start(TrackedStart):
        browser_binding = binding

    handlers: list[Any] = [("/verify", Handler), ("/login", Start)]
    origin = serve(lambda _: Application(handlers, portier=client))
    visitor.headers = {**PAGES_POST, "Cookie": f"__Host-portier={SECRET}"}
    page = visitor.send_form(f"{origin}/verify", urlencode(FORM).encode())
    assert page.status == 500
    visitor.send_form(f"{origin}/login", b"email=vanishing%40example.com&next=/")
    assert CAUGHT
    for error in CAUGHT:
        frames = secrets_in(error, SECRETS)
        assert frames == []
