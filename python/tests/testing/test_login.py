"""Logins with the kit, with the test clients of frameworks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import requests
from flask import Flask
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from portier_client import Login, LoginRefused, blocking
from portier_client.flask import Portier
from portier_client.testing import DevBroker, LoginFailed, LoginHelper, login

from .sites import (
    ALICE,
    SECRET,
    SITE,
    TestApp,
    async_browser_at,
    browser_at,
    served,
    starlette_site,
)

if TYPE_CHECKING:
    from starlette.requests import Request

FLOWS = ("code", "implicit")


@pytest.fixture(params=FLOWS)
def flow(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def browser(portier_broker: DevBroker, flow: str) -> TestClient:
    """A browser at a site of each flow."""
    return browser_at(starlette_site(portier_broker, flow=flow))


def test_a_blocking_client_logs_in(browser: TestClient) -> None:
    page = login(browser, ALICE, page="/members")
    assert (page.status, page.url, page.text) == (200, f"{SITE}/members", "for members")
    assert page.problem is None
    assert page.response.text == "for members"
    assert browser.get("/").text == ALICE


def test_an_asynchronous_client_logs_in(portier_broker: DevBroker, flow: str) -> None:
    async def visit() -> None:
        app = starlette_site(portier_broker, flow=flow)
        async with async_browser_at(app) as browser:
            page = await login(browser, ALICE, next_page="/members")
            assert page.text == "for members"
            assert (await browser.get("/")).text == ALICE
            asked = await login.other_browser(browser, "bob@example.com")
            assert "bob@example.com" in asked.text
            assert (await browser.get("/")).text == ALICE

    asyncio.run(visit())


def flask_site(broker: DevBroker, origin: str) -> Flask:
    app = Flask(__name__)
    app.secret_key = SECRET
    portier = Portier(app, blocking.Client(f"{origin}/verify", broker=broker.origin))

    @app.get("/login")
    def form() -> str:
        return '<form method="post"><input name="email"></form>'

    @app.get("/")
    def index() -> str:
        return portier.email or "nobody"

    return app


@pytest.mark.parametrize("origin", ["http://localhost", "https://example.com"])
def test_the_client_of_flask_keeps_cookies_of_any_site(
    portier_broker: DevBroker, origin: str
) -> None:
    browser = flask_site(portier_broker, origin).test_client()
    assert login(browser, ALICE).text == ALICE
    assert login.replayed(browser, "bob@example.com").problem == "used"
    assert browser.get("/").text == ALICE


@pytest.mark.parametrize("origin", ["http://localhost", "https://example.com"])
def test_webtest_keeps_the_cookies_of_the_login(portier_broker: DevBroker, origin: str) -> None:
    browser = TestApp(flask_site(portier_broker, origin))
    page = login(browser, ALICE)
    assert (page.status, page.text, page.response.text) == (200, ALICE, ALICE)
    assert login.replayed(browser, "bob@example.com").problem == "used"
    assert login.broker_down(browser, "bob@example.com").problem == "broker_unavailable"
    home = f"{origin.partition(':')[0]}://localhost/"
    assert browser.get(home).text == ALICE
    browser.reset()
    assert browser.get(home).text == "nobody"


def test_webtest_at_another_host(portier_broker: DevBroker) -> None:
    app = flask_site(portier_broker, "https://shop.example")
    environ = {"HTTP_HOST": "shop.example", "wsgi.url_scheme": "https"}
    browser = TestApp(app, extra_environ=environ)
    assert login(browser, ALICE).url == "https://shop.example/"
    assert browser.get("https://shop.example/").text == ALICE


def test_a_session_of_requests_logs_in_at_a_running_site(portier_broker: DevBroker) -> None:
    with served(lambda origin: flask_site(portier_broker, origin)) as origin:
        session = requests.Session()
        session.trust_env = False
        page = login(session, ALICE, page=f"{origin}/login")
        assert (page.status, page.url, page.text) == (200, f"{origin}/", ALICE)
        assert {cookie["name"] for cookie in page.cookies} >= {"session"}
        asked = login.other_browser(session, "bob@example.com", page=f"{origin}/login")
        assert "bob@example.com" in asked.text
        assert session.get(f"{origin}/").text == ALICE
        with pytest.raises(TypeError, match="give the page with the form as a URL"):
            login(session, ALICE)


def test_a_running_site_is_logged_in_to_for_a_real_browser(portier_broker: DevBroker) -> None:
    with served(lambda origin: flask_site(portier_broker, origin)) as origin:
        page = login(origin, ALICE, page="/login")
    assert (page.text, page.response.status) == (ALICE, 200)
    (cookie,) = [cookie for cookie in page.cookies if cookie["name"] == "session"]
    assert cookie["url"] == origin
    assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (True, False, "Lax")
    assert f"session={cookie['value']}" in page.cookie.split("; ")


def test_a_login_can_be_started_without_a_page(browser: TestClient) -> None:
    assert login(browser, ALICE, action="/login", next_page="/members").text == "for members"


def test_a_site_without_a_login_page_takes_the_form_at_its_path(portier_broker: DevBroker) -> None:
    app = flask_site(portier_broker, "http://localhost")
    app.view_functions["form"] = lambda: ("", 405)
    assert login(app.test_client(), ALICE).text == ALICE


def test_a_missing_login_page_is_named(portier_broker: DevBroker) -> None:
    browser = browser_at(starlette_site(portier_broker))
    message = str(failure(browser, page="/sign-in"))
    assert message.startswith("the site has no login page here; name the page with the form (page=")
    assert "status=404 url=/sign-in" in message


def test_the_redirect_to_the_next_page_need_not_be_followed(browser: TestClient) -> None:
    page = login(browser, ALICE, page="/members", follow=False)
    assert (page.status, page.response.headers["location"]) == (303, "/members")


def test_a_helper_has_defaults_of_its_own(portier_broker: DevBroker) -> None:
    helper = LoginHelper(page="/members", follow=False)
    browser = browser_at(starlette_site(portier_broker))
    assert helper(browser, ALICE).response.headers["location"] == "/members"
    assert helper(browser, ALICE, page="/login", follow=True).url == f"{SITE}/"


PROBLEMS = {"expired": "over", "cancelled": "cancelled", "replayed": "used"}


@pytest.mark.parametrize(("scenario", "problem"), PROBLEMS.items())
def test_a_refused_login_is_shown_and_signs_nobody_in(
    browser: TestClient, scenario: str, problem: str
) -> None:
    page = getattr(login, scenario)(browser, ALICE)
    assert page.status >= 400
    assert page.problem == problem
    assert browser.get("/").text == "nobody"


def test_an_answer_that_arrives_in_another_browser_is_asked_about(browser: TestClient) -> None:
    asked = login.other_browser(browser, ALICE)
    assert (asked.status, asked.problem) == (200, None)
    assert ALICE in asked.text
    assert browser.get("/").text == "nobody"
    assert login.other_browser(browser, ALICE, confirm=True, page="/members").status == 200
    assert browser.get("/").text == ALICE


def test_a_person_may_continue_in_another_browser_at_once(browser: TestClient) -> None:
    assert login.other_browser(browser, ALICE, confirm=True).text == ALICE


def test_a_site_may_refuse_an_answer_that_arrives_in_another_browser(
    portier_broker: DevBroker,
) -> None:
    browser = browser_at(starlette_site(portier_broker, browser_binding="require"))
    assert login.other_browser(browser, ALICE).problem == "other_browser"
    with pytest.raises(LoginFailed, match="the site does not ask whether to continue"):
        login.other_browser(browser, ALICE, confirm=True)


def test_the_address_that_the_broker_confirms_is_signed_in(browser: TestClient) -> None:
    login.wrong_address(browser, ALICE, proves="carol@example.com")
    assert browser.get("/").text != ALICE


def test_rotated_keys_are_fetched(browser: TestClient) -> None:
    login(browser, "bob@example.com")
    login.rotated_keys(browser, ALICE)
    assert browser.get("/").text == ALICE


def test_the_time_of_the_site_follows_the_broker(
    portier_broker: DevBroker, browser: TestClient
) -> None:
    portier_broker.freeze_time(1_900_000_000)
    login(browser, ALICE)
    portier_broker.advance_time(13 * 86400)
    assert browser.get("/").text == ALICE
    portier_broker.advance_time(15 * 86400)
    assert browser.get("/").text == "nobody"


def failure(client: Any, **options: Any) -> LoginFailed:
    with pytest.raises(LoginFailed) as raised:
        login(client, ALICE, **options)
    return raised.value


def test_no_request_is_sent_to_a_broker_of_another_process(portier_broker: DevBroker) -> None:
    app = flask_site(portier_broker, "http://localhost")
    elsewhere = {"Location": "https://broker.example/auth?nonce=abc"}
    app.view_functions["portier.login"] = lambda: ("", 303, elsewhere)
    error = failure(app.test_client())
    assert "the site does not redirect to a development broker of this process" in str(error)
    assert str(error).endswith("found=https://broker.example")


def test_a_client_that_loses_secure_cookies_is_explained(portier_broker: DevBroker) -> None:
    browser = TestClient(starlette_site(portier_broker))
    message = str(failure(browser))
    assert "make the client with the origin of the redirect URI (base_url)" in message
    assert "client=http://testserver redirect_uri=https://example.com/verify" in message


def test_a_refused_form_is_shown(portier_broker: DevBroker) -> None:
    browser = browser_at(starlette_site(portier_broker))
    with pytest.raises(LoginFailed) as raised:
        login(browser, "alice@@example.com")
    error = raised.value
    assert error.status == 400
    assert "the site did not start a login status=400 url=/login problem=invalid_email" in str(
        error
    )
    assert "The site answered:" in str(error)
    assert error.response.status_code == 400


def test_a_page_without_the_form_is_shown(portier_broker: DevBroker) -> None:
    browser = browser_at(starlette_site(portier_broker))
    message = str(failure(browser, page="/"))
    assert "the page has no form that posts an address" in message
    assert message.endswith("field=email status=200 url=/\n\nThe site answered: nobody")


def test_a_login_that_a_hook_refuses_is_shown(portier_broker: DevBroker) -> None:
    def on_login(request: Request, login: object) -> Response:
        return PlainTextResponse("members of the club only", 403)

    browser = browser_at(starlette_site(portier_broker, on_login=on_login))
    error = failure(browser)
    assert "the site refused the login status=403 url=/verify" in str(error)
    assert "members of the club only" in str(error)


def test_an_account_that_the_site_refuses_is_shown(portier_broker: DevBroker, flow: str) -> None:
    def on_login(request: Request, login: Login) -> Response | None:
        if login.email == "eve@example.com":
            return PlainTextResponse("members of the club only", 403)
        raise LoginRefused(code="account_unknown")

    browser = browser_at(starlette_site(portier_broker, on_login=on_login, flow=flow))
    page = login.refused(browser, ALICE)
    assert (page.status, page.problem) == (403, "account_unknown")
    page = login.refused(browser, "eve@example.com")
    assert (page.status, page.problem, page.text) == (403, None, "members of the club only")
    assert browser.get("/").text == "nobody"
    assert failure(browser).problem == "account_unknown"


def test_an_account_that_the_site_does_not_refuse_is_a_failure(browser: TestClient) -> None:
    with pytest.raises(LoginFailed, match="the site did not refuse the login"):
        login.refused(browser, ALICE)


def test_a_login_that_does_not_complete_is_no_refused_account(
    portier_broker: DevBroker, browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in = portier_broker.sign_in

    def cancelled(url: str, **options: Any) -> Any:
        return sign_in(url, mode="refuse")

    monkeypatch.setattr(portier_broker, "sign_in", cancelled)
    with pytest.raises(LoginFailed, match="no account was refused") as raised:
        login.refused(browser, ALICE)
    assert raised.value.problem == "cancelled"


def test_a_page_after_the_login_that_is_missing_is_shown(portier_broker: DevBroker) -> None:
    browser = browser_at(starlette_site(portier_broker))
    message = str(failure(browser, next_page="/nowhere"))
    assert "the page that it leads to is an error" in message
    assert "status=404 url=/nowhere" in message


def test_a_session_that_is_not_kept_is_explained(portier_broker: DevBroker) -> None:
    app = starlette_site(portier_broker)

    class Forgetful(TestClient):
        def request(self, *args: Any, **options: Any) -> Any:
            response = super().request(*args, **options)
            for name in [name for name in self.cookies if name.endswith("-session")]:
                del self.cookies[name]
            return response

    message = str(failure(Forgetful(app, base_url=SITE), page="/members"))
    assert "the client has not kept the cookie of the session" in message


def test_a_browser_that_keeps_no_cookies_is_explained(portier_broker: DevBroker) -> None:
    class Forgetful(TestClient):
        def request(self, *args: Any, **options: Any) -> Any:
            self.cookies.clear()
            return super().request(*args, **options)

    message = str(failure(Forgetful(starlette_site(portier_broker), base_url=SITE)))
    assert "the site does not recognize the browser that started the login" in message


def test_a_site_that_redirects_without_an_end_is_shown() -> None:
    app = Starlette(routes=[Route("/login", lambda request: RedirectResponse("/login"))])
    assert "the site redirects without an end" in str(failure(browser_at(app)))


def test_a_message_contains_no_token() -> None:
    page = '<form method="post"><input name="email"></form>'
    routes = [
        Route("/login", lambda request: HTMLResponse(page), methods=["GET"]),
        Route("/login", lambda request: Response(status_code=302), methods=["POST"]),
    ]
    error = failure(browser_at(Starlette(routes=routes)))
    assert str(error) == "the site did not start a login status=302 url=/login"


def test_an_unknown_client_is_named() -> None:
    with pytest.raises(TypeError, match=r"no support for this client: builtins.dict; supported"):
        login({}, ALICE)


def test_an_unknown_option_is_an_error(browser: TestClient) -> None:
    with pytest.raises(TypeError, match="confirm"):
        login(browser, ALICE, confirm=True)


def test_clients_of_several_brokers_are_told_apart(portier_broker: DevBroker) -> None:
    with DevBroker() as other:
        browsers = [browser_at(starlette_site(broker)) for broker in (portier_broker, other)]
        for browser in browsers:
            assert login(browser, ALICE).text == ALICE
    assert "the site does not redirect to a development broker" in str(failure(browsers[1]))
