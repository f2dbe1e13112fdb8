"""Logins at a Django site, under WSGI and under ASGI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.test import override_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from portier_client.testing import DevBroker

    from .conftest import Visitor


@pytest.fixture
def signals() -> Iterator[list[str]]:
    """The signals that were sent."""
    sent: list[str] = []

    def signed_in(user: User, **_: object) -> None:
        sent.append(f"{user.get_username()} by {user.backend}")  # type: ignore[attr-defined]

    def failed(credentials: dict[str, Any], **_: object) -> None:
        sent.append(f"failed {sorted(credentials)}")

    user_logged_in.connect(signed_in)
    user_login_failed.connect(failed)
    yield sent
    user_logged_in.disconnect(signed_in)
    user_login_failed.disconnect(failed)


def test_a_login_signs_in_the_user_with_the_address(visitor: Visitor) -> None:
    User.objects.create_user("alice", "Alice@Example.com")
    done = visitor.log_in(next_page="/members/")
    assert (done.status_code, done["Location"]) == (303, "/members/")
    assert visitor.user == "alice"


def test_a_login_without_next_leads_to_the_login_redirect_url(visitor: Visitor) -> None:
    assert visitor.log_in()["Location"] == "/accounts/profile/"
    with override_settings(LOGIN_REDIRECT_URL="members"):
        assert visitor.log_in()["Location"] == "/members/"


def test_next_never_leads_off_the_site(visitor: Visitor) -> None:
    done = visitor.log_in(next_page="https://evil.example/")
    assert done["Location"] == "/accounts/profile/"


def test_a_member_page_leads_through_the_login_page_and_back(visitor: Visitor) -> None:
    asked = visitor.get("/members/")
    assert asked["Location"] == "/accounts/login/?next=/members/"
    page = visitor.get(asked["Location"]).content.decode()
    assert 'action="/accounts/login/"' in page
    assert 'name="next" value="/members/"' in page
    assert 'name="csrfmiddlewaretoken"' in page


def test_the_backend_is_recorded_and_the_signal_is_sent(
    visitor: Visitor, signals: list[str]
) -> None:
    visitor.log_in()
    assert signals == ["alice@example.com by portier_client.django.backends.PortierBackend"]
    (session,) = Session.objects.all()
    path = "portier_client.django.backends.PortierBackend"
    assert session.get_decoded()["_auth_user_backend"] == path


def test_the_session_gets_a_new_key_and_the_old_one_is_invalid(visitor: Visitor) -> None:
    visitor.log_in()
    before = visitor.client.cookies["sessionid"].value
    visitor.log_in("bob@example.com")
    after = visitor.client.cookies["sessionid"].value
    assert before != after
    visitor.client.cookies["sessionid"] = before
    assert visitor.user is None


def test_what_a_visitor_did_before_is_kept(visitor: Visitor) -> None:
    visitor.get("/basket/")
    before = visitor.client.cookies["sessionid"].value
    visitor.log_in()
    assert visitor.client.cookies["sessionid"].value != before
    assert visitor.get("/basket/").content == b"2"


def test_a_reload_leads_to_the_same_page_without_another_login(
    visitor: Visitor, signals: list[str]
) -> None:
    callback = visitor.start(next_page="/members/")
    assert [visitor.get(callback)["Location"] for _ in range(2)] == ["/members/", "/members/"]
    assert len(signals) == 1


def test_signing_out_is_a_post(visitor: Visitor) -> None:
    visitor.log_in()
    assert visitor.get("/accounts/logout/").status_code == 405
    assert visitor.user is not None
    done = visitor.post("/accounts/logout/", {})
    assert (done.status_code, done["Location"]) == (303, "/accounts/login/")
    assert visitor.user is None
    assert not Session.objects.exists()


def test_signing_out_leads_to_the_logout_redirect_url(visitor: Visitor) -> None:
    with override_settings(LOGOUT_REDIRECT_URL="members"):
        assert visitor.post("/accounts/logout/", {})["Location"] == "/members/"


def test_a_form_of_another_site_signs_nobody_out_and_starts_no_login(visitor: Visitor) -> None:
    visitor.log_in()
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert visitor.post("/accounts/logout/", {}, **elsewhere).status_code == 403
    assert visitor.user is not None
    form = {"email": "alice@example.com"}
    assert visitor.post("/accounts/login/", form, **elsewhere).status_code == 403


@pytest.mark.parametrize("path", ["/accounts/login", "/accounts/logout"])
def test_a_form_without_the_slash_is_not_lost(visitor: Visitor, path: str) -> None:
    assert visitor.post(path, {"email": "alice@example.com"}).status_code == 303


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_the_callback_answers_every_method(visitor: Visitor, method: str) -> None:
    assert visitor.request(method, "/accounts/verify/", b"").status_code == 405


def test_a_script_gets_json(visitor: Visitor) -> None:
    headers = {"Accept": "application/json"}
    started = visitor.post("/accounts/login/", {"email": "alice@example.com"}, **headers)
    assert started.json()["url"].startswith(visitor.broker.origin)
    refused = visitor.post("/accounts/login/", {"email": "alice"}, **headers)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_email")


def test_hooks_get_the_request_and_may_answer(
    visitor: Visitor, set_portier: Callable[..., None]
) -> None:
    def on_login(request: Any, login: Any) -> HttpResponse:
        return HttpResponse(f"{login.email} is {request.user.get_username()}")

    async def on_login_later(request: Any, login: Any) -> HttpResponse:
        return on_login(request, login)

    for hook in (on_login, on_login_later, f"{__name__}.welcome"):
        set_portier(on_login=hook)
        done = visitor.log_in()
        assert done.content == b"alice@example.com is alice@example.com"
        assert "__Host-portier-signed-in" in done.cookies
        assert visitor.user == "alice@example.com"


def welcome(request: Any, login: Any) -> HttpResponse:
    return HttpResponse(f"{login.email} is {request.user.get_username()}")


@pytest.mark.parametrize("does", ["raises", "forbids", "answers with an error"])
def test_a_hook_that_fails_signs_nobody_in(
    visitor: Visitor, set_portier: Callable[..., None], does: str
) -> None:
    def on_login(request: Any, login: Any) -> HttpResponse:
        if does == "raises":
            raise LookupError("the site has failed")
        if does == "forbids":
            raise PermissionDenied
        return HttpResponse("not now", status=503)

    set_portier(on_login=on_login)
    visitor.client.raise_request_exception = False
    done = visitor.log_in()
    assert done.status_code == {"raises": 500, "forbids": 403}.get(does, 503)
    assert "__Host-portier-signed-in" not in done.cookies
    assert visitor.user is None
    assert not [s for s in Session.objects.all() if SESSION_KEY in s.get_decoded()]


def test_pages_of_the_site_replace_those_of_the_flow(
    visitor: Visitor, set_portier: Callable[..., None]
) -> None:
    codes: list[str] = []

    async def show_problem(request: Any, problem: Any) -> str:
        return f"<p>{problem.id}"

    set_portier(show_problem=show_problem, on_login_error=lambda _, error: codes.append(error.code))
    page = visitor.post("/accounts/login/", {"email": "alice"})
    assert (page.status_code, page.content) == (400, b"<p>invalid_email")
    assert codes == ["invalid_email"]
    assert "Content-Security-Policy" not in page.headers


def test_the_question_is_asked_on_another_device(broker: DevBroker, visitor: Visitor) -> None:
    callback = visitor.start()
    phone = type(visitor)(broker)
    probed = phone.get(callback)  # whether this browser keeps cookies
    asked = phone.get(f"/accounts/verify/{probed['Location']}")
    assert asked.status_code == 200
    assert b'data-portier="confirmation"' in asked.content
    assert phone.user is None


def test_the_active_language_chooses_the_language_of_the_pages(visitor: Visitor) -> None:
    middleware = "django.middleware.locale.LocaleMiddleware"
    from django.conf import settings

    with override_settings(MIDDLEWARE=[*settings.MIDDLEWARE, middleware]):
        client = type(visitor)(visitor.broker)
        page = client.post("/accounts/login/", {"email": "a"}, **{"Accept-Language": "pt-BR"})
        assert '<html lang="pt' in page.content.decode()
        client.client.cookies["django_language"] = "de"
        page = client.post("/accounts/login/", {"email": "a"}, **{"Accept-Language": "pt-BR"})
        assert '<html lang="de' in page.content.decode()


def test_without_a_locale_middleware_pages_have_the_language_of_the_site(visitor: Visitor) -> None:
    with override_settings(LANGUAGE_CODE="fr"):
        page = visitor.post("/accounts/login/", {"email": "a"}, **{"Accept-Language": "de"})
    assert '<html lang="fr' in page.content.decode()
