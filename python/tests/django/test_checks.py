"""The system checks, and ``manage.py portier_check``."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from io import StringIO
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.urls import include, path, reverse_lazy, set_script_prefix

from portier_client.django.checks import check_deployment, check_settings

from .conftest import REDIRECT_URI
from .test_companions import REQUIRED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from portier_client.testing import DevBroker


def ids() -> list[str]:
    return [str(message.id).removeprefix("portier_client.") for message in check_settings()]


def test_the_site_of_the_tests_has_no_fault() -> None:
    assert check_settings() == []


@pytest.mark.parametrize("portier", [{}, {"broker": "https://broker.example"}])
def test_a_redirect_uri_is_required(portier: dict[str, Any]) -> None:
    with override_settings(PORTIER=portier):
        (message,) = check_settings()
    assert message.id == "portier_client.E001"
    assert "https://example.com/accounts/verify/" in str(message.hint)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"redirect_uri": "example.com"}, "redirect"),
        ({"brooker": "https://broker.example"}, "name=brooker"),
        ({"secret": "x"}, "secret"),
        ({"callback_path": "/verify"}, "name=callback_path"),
        ({"languages": ["tlh"]}, "language"),
        ({"languages": "de"}, "languages must be"),
        ({"on_login": "no.such.module"}, "name=on_login path=no.such.module"),
        ({"on_user": 5}, "on_user must be a function, not int"),
        ({"create_users": "no"}, "create_users must be bool, not str"),
        ({"store": "nonsense:"}, "store"),
    ],
)
def test_an_invalid_option_is_found(
    set_portier: Callable[..., None], options: dict[str, Any], says: str
) -> None:
    set_portier(**options)
    (message,) = check_settings()
    assert message.id == "portier_client.E002"
    assert says in message.msg


@pytest.mark.parametrize(
    "uri",
    [
        f"{REDIRECT_URI}x",
        "https://testserver/",
        "https://testserver/verify",
        "https://testserver/accounts/login/",
    ],
)
def test_a_redirect_uri_that_does_not_lead_to_the_callback_is_found(
    set_portier: Callable[..., None], uri: str
) -> None:
    set_portier(redirect_uri=uri)
    (message,) = check_settings()
    assert message.id == "portier_client.E003"


def test_the_redirect_uri_may_lack_the_slash(set_portier: Callable[..., None]) -> None:
    set_portier(redirect_uri=REDIRECT_URI.removesuffix("/"))
    assert ids() == []


@pytest.mark.parametrize("prefix", ["/app", "/a/b%20c"])
def test_a_prefix_that_django_does_not_know_is_found(
    set_portier: Callable[..., None], prefix: str
) -> None:
    uri = f"https://testserver{prefix}/accounts/verify/"
    set_portier(redirect_uri=uri, login_url="portier:login", default_next="members")
    (message,) = check_settings()
    assert message.id == "portier_client.W009"
    assert f'FORCE_SCRIPT_NAME = "{unquote(prefix)}"' in str(message.hint)


def test_a_redirect_uri_below_another_prefix_is_found(set_portier: Callable[..., None]) -> None:
    set_portier(redirect_uri="https://testserver/app/accounts/verify/")
    with below("/other"):
        (message,) = check_settings()
    assert message.id == "portier_client.E003"


@pytest.mark.parametrize(
    ("login_url", "default_next", "found"),
    [
        ("portier:login", "members", []),
        (reverse_lazy("portier:login"), reverse_lazy("members"), []),
        ("/app/accounts/login/", "/app/members/", []),
        # The defaults of Django: there is a login page, but no profile.
        ("/accounts/login/", "/accounts/profile/", ["LOGIN_URL"]),
        ("portier:login", "/members/", ["LOGIN_REDIRECT_URL"]),
        ("/accounts/login/", "/members/", ["LOGIN_URL", "LOGIN_REDIRECT_URL"]),
        ("https://example.com/accounts/login/", "https://example.com/members/", []),
    ],
)
def test_a_page_without_the_prefix_of_the_site_is_found(
    set_portier: Callable[..., None], login_url: str, default_next: str, found: list[str]
) -> None:
    set_portier(redirect_uri="https://testserver/app/accounts/verify/")
    urls = {"LOGIN_URL": login_url, "LOGIN_REDIRECT_URL": default_next}
    with below("/app"), override_settings(**urls):
        messages = [message for message in check_settings() if message.id != "portier_client.W002"]
    assert [message.msg.split()[0] for message in messages] == found
    assert {message.id for message in messages} <= {"portier_client.W010"}
    # The server may pass the prefix with each request.
    with override_settings(**urls):
        unknown, *messages = [
            message for message in check_settings() if message.id != "portier_client.W002"
        ]
    assert unknown.id == "portier_client.W009"
    assert [message.msg.split()[0] for message in messages] == found


def test_signing_out_may_not_lead_out_of_the_prefix(set_portier: Callable[..., None]) -> None:
    set_portier(
        redirect_uri="https://testserver/app/accounts/verify/",
        login_url="portier:login",
        default_next="members",
    )
    for page, found in {"/members/": ["W010"], "members": [], "https://example.com/": []}.items():
        with below("/app"), override_settings(LOGOUT_REDIRECT_URL=page):
            assert ids() == found


@pytest.mark.parametrize(
    ("login_url", "found"),
    [
        ("portier:login", []),
        ("admin:login", []),
        ("members", ["W011"]),
        # The page of another site.
        ("https://id.example.com/members/", []),
    ],
)
def test_a_login_page_that_the_middleware_guards_is_found(
    set_portier: Callable[..., None], login_url: str, found: list[str]
) -> None:
    set_portier(login_url=login_url)
    assert ids() == []
    with override_settings(MIDDLEWARE=[*settings.MIDDLEWARE, REQUIRED]):
        assert ids() == found


@contextmanager
def below(prefix: str) -> Iterator[None]:
    """What Django does with ``FORCE_SCRIPT_NAME`` when it starts."""
    set_script_prefix(f"{prefix}/")
    try:
        with override_settings(FORCE_SCRIPT_NAME=prefix):
            yield
    finally:
        set_script_prefix("/")


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_callback_may_be_below_a_language(
    set_portier: Callable[..., None], language: str
) -> None:
    class Urls:
        urlpatterns = i18n_patterns(
            path("accounts/", include("portier_client.django.urls")), prefix_default_language=False
        )

    prefix = "" if language == "en" else f"/{language}"
    set_portier(redirect_uri=f"https://testserver{prefix}/accounts/verify/")
    with override_settings(ROOT_URLCONF=Urls, LANGUAGE_CODE="en", LOGIN_URL="portier:login"):
        assert ids() == []


def test_the_backend_is_required() -> None:
    with override_settings(AUTHENTICATION_BACKENDS=["django.contrib.auth.backends.ModelBackend"]):
        assert ids() == ["E004"]


def test_sessions_are_required() -> None:
    with override_settings(MIDDLEWARE=[]):
        assert ids() == ["E005", "E005"]


def test_a_user_model_without_an_email_field_needs_a_hook(
    monkeypatch: pytest.MonkeyPatch, set_portier: Callable[..., None]
) -> None:
    monkeypatch.setattr(User, "EMAIL_FIELD", "mail", raising=False)
    assert ids() == ["E006"]
    set_portier(on_user=lambda request, login: None)
    assert ids() == []


def test_a_user_model_with_more_required_fields_needs_a_hook(
    monkeypatch: pytest.MonkeyPatch, set_portier: Callable[..., None]
) -> None:
    monkeypatch.setattr(User, "REQUIRED_FIELDS", ["email", "first_name"])
    assert ids() == ["W001"]
    set_portier(create_users=False)
    assert ids() == []


def test_the_login_page_must_exist() -> None:
    for url in ("portier:login", "/accounts/login/?a=b", "https://id.example.com/login"):
        with override_settings(LOGIN_URL=url):
            assert ids() == []
    with override_settings(LOGIN_URL="/no/such/page/"):
        assert ids() == ["W002"]
    with override_settings(LOGIN_URL="no_such_name"):
        assert ids() == ["E007"]
    for name in ("LOGIN_REDIRECT_URL", "LOGOUT_REDIRECT_URL"):
        with override_settings(**{name: "no_such_name"}):
            assert ids() == ["E007"]


def test_the_host_must_be_allowed() -> None:
    with override_settings(ALLOWED_HOSTS=["example.com"]):
        assert ids() == ["W003"]


def test_cookies_must_arrive_after_a_login() -> None:
    with override_settings(SESSION_COOKIE_SAMESITE="Strict"):
        assert ids() == ["W004"]
    with override_settings(SESSION_COOKIE_SECURE=False):
        assert ids() == ["W005"]


@pytest.mark.parametrize(
    "policy",
    [
        {"SECURE_CSP": {"form-action": ["'self'"]}},
        {"CONTENT_SECURITY_POLICY": {"DIRECTIVES": {"form-action": ["'self'"]}}},
        {"CSP_FORM_ACTION": ("'self'",)},
    ],
)
def test_a_policy_must_let_the_form_lead_to_the_broker(
    policy: dict[str, Any], broker: DevBroker
) -> None:
    with override_settings(**policy):
        (message,) = check_settings()
    assert message.id == "portier_client.W006"
    assert broker.origin in message.msg


def test_a_policy_that_lets_the_form_lead_to_the_broker_is_fine(broker: DevBroker) -> None:
    sources = ["'self'", broker.origin, "https://accounts.google.com"]
    with override_settings(SECURE_CSP={"form-action": sources}):
        assert ids() == []


def test_a_deployment_needs_https_and_a_store(
    set_portier: Callable[..., None], tmp_path: Path
) -> None:
    assert check_deployment() == []
    set_portier(store="memory:")
    assert [message.id for message in check_deployment()] == ["portier_client.W008"]
    store = f"sqlite:///{tmp_path}/logins.db"
    set_portier(redirect_uri="http://testserver/accounts/verify/", store=store)
    assert [message.id for message in check_deployment()] == ["portier_client.W007"]


def test_the_command_says_what_works(broker: DevBroker) -> None:
    out = StringIO()
    call_command("portier_check", stdout=out)
    text = out.getvalue()
    assert f"redirect URI: {REDIRECT_URI}" in text
    assert f"broker:       {broker.origin}" in text
    assert "Logins can work." in text


def test_the_command_fails_for_invalid_settings(set_portier: Callable[..., None]) -> None:
    set_portier(languages=["tlh"])
    with pytest.raises(CommandError, match="cannot work"):
        call_command("portier_check", stdout=StringIO())


def test_the_command_fails_if_the_broker_cannot_be_reached(
    set_portier: Callable[..., None],
) -> None:
    set_portier(broker="http://127.0.0.1:9")
    with pytest.raises(CommandError, match="the broker cannot be used"):
        call_command("portier_check", stdout=StringIO())


@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
def test_a_server_does_not_start_with_invalid_settings(kind: str) -> None:
    program = f"""
from django.conf import settings
settings.configure(
    SECRET_KEY="x",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "portier_client.django"],
    PORTIER={{"redirect_uri": "https://example.com/verify/", "languages": ["tlh"]}},
)
from django.core.{kind} import get_{kind}_application
get_{kind}_application()
"""
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert run.returncode == 1
    assert "ConfigError" in run.stderr.splitlines()[-1]
