"""The integration with Flask beside Flask-WTF, Flask-Login, Flask-Compress and Flask-CORS."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import flask
import pytest
from flask_compress import Compress
from flask_cors import CORS
from flask_login import (
    LoginManager,
    UserMixin,
    current_user,
    login_required,
    login_user,
    logout_user,
)
from flask_wtf import CSRFProtect

from portier_client.flask import Portier

from .visits import ALICE, add_pages, come_back, log_in, who

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from portier_client import Login
    from portier_client.testing import DevBroker

ELSEWHERE = "https://app.example.com"


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("flow", ["code", "implicit"])
def test_a_csrf_protection_checks_login_forms_but_not_the_callback(
    make: Callable[..., Flask], broker: DevBroker, *, is_first: bool, flow: str
) -> None:
    app = make(PORTIER_FLOW=flow)
    if is_first:
        CSRFProtect(app)
    portier = Portier(app)
    if not is_first:
        CSRFProtect(app)
    add_pages(app, portier)
    app.add_url_rule("/", view_func=lambda: flask.render_template_string("{{ csrf_token() }}"))
    app.add_url_rule("/other", view_func=lambda: "changed", methods=["POST"], endpoint="other")
    browser = app.test_client()
    # The callback may be the first request to a process.
    assert "CSRF" not in browser.post("/verify", data={"error": "access_denied"}).text
    for path in ("/login", "/logout", "/other"):
        assert "CSRF" in browser.post(path, data={"email": ALICE}).text
    token = browser.get("/").text
    # A page with Referrer-Policy: no-referrer sends this.
    null = {"Origin": "null"}
    started = browser.post("/login", data={"email": ALICE, "csrf_token": token}, headers=null)
    assert come_back(browser, broker, started).location == "/"
    assert who(browser) == ALICE
    token = browser.get("/").text
    assert browser.post("/logout", data={"csrf_token": token}).status_code == 303
    assert who(browser) is None


def test_the_null_origin_counts_only_with_a_token(make: Callable[..., Flask]) -> None:
    app = make()
    Portier(app)
    answer = app.test_client().post("/login", data={"email": ALICE}, headers={"Origin": "null"})
    assert answer.status_code == 403


class User(UserMixin):
    def __init__(self, email: str) -> None:
        self.id = email


def use_flask_login(app: Flask) -> None:
    LoginManager(app).user_loader(User)

    @app.get("/user")
    def user() -> dict[str, object]:
        return {"id": current_user.get_id()}

    @app.post("/leave")
    def leave() -> str:
        logout_user()
        return "left"


@pytest.mark.parametrize("is_first", [True, False])
def test_flask_login_signs_in_and_out_beside_it(
    make: Callable[..., Flask], broker: DevBroker, *, is_first: bool
) -> None:
    def on_login(login: Login) -> None:
        login_user(User(login.email), remember=True)

    app = make()
    if is_first:
        use_flask_login(app)
    portier = Portier(app, on_login=on_login)
    if not is_first:
        use_flask_login(app)
    add_pages(app, portier)
    browser = app.test_client()
    log_in(browser, broker)
    assert (browser.get("/user").json, who(browser)) == ({"id": ALICE}, ALICE)
    browser.post("/logout")
    assert (browser.get("/user").json, who(browser)) == ({"id": None}, None)
    log_in(browser, broker)
    browser.post("/leave")
    assert (browser.get("/user").json, who(browser)) == ({"id": None}, None)


def test_flask_login_guards_views_with_the_answer_of_the_extension(
    make: Callable[..., Flask], broker: DevBroker
) -> None:
    """Also for somebody whose account is gone, whom the extension still knows."""
    users = {ALICE: User(ALICE)}
    app = make(PORTIER_LOGIN_URL="/login")
    manager = LoginManager(app)
    manager.user_loader(users.get)
    portier = Portier(app, on_login=lambda login: login_user(users[login.email]) and None)
    manager.unauthorized_handler(portier.refuse)
    app.add_url_rule("/members", view_func=login_required(lambda: "for members"))
    browser = app.test_client()
    assert browser.get("/members?a=1").location == "/login?next=%2Fmembers%3Fa%3D1"
    asked = browser.get("/members", headers={"Accept": "application/json"})
    assert (asked.status_code, asked.mimetype) == (401, "application/problem+json")
    log_in(browser, broker)
    assert browser.get("/members").text == "for members"
    users.clear()
    assert browser.get("/members").location == "/login?next=%2Fmembers"


def test_a_login_works_beside_compression_and_cors(
    make: Callable[..., Flask], broker: DevBroker
) -> None:
    app = make(COMPRESS_MIN_SIZE=10)
    Compress(app)
    CORS(app, origins=[ELSEWHERE], supports_credentials=True)
    add_pages(app, Portier(app))
    browser = app.test_client()
    done = log_in(browser, broker, next="/members")
    assert (done.status_code, done.location) == (303, "/members")
    # Only answers without an error are compressed, such as the page that posts again.
    answer = {"id_token": "a.b.c", "state": ""}
    again = app.test_client().post("/verify", data=answer, headers={"Accept-Encoding": "gzip"})
    assert (again.status_code, again.headers["Content-Encoding"]) == (200, "gzip")
    assert b'name="portier_again"' in gzip.decompress(again.data)
    assert again.headers["Cache-Control"].startswith("no-store")
    # A page of another site may read the site's pages, but not send its login form.
    headers = {"Origin": ELSEWHERE, "Sec-Fetch-Site": "cross-site"}
    assert browser.get("/who", headers=headers).headers["Access-Control-Allow-Origin"] == ELSEWHERE
    assert browser.post("/login", data={"email": ALICE}, headers=headers).status_code == 403
    assert who(browser) == ALICE
