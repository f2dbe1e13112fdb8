"""The handlers on their own: pages, headers and hooks, whatever the client says."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

import pytest

from portier_client import (
    BrokerError,
    BrokerUnavailable,
    BrowserMismatch,
    Client,
    ConfigError,
    InternalError,
    InvalidEmail,
    InvalidSession,
    InvalidToken,
    Login,
    PortierError,
    StoreError,
    _fragment,
)
from portier_client.tornado import (
    Confirmation,
    FragmentVerifyHandler,
    Problem,
    VerifyHandler,
    login_policy,
)

from .standin import ELSEWHERE, FORM, MESSAGE, StandIn, Verify, login, sha256

if TYPE_CHECKING:
    from .visitor import Visitor

REFUSED = BrokerError(MESSAGE, code="broker_error", error="access_denied")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidEmail(MESSAGE, code="invalid_email"), 400),
        (REFUSED, 403),
        (BrokerError(MESSAGE, code="broker_error", error="invalid_request"), 400),
        (BrokerError(MESSAGE, code="missing_token"), 400),
        (InvalidToken(MESSAGE, code="token_signature"), 400),
        (InvalidSession(MESSAGE, code="session_unknown"), 400),
        (BrowserMismatch(MESSAGE, code="session_browser"), 400),
        (BrokerUnavailable(MESSAGE, code="broker_timeout"), 503),
        (StoreError(MESSAGE, code="store_full"), 503),
        (ConfigError(MESSAGE, code="invalid_option"), 500),
        (InternalError(MESSAGE, code="internal"), 500),
    ],
    ids=lambda value: getattr(value, "code", ""),
)
@pytest.mark.parametrize("path", ["/login", "/verify"])
def test_each_error_has_a_page_with_its_status(
    serve_answer: Any, visitor: Visitor, path: str, error: PortierError, status: int
) -> None:
    form = {"email": "x", "id_token": "x"}
    page = visitor.post(serve_answer(error) + path, form, origin=StandIn.client_id)
    assert page.status == status
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Frame-Options"] == "DENY"
    assert (page.headers["Retry-After"] is not None) == (status == 503)
    assert '<a href="/">Start again</a>' in page.text
    assert MESSAGE not in page.text


def test_the_default_page_allows_its_own_style_only(serve_answer: Any, visitor: Visitor) -> None:
    page = visitor.post(f"{serve_answer(REFUSED)}/verify", {"id_token": "x"})
    style = re.search("<style>(.*?)</style>", page.text, re.DOTALL)
    assert style is not None
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{sha256(style[1])}'; ")


def test_the_link_of_the_default_page_is_escaped(serve_answer: Any, visitor: Visitor) -> None:
    site = serve_answer(REFUSED, login_url='/in?"><script>')
    page = visitor.post(f"{site}/verify", {"id_token": "x"})
    assert '<a href="/in?&quot;&gt;&lt;script&gt;">' in page.text


def test_a_site_may_ask_in_its_own_words(serve_answer: Any, visitor: Visitor) -> None:
    class Terse(Verify):
        def show_confirmation(self, confirmation: Confirmation) -> None:
            assert "example.com" not in repr(confirmation)
            self.finish(confirmation.email)

    page = visitor.post(f"{serve_answer(ELSEWHERE, Terse)}/verify", FORM)
    assert page.text == ELSEWHERE.email
    assert (page.headers["X-Frame-Options"], page.headers["Cache-Control"]) == ("DENY", "no-store")


def test_the_hooks_may_be_async(serve_answer: Any, visitor: Visitor) -> None:
    class Async(VerifyHandler):
        async def on_login(self, login: Login) -> None:
            self.set_cookie("email", login.email)

        async def on_login_error(self, error: PortierError) -> None:
            self.set_status(418)

    answer = visitor.post(f"{serve_answer(login(), Async)}/verify", {}, follow=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert visitor.cookies["localhost"]["email"].value == "alice@example.com"
    assert visitor.post(f"{serve_answer(REFUSED, Async)}/verify", {}).status == 418


def test_a_hook_may_answer_by_itself(serve_answer: Any, visitor: Visitor) -> None:
    class Terse(VerifyHandler):
        def on_login(self, login: Login) -> None:
            self.finish("you are in")

        def show_problem(self, problem: Problem) -> None:
            self.finish(problem.title)

    assert visitor.post(f"{serve_answer(login(), Terse)}/verify", {}).text == "you are in"
    refused = visitor.post(f"{serve_answer(REFUSED, Terse)}/verify", {})
    assert (refused.status, refused.text) == (403, "Sign-in cancelled")


def test_a_stored_page_is_checked_again(serve_answer: Any, visitor: Visitor) -> None:
    class Shop(Verify):
        default_next = "/home"
        allowed_hosts = ("shop.example.com",)

    for stored, landed in [
        ("//evil.example", "/home"),
        ("/members", "/members"),
        ("https://shop.example.com/", "https://shop.example.com/"),
        (None, "/home"),
    ]:
        site = serve_answer(login(stored), Shop)
        answer = visitor.post(f"{site}/verify", {}, follow=False)
        assert answer.headers["Location"] == landed


def test_a_site_must_say_what_a_login_does(serve_answer: Any, visitor: Visitor) -> None:
    assert visitor.post(f"{serve_answer(login(), VerifyHandler)}/verify", {}).status == 500


def test_web_10_the_log_names_the_code_and_no_secret(
    serve_answer: Any, visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    site = serve_answer(REFUSED)
    visitor.post(f"{site}/verify", {"id_token": "e30.e30.c2ln", "state": "s3cret"})
    assert "code=broker_error" in caplog.text
    assert "e30" not in caplog.text
    assert "s3cret" not in caplog.text


def test_web_26_a_policy_names_the_broker_and_the_identity_providers() -> None:
    client = Client("https://example.com/verify", broker="https://broker.example.com/")
    policy = login_policy(client, identity_providers=["https://idp.example.com"])
    assert "form-action 'self' https://broker.example.com https://idp.example.com; " in policy


def test_a_fragment_is_posted_by_a_page_that_runs_nothing_else(
    serve_answer: Any, visitor: Visitor
) -> None:
    class Fragment(FragmentVerifyHandler, Verify):
        pass

    site = serve_answer(login(), Fragment)
    page = visitor.get(f"{site}/verify")
    script = re.search("<script>(.*?)</script>", page.text, re.DOTALL)
    assert script is not None
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith(f"default-src 'none'; script-src 'sha256-{sha256(script[1])}'; ")
    assert "form-action 'self' https:;" in policy
    assert page.headers["Cache-Control"] == "no-store"
    assert page.form().action == ""
    assert visitor.submit(page, follow=False, id_token="x").status == 303


def test_only_the_fragment_leaves_the_address_bar() -> None:
    # The form posts to the address that is left, so a query of the redirect URI has to stay.
    (kept,) = re.findall(r'history\.replaceState\(null, "", (.*)\);', _fragment.PAGE)
    assert kept == "location.pathname + location.search"
