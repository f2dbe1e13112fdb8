"""The integration with Flask: settings, hooks, views, paths."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Any

import flask
import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client as Browser

import portier_client.flask
from portier_client import ConfigError, Login
from portier_client.blocking import Client
from portier_client.flask import Portier

from ..examples import literal_blocks_in
from .visits import ALICE, SITE, add_pages, come_back, log_in, start, who

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask, Response
    from werkzeug.test import TestResponse

    from portier_client.testing import DevBroker


def test_settings_alone_make_a_login(make: Callable[..., Flask], broker: DevBroker) -> None:
    app = make()
    add_pages(app, Portier(app))
    browser = app.test_client()
    refused = browser.get("/members?page=2&q=%C3%BC")
    assert refused.location == "/?next=%2Fmembers%3Fpage%3D2%26q%3D%25C3%25BC"
    done = log_in(browser, broker, next="/members")
    assert (done.status_code, done.location) == (303, "/members")
    assert browser.get("/members").text == f"for {ALICE}"
    out = browser.post("/logout")
    assert (out.status_code, out.location, who(browser)) == (303, "/", None)


def test_the_site_of_the_docstring_logs_in(
    broker: DevBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"REDIRECT_URI": f"{SITE}/verify", "BROKER": broker.origin}
    for name, value in settings.items():
        monkeypatch.setenv(f"FLASK_PORTIER_{name}", value)
    monkeypatch.setenv("FLASK_SECRET_KEY", secrets.token_urlsafe(32))
    names: dict[str, Any] = {"__name__": "example"}
    for code in literal_blocks_in(portier_client.flask.__doc__ or "", "flask.py"):
        exec(code, names)
    browser = names["app"].test_client()
    assert 'action="/login"' in browser.get("/").text
    assert log_in(browser, broker, next="/members").location == "/members"
    assert browser.get("/members").text == f"You are {ALICE}."


def test_arguments_take_precedence_over_settings(make: Callable[..., Flask]) -> None:
    app = make(PORTIER_LOGIN_URL="/in", PORTIER_LANGUAGES=["de"])
    add_pages(app, Portier(app, login_url="/here"))
    browser = app.test_client()
    assert browser.get("/members").location == "/here?next=%2Fmembers"
    assert '<html lang="de"' in browser.get("/verify").text


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"PORTIER_BROKR": "https://example.com"}, "no such setting setting=PORTIER_BROKR"),
        ({"PORTIER_REDIRECT_URI": None}, "setting=PORTIER_REDIRECT_URI"),
        ({"PORTIER_FLOW": "both"}, "flow"),
        ({"SECRET_KEY": None}, "SECRET_KEY"),
    ],
)
def test_wrong_settings_show_when_the_site_starts(
    make: Callable[..., Flask], settings: dict[str, object], words: str
) -> None:
    with pytest.raises(ConfigError, match=words) as raised:
        Portier(make(**settings))
    assert raised.value.code == "invalid_option"


def test_settings_of_a_client_beside_a_client_are_an_error(make: Callable[..., Flask]) -> None:
    app = make()
    client = Client(f"{SITE}/verify")
    with pytest.raises(ConfigError, match=r"setting=PORTIER_(BROKER|REDIRECT_URI)"):
        Portier(app, client)


def test_one_extension_serves_several_applications(
    make: Callable[..., Flask], broker: DevBroker
) -> None:
    portier = Portier()
    apps = [make(), make(PORTIER_SECRET=secrets.token_urlsafe(32))]
    browsers = []
    for app in apps:
        portier.init_app(app)
        add_pages(app, portier)
        browsers.append(app.test_client())
    log_in(browsers[0], broker)
    assert (who(browsers[0]), who(browsers[1])) == (ALICE, None)
    log_in(browsers[1], broker)
    assert who(browsers[1]) == ALICE


def test_every_process_with_the_secret_key_completes_logins(
    make: Callable[..., Flask], broker: DevBroker
) -> None:
    old, new = secrets.token_urlsafe(32), secrets.token_bytes(32)
    apps = [
        make(SECRET_KEY=old),
        make(SECRET_KEY=new, SECRET_KEY_FALLBACKS=[old]),
        make(SECRET_KEY=new),
        make(SECRET_KEY=old, PORTIER_STORE="memory:"),
    ]
    for app in apps:
        add_pages(app, Portier(app))
    started = start(apps[0].test_client())
    cookie = started.headers["Set-Cookie"].partition(";")[0]
    assert started.location is not None
    answer = broker.sign_in(started.location)
    done = [
        app.test_client(use_cookies=False)
        .get("/verify", query_string=answer, headers={"Cookie": cookie})
        .status_code
        for app in (apps[2], apps[3], apps[1])
    ]
    assert done == [400, 400, 303]


def test_a_hook_may_be_async(make: Callable[..., Flask], broker: DevBroker) -> None:
    app = make()

    async def on_login(login: Login) -> object:
        await asyncio.sleep(0)
        flask.session["name"] = "Alice"
        return flask.redirect("/welcome")

    async def show_problem(problem: object) -> str:
        return "in own words"

    add_pages(app, Portier(app, on_login=on_login, show_problem=show_problem))
    browser = app.test_client()
    assert log_in(browser, broker).location == "/welcome"
    assert who(browser) == ALICE
    assert browser.get("/verify").text == "in own words"


def test_a_view_that_needs_a_login_may_be_async(
    make: Callable[..., Flask], broker: DevBroker
) -> None:
    app = make()
    portier = Portier(app)

    @app.get("/later/<int:number>")
    @portier.login_required
    async def later(number: int) -> str:
        await asyncio.sleep(0)
        return f"{number} for {portier.email}"

    browser = app.test_client()
    assert browser.get("/later/1").status_code == 303
    log_in(browser, broker)
    assert browser.get("/later/1").text == f"1 for {ALICE}"


def test_a_blueprint_may_need_a_login(make: Callable[..., Flask]) -> None:
    app = make()
    portier = Portier(app)
    pages = flask.Blueprint("pages", __name__, url_prefix="/pages")
    pages.before_request(portier.require_login)
    pages.add_url_rule("/", view_func=lambda: "for members", endpoint="index")
    app.register_blueprint(pages)
    browser = app.test_client()
    assert browser.get("/pages/").status_code == 303
    with browser.session_transaction() as session:
        session["portier_email"] = ALICE
    assert browser.get("/pages/").text == "for members"


def test_scripts_get_json(make: Callable[..., Flask], broker: DevBroker) -> None:
    app = make()
    add_pages(app, Portier(app))
    browser = app.test_client()
    script = {"Accept": "application/json"}
    refused = browser.get("/members", headers=script)
    assert (refused.status_code, refused.mimetype) == (401, "application/problem+json")
    started = browser.post("/login", data={"email": ALICE}, headers=script)
    assert started.json is not None
    assert started.json["url"].startswith(broker.origin)


@pytest.mark.parametrize("read", [flask.Request.get_data, lambda request: request.form])
def test_the_site_may_read_a_form_before(
    make: Callable[..., Flask], broker: DevBroker, read: Callable[[flask.Request], object]
) -> None:
    app = make(PORTIER_FLOW="implicit")

    @app.before_request
    def look() -> None:
        read(flask.request)

    add_pages(app, Portier(app))
    browser = app.test_client()
    log_in(browser, broker)
    assert who(browser) == ALICE


def test_a_site_may_have_a_form_of_its_own(make: Callable[..., Flask], broker: DevBroker) -> None:
    app = make()
    portier = Portier(app, login_path=None)

    @app.post("/join")
    def join() -> Response:
        return portier.start_login(flask.request.form["address"], "/members")

    browser = app.test_client()
    assert browser.post("/login").status_code == 404
    started = browser.post("/join", data={"address": ALICE})
    assert come_back(browser, broker, started).location == "/members"


def test_the_extension_is_known_to_templates(make: Callable[..., Flask], broker: DevBroker) -> None:
    app = make()
    Portier(app, url_prefix="/account")
    template = "{{ url_for('portier.login') }} {{ url_for('portier.logout') }} {{ portier.email }}"
    app.add_url_rule("/", view_func=lambda: flask.render_template_string(template))
    browser = app.test_client()
    assert browser.get("/").text == "/account/login /account/logout None"
    come_back(browser, broker, start(browser, "/account/login"))
    assert browser.get("/").text == f"/account/login /account/logout {ALICE}"


@pytest.mark.parametrize("how", ["mounted", "behind a proxy"])
def test_an_application_may_have_a_prefix(
    make: Callable[..., Flask], broker: DevBroker, how: str
) -> None:
    app = make(PORTIER_REDIRECT_URI=f"{SITE}/app/verify", APPLICATION_ROOT="/app")
    add_pages(app, Portier(app))
    template = "{{ url_for('portier.login') }}"
    app.add_url_rule("/", view_func=lambda: flask.render_template_string(template))
    headers: dict[str, str] = {}
    prefix, site = "/app", app.wsgi_app
    if how == "mounted":
        served: Any = DispatcherMiddleware(flask.Flask("root"), {"/app": site})
    else:
        served = ProxyFix(site, x_prefix=1)
        headers, prefix = {"X-Forwarded-Prefix": "/app"}, ""
    # The browser of the test would not send cookies of the path /app to a proxy.
    browser = Browser(served, use_cookies=how == "mounted")

    def get(path: str) -> TestResponse:
        return browser.get(f"{prefix}{path}", headers=headers)

    assert get("/").text == "/app/login"
    assert get("/members").location == "/app/?next=%2Fapp%2Fmembers"
    started = browser.post(f"{prefix}/login", data={"email": ALICE}, headers=headers)
    assert started.location is not None
    answer = broker.sign_in(started.location)
    headers["Cookie"] = started.headers["Set-Cookie"].partition(";")[0]
    done = browser.get(f"{prefix}/verify", query_string=answer, headers=headers)
    assert (done.status_code, done.location) == (303, "/app/")
    session = next(c for c in done.headers.getlist("Set-Cookie") if c.startswith("session="))
    assert "Path=/app" in session
