"""The app beside other parts of Django, and of sites."""

from __future__ import annotations

import gzip
import io
import json
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode

import django
import pytest
from django.conf import settings
from django.core.exceptions import BadRequest
from django.db import connections
from django.http import HttpResponseRedirect
from django.template import RequestContext, Template
from django.test import override_settings
from django.urls import set_script_prefix
from django.views.debug import SafeExceptionReporterFilter

from portier_client.django._http import web_request
from portier_client.django.checks import check_settings

from .conftest import FORM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.http import HttpRequest, HttpResponse

    from .conftest import Visitor


def enforcing(visitor: Visitor) -> Visitor:
    """Has Django's CSRF protection check what the visitor posts."""
    visitor.client.handler.enforce_csrf_checks = True
    return visitor


def test_the_login_form_needs_the_token_of_django(visitor: Visitor) -> None:
    enforcing(visitor)
    form = {"email": "alice@example.com"}
    here = {"Origin": "https://testserver"}
    assert visitor.post("/accounts/login/", form, **here).status_code == 403
    visitor.get("/accounts/login/")
    form["csrfmiddlewaretoken"] = visitor.client.cookies["csrftoken"].value
    assert visitor.post("/accounts/login/", form, **here).status_code == 303


def test_the_callback_needs_no_token(visitor: Visitor, set_portier: Callable[..., None]) -> None:
    set_portier(flow="implicit")
    url = visitor.post("/accounts/login/", {"email": "alice@example.com"})["Location"]
    fields = visitor.broker.sign_in(url)
    enforcing(visitor)
    # A browser posts from the broker's site without cookies, and again with them.
    stranger = enforcing(type(visitor)(visitor.broker))
    asked = stranger.post("/accounts/verify/", fields, Origin="null")
    assert b'data-portier="post"' in asked.content
    done = visitor.post("/accounts/verify/", {**fields, "portier_again": "1"})
    assert done.status_code == 303
    assert visitor.user == "alice@example.com"


def test_a_checked_token_vouches_for_a_form_without_an_origin(visitor: Visitor) -> None:
    visitor.get("/accounts/login/")
    token = visitor.client.cookies["csrftoken"].value
    form = {"email": "alice@example.com", "csrfmiddlewaretoken": token}
    remember = "tests.django.test_companions.Remember"
    with override_settings(MIDDLEWARE=[remember, *settings.MIDDLEWARE]):
        Remember.seen.clear()
        client = type(visitor)(visitor.broker)
        client.client.cookies = visitor.client.cookies
        client.post("/accounts/login/", form)
        enforcing(client).post("/accounts/login/", form, Origin="https://testserver")
    assert Remember.seen == [False, True]


class Remember:
    """Remembers whether Django has checked the token of the form."""

    sync_capable = True
    async_capable = False
    seen: ClassVar[list[bool]] = []

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        from portier_client.django._http import _is_form_token_checked

        response = self._get_response(request)
        self.seen.append(_is_form_token_checked(request))
        return response


@pytest.mark.skipif(django.VERSION < (5, 1), reason="the middleware came with Django 5.1")
def test_the_views_need_no_login_themselves(visitor: Visitor) -> None:
    with override_settings(MIDDLEWARE=[*settings.MIDDLEWARE, REQUIRED]):
        client = type(visitor)(visitor.broker)
        assert client.get("/whoami/")["Location"] == "/accounts/login/?next=/whoami/"
        assert client.get("/accounts/login/").status_code == 200
        assert client.get("/admin/login/").status_code == 200
        assert client.log_in(next_page="/whoami/")["Location"] == "/whoami/"
        assert client.post("/accounts/logout/", {}).status_code == 303


SCRIPTS = "portier_client.django.middleware.ScriptLoginMiddleware"
REQUIRED = "django.contrib.auth.middleware.LoginRequiredMiddleware"


@pytest.mark.parametrize(
    ("page", "more"),
    [
        ("/members/", [SCRIPTS]),
        ("/whoami/", [SCRIPTS, REQUIRED]),
        ("/whoami/", [REQUIRED, SCRIPTS]),
    ],
)
def test_a_script_gets_a_problem_in_place_of_the_login_page(
    visitor: Visitor, page: str, more: list[str]
) -> None:
    if REQUIRED in more and django.VERSION < (5, 1):
        pytest.skip("the middleware came with Django 5.1")
    with override_settings(MIDDLEWARE=[*settings.MIDDLEWARE, *more]):
        client = type(visitor)(visitor.broker)
        for headers in ({"Sec-Fetch-Mode": "cors"}, {"Accept": "application/json"}):
            told = client.get(page, **headers)
            assert (told.status_code, told["Content-Type"]) == (401, "application/problem+json")
            problem = json.loads(told.content)
            assert problem["type"] == "urn:portier-client:problem:not_signed_in"
            assert problem["url"] == "/accounts/login/"
        assert client.get(page)["Location"] == f"/accounts/login/?next={page}"
        client.log_in()
        assert client.get(page, **{"Sec-Fetch-Mode": "cors"}).status_code == 200


@pytest.mark.parametrize(
    "where", ["/elsewhere/?next=/members/", "/accounts/login/", "http://[/?next=/members/"]
)
def test_another_redirect_is_not_a_problem_for_a_script(visitor: Visitor, where: str) -> None:
    leading = "tests.django.test_companions.Leading"
    Leading.where = where
    with override_settings(MIDDLEWARE=[*settings.MIDDLEWARE, SCRIPTS, leading]):
        client = type(visitor)(visitor.broker)
        answer = client.get("/members/", **{"Sec-Fetch-Mode": "cors"})
    assert (answer.status_code, answer["Location"]) == (302, where)


def test_the_problem_has_the_cookies_of_the_redirect(visitor: Visitor) -> None:
    leading = "tests.django.test_companions.Leading"
    Leading.where = "/accounts/login/?next=/members/"
    with override_settings(MIDDLEWARE=[*settings.MIDDLEWARE, SCRIPTS, leading]):
        client = type(visitor)(visitor.broker)
        answer = client.get("/members/", **{"Sec-Fetch-Mode": "cors"})
    assert (answer.status_code, answer.cookies["seen"].value) == (401, "yes")


class Leading:
    """Redirects every request."""

    sync_capable = True
    async_capable = False
    where = "/"

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = HttpResponseRedirect("/")
        response["Location"] = self.where
        response.set_cookie("seen", "yes")
        return response


def test_a_login_works_beside_whitenoise_and_gzip(visitor: Visitor, tmp_path: Any) -> None:
    security, *rest = settings.MIDDLEWARE
    middleware = [
        security,
        "whitenoise.middleware.WhiteNoiseMiddleware",
        "django.middleware.gzip.GZipMiddleware",
        *rest,
    ]
    (tmp_path / "site.css").write_text("body { color: black }", encoding="utf-8")
    with override_settings(MIDDLEWARE=middleware, STATIC_ROOT=str(tmp_path), STATIC_URL="/static/"):
        client = type(visitor)(visitor.broker)
        assert client.log_in().status_code == 303
        assert client.user == "alice@example.com"
        style = client.get("/static/site.css")
        assert (style.status_code, b"".join(style)) == (200, b"body { color: black }")
        page = client.get("/accounts/login/", **{"Accept-Encoding": "gzip"})
        assert page["Content-Encoding"] == "gzip"
        assert b'name="email"' in gzip.decompress(page.content)


@pytest.fixture
def prefix() -> Iterator[None]:
    """Everything below ``/app``, which a proxy takes off."""
    with override_settings(
        FORCE_SCRIPT_NAME="/app",
        PORTIER={**settings.PORTIER, "redirect_uri": "https://testserver/app/accounts/verify/"},
        LOGIN_URL="portier:login",
        LOGIN_REDIRECT_URL="members",
    ):
        set_script_prefix("/app/")
        yield
    set_script_prefix("/")


@pytest.mark.usefixtures("prefix")
def test_a_login_works_below_a_prefix_that_a_proxy_takes_off(visitor: Visitor) -> None:
    assert check_settings() == []
    page = visitor.get("/accounts/login/").content.decode()
    assert 'action="/app/accounts/login/"' in page
    done = visitor.log_in()
    assert (done.status_code, done["Location"]) == (303, "/app/members/")
    assert visitor.get("/members/").status_code == 200
    refused = visitor.post("/accounts/login/", {"email": "a"})
    assert 'href="/app/accounts/login/"' in refused.content.decode()


def test_a_login_works_with_atomic_requests(visitor: Visitor, monkeypatch: Any) -> None:
    monkeypatch.setitem(connections["default"].settings_dict, "ATOMIC_REQUESTS", True)
    assert visitor.log_in().status_code == 303
    assert visitor.user == "alice@example.com"


def test_a_form_that_a_middleware_has_read_already_works(visitor: Visitor) -> None:
    reading = "tests.django.test_companions.Reading"
    with override_settings(MIDDLEWARE=[reading, *settings.MIDDLEWARE]):
        client = type(visitor)(visitor.broker)
        assert client.log_in().status_code == 303


class Reading:
    """Reads every form."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        assert request.POST is not None
        return self._get_response(request)


@pytest.mark.parametrize("length", [70_000, 3_000_000])
def test_a_form_is_limited(visitor: Visitor, length: int) -> None:
    body = b"error=" + b"a" * length
    answer = visitor.request("POST", "/accounts/verify/", body)
    assert answer.status_code == 413


def test_a_form_that_does_not_arrive_completely_is_a_bad_request(rf: Any) -> None:
    class Broken(io.BytesIO):
        def read(self, *_: object) -> bytes:
            raise OSError("the client went away")

    request = rf.post("/accounts/verify/", b"state=x", content_type=FORM)
    request._stream = Broken()
    with pytest.raises(BadRequest):
        web_request(request)


def test_error_reports_leave_out_the_fields_of_forms(
    visitor: Visitor, set_portier: Callable[..., None]
) -> None:
    reported: list[dict[str, str]] = []

    def on_login(request: HttpRequest, login: object) -> None:
        reported.append(SafeExceptionReporterFilter().get_post_parameters(request))

    set_portier(flow="implicit", on_login=on_login)
    url = visitor.post("/accounts/login/", {"email": "alice@example.com"})["Location"]
    fields = visitor.broker.sign_in(url)
    assert visitor.post("/accounts/verify/", fields).status_code == 303
    assert [set(values.values()) for values in reported] == [{"*" * 20}]


def test_a_form_of_another_kind_is_refused(visitor: Visitor) -> None:
    answer = visitor.request("POST", "/accounts/login/", b"{}", kind="text/plain")
    assert answer.status_code == 415


def test_a_site_with_a_form_of_its_own_starts_logins(visitor: Visitor) -> None:
    started = visitor.post("/start/", {"address": "alice@example.com"})
    assert started.status_code == 303
    fields = visitor.broker.sign_in(started["Location"])
    done = visitor.get(f"/accounts/verify/?{urlencode(fields)}")
    assert done["Location"] == "/members/"


@pytest.mark.parametrize(
    ("tag", "query", "expected"),
    [
        ("{% portier_form %}", "", None),
        ("{% portier_form %}", "?next=/a/", "/a/"),
        ('{% portier_form next="/b/" %}', "?next=/a/", "/b/"),
        ('{% url "members" as page %}{% portier_form next=page %}', "", "/members/"),
        ('{% with next="/c/" %}{% portier_form %}{% endwith %}', "?next=/a/", "/c/"),
        ("{% portier_form %}", '?next="><script>', "&quot;&gt;&lt;script&gt;"),
    ],
)
def test_the_tag_shows_the_form(rf: Any, tag: str, query: str, expected: str | None) -> None:
    request = rf.get(f"/{query}")
    page = Template("{% load portier %}" + tag).render(RequestContext(request, {}))
    assert 'method="post" action="/accounts/login/"' in page
    assert 'name="csrfmiddlewaretoken"' in page
    if expected is None:
        assert 'name="next"' not in page
    else:
        assert f'name="next" value="{expected}"' in page


def test_the_form_is_in_the_language_of_the_site(rf: Any) -> None:
    from django.utils import translation

    with translation.override("de"):
        page = Template("{% load portier %}{% portier_form %}").render(
            RequestContext(rf.get("/"), {})
        )
    assert "E-Mail-Adresse" in page


@pytest.fixture
def rf() -> Any:
    """Makes requests."""
    from django.test import RequestFactory

    return RequestFactory()


def test_sessions_of_a_login_open_apis(visitor: Visitor) -> None:
    """Those of Django REST framework and of Django Ninja."""
    with override_settings(ROOT_URLCONF="tests.django.apis"):
        anonymous = {path: visitor.get(path).status_code for path in ("/rest/", "/ninja/me")}
        assert anonymous == {"/rest/": 403, "/ninja/me": 401}
        visitor.log_in()
        for path in anonymous:
            assert visitor.get(path).json() == {"email": "alice@example.com"}
