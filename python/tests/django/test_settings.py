"""The settings of a site, and how they change."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.test import override_settings

from portier_client.django import conf, login_flow

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Visitor


def test_another_process_completes_a_login(visitor: Visitor) -> None:
    callback = visitor.start(next_page="/members/")
    conf.reset()  # as in another process
    assert visitor.get(callback)["Location"] == "/members/"
    assert visitor.user == "alice@example.com"


def test_a_login_outlives_the_change_of_the_secret_key(visitor: Visitor) -> None:
    with override_settings(SECRET_KEY="the key of yesterday, long enough"):
        callback = visitor.start()
    with override_settings(
        SECRET_KEY="the key of today, long enough as well",
        SECRET_KEY_FALLBACKS=["the key of yesterday, long enough"],
    ):
        assert visitor.get(callback).status_code == 303


def test_a_login_of_another_secret_key_is_refused(visitor: Visitor) -> None:
    with override_settings(SECRET_KEY="the key of somebody else"):
        callback = visitor.start()
    refused = visitor.get(callback)
    assert (refused.status_code, b'data-id="over"' in refused.content) == (400, True)
    assert visitor.user is None


def test_a_store_of_the_site_keeps_logins(
    visitor: Visitor, set_portier: Callable[..., None], tmp_path: Any
) -> None:
    set_portier(store=f"sqlite:///{tmp_path}/logins.db")
    callback = visitor.start()
    conf.reset()
    with override_settings(SECRET_KEY="a key that does not matter"):
        assert visitor.get(callback).status_code == 303


def test_a_secret_of_the_site_replaces_that_of_django(
    visitor: Visitor, set_portier: Callable[..., None]
) -> None:
    set_portier(secret=secrets.token_bytes(32))
    callback = visitor.start()
    with override_settings(SECRET_KEY="a key that does not matter"):
        assert visitor.get(callback).status_code == 303


def test_changed_settings_count_at_once(portier: dict[str, Any]) -> None:
    before = login_flow()
    assert login_flow() is before
    with override_settings(PORTIER={**portier, "browser_binding": "off"}):
        assert login_flow() is not before
    with override_settings(LANGUAGE_CODE="de"):
        assert conf.default_languages()[0] == "de"
        assert login_flow() is not before


def test_the_languages_of_the_site_are_those_that_are_built_in() -> None:
    with override_settings(LANGUAGES=[("sv", "Svenska"), ("pt-br", "Português")]):
        assert conf.default_languages() == ["en", "pt"]
    with override_settings(LANGUAGE_CODE="zh-hans", USE_I18N=False):
        assert conf.default_languages() == ["zh"]


def test_a_response_that_the_site_sends_to_everybody_never_has_the_cookies_of_one_person(
    visitor: Visitor, set_portier: Callable[..., None]
) -> None:
    welcome = HttpResponse("welcome")
    welcome.set_cookie("theme", "dark")
    set_portier(on_login=lambda request, login: welcome)
    done = visitor.log_in()
    assert {*done.cookies} >= {"__Host-portier-signed-in", "sessionid", "theme"}
    assert {*welcome.cookies} == {"theme"}
    assert "Vary" not in welcome.headers
