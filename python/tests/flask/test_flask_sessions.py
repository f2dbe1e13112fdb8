"""Sessions on Flask: its own, those on a server, and the sealed cookie."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import flask
import pytest
from cachelib import SimpleCache
from flask_session import Session as ServerSideSessions

from portier_client.flask import Portier, portier_logged_in, portier_logged_out

from ..web.flow_site import make_client
from ..web.replay import NOWHERE
from .visits import ALICE, SITE, add_pages, log_in, who

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from portier_client import Login
    from portier_client.testing import DevBroker

NOW = 1_750_000_000
SECRET = secrets.token_urlsafe(32)


def test_a_login_begins_a_new_session(make: Callable[..., Flask], broker: DevBroker) -> None:
    app = make()
    add_pages(app, Portier(app))
    browser = app.test_client()
    with browser.session_transaction() as session:
        session["planted"] = 1
        session.permanent = True
    log_in(browser, broker)
    with browser.session_transaction() as session:
        assert dict(session) == {"_permanent": True, "portier_email": ALICE}


def test_the_id_of_a_session_on_the_server_is_new_after_a_login(
    make: Callable[..., Flask], broker: DevBroker
) -> None:
    app = make(SECRET_KEY=None, SESSION_TYPE="cachelib", SESSION_CACHELIB=SimpleCache())
    ServerSideSessions(app)
    add_pages(app, Portier(app))
    app.add_url_rule("/cart", view_func=lambda: {"cart": flask.session.setdefault("cart", 1)})
    browser, thief = app.test_client(), app.test_client()
    browser.get("/cart")
    before = browser.get_cookie("session")
    log_in(browser, broker)
    after = browser.get_cookie("session")
    assert before is not None
    assert after is not None
    assert who(browser) == ALICE
    # Neither the id from before nor, after signing out, that of the login signs anybody in.
    thief.set_cookie("session", before.value)
    assert (before.value != after.value, who(thief)) == (True, None)
    browser.post("/logout")
    thief.set_cookie("session", after.value)
    assert (who(browser), who(thief)) == (None, None)


def test_the_hook_may_clear_the_session(make: Callable[..., Flask], broker: DevBroker) -> None:
    app = make()
    add_pages(app, Portier(app, on_login=lambda login: flask.session.clear()))
    browser = app.test_client()
    log_in(browser, broker)
    assert who(browser) == ALICE


def fail(login: Login) -> None:
    raise LookupError("the site has failed")


def refuse(login: Login) -> tuple[str, int]:
    return "not for you", 403


@pytest.mark.parametrize(("hook", "status"), [(fail, 500), (refuse, 403)])
@pytest.mark.parametrize("settings", [{}, {"PORTIER_SECRET": SECRET}])
def test_the_session_before_continues_if_the_hook_signs_nobody_in(
    make: Callable[..., Flask], broker: DevBroker, settings: dict[str, str], hook: Any, status: int
) -> None:
    app = make(**settings)
    portier = Portier(app, on_login=hook)
    add_pages(app, portier)
    told: list[Login] = []
    portier_logged_in.connect(lambda app, login: told.append(login), app, weak=False)
    seen: list[str | None] = []

    @app.after_request
    def look(response: flask.Response) -> flask.Response:
        seen.append(portier.email)
        return response

    browser = app.test_client()
    with browser.session_transaction() as session:
        session["cart"] = 1
    assert log_in(browser, broker).status_code == status
    assert (who(browser), {*seen}, told) == (None, {None}, [])
    with browser.session_transaction() as session:
        assert dict(session) == {"cart": 1}


def test_signals_tell_of_logins_and_of_signing_out(
    make: Callable[..., Flask], broker: DevBroker
) -> None:
    app, other = make(), make()
    portier = Portier(app)
    portier.init_app(other)
    told: list[str | None] = []
    portier_logged_in.connect(lambda app, login: told.append(portier.email), app, weak=False)
    portier_logged_out.connect(lambda app: told.append(portier.email), app, weak=False)
    log_in(other.test_client(), broker)
    browser = app.test_client()
    log_in(browser, broker)
    browser.post("/logout")
    browser.post("/logout", headers={"Origin": "https://elsewhere.example"})
    assert told == [ALICE, ALICE]


def test_a_sealed_cookie_keeps_people_signed_in(
    make: Callable[..., Flask], broker: DevBroker
) -> None:
    app = make(SECRET_KEY=None, PORTIER_SECRET=SECRET)
    ended: set[str] = set()
    portier = Portier(app, accept=lambda session: session.id not in ended)
    add_pages(app, portier)
    app.add_url_rule("/id", view_func=lambda: portier.session.id if portier.session else "none")
    told: list[str | None] = []
    portier_logged_in.connect(lambda app, login: told.append(portier.email), app, weak=False)
    browser = app.test_client()
    done = log_in(browser, broker)
    names = [cookie.partition("=")[0] for cookie in done.headers.getlist("Set-Cookie")]
    assert (names, told) == (["portier-signed-in", "portier-session"], [ALICE])
    assert who(browser) == ALICE
    ended.add(browser.get("/id").text)
    assert who(browser) is None


def test_a_session_is_renewed_once_and_not_while_it_ends() -> None:
    options = {"redirect_uri": f"{SITE}/verify", "secret": SECRET}
    made = make_client(
        options, has_switched_store=False, broker=NOWHERE, documents={}, now=NOW, is_blocking=True
    )
    app = flask.Flask("site")
    portier = Portier(app, made.client, **made.flow_options)
    add_pages(app, portier)
    app.before_request(lambda: portier.email and None)
    _, cookie = app.extensions["portier"].flow.start_session(ALICE)
    sent = {"Cookie": cookie.partition(";")[0]}
    browser = app.test_client(use_cookies=False)
    assert browser.get("/who", headers=sent).headers.getlist("Set-Cookie") == []
    made.clock.advance(8 * 24 * 3600)
    (renewal,) = browser.get("/who", headers=sent).headers.getlist("Set-Cookie")
    assert renewal.startswith("portier-session=")
    cookies = browser.post("/logout", headers=sent).headers.getlist("Set-Cookie")
    (ending,) = [cookie for cookie in cookies if cookie.startswith("portier-session=")]
    assert ending.startswith("portier-session=;")
