"""A site on Django, for the cases of all integrations. Its server is of WSGI or of ASGI."""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import django
from django.conf import settings
from django.core.management import call_command
from django.http import Http404, HttpResponse
from django.test import override_settings
from django.urls import re_path
from django.urls.resolvers import RegexPattern
from django.utils import translation

from portier_client import blocking
from portier_client.django import astart_login, conf, start_login
from portier_client.web import LoginFlow

if TYPE_CHECKING:
    from collections.abc import Callable

    from control import Control
    from django.http import HttpRequest, HttpResponseBase

_FOLDER = Path(tempfile.mkdtemp(prefix="portier-django-"))
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)

settings.configure(
    SECRET_KEY="a key of the tests, which is long enough to be one",
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "django.contrib.staticfiles",
        "portier_client.django",
    ],
    MIDDLEWARE=[
        "django_case.Companion",
        "django.middleware.security.SecurityMiddleware",
        "whitenoise.middleware.WhiteNoiseMiddleware",
        "django.middleware.gzip.GZipMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    AUTHENTICATION_BACKENDS=["portier_client.django.backends.PortierBackend"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(_FOLDER / "db.sqlite3"),
            "OPTIONS": {"timeout": 20},
        }
    },
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    SESSION_COOKIE_SECURE=True,
    CSRF_COOKIE_SECURE=True,
    STATIC_URL="/static/",
    STATIC_ROOT=str(_FOLDER),
    LOGIN_REDIRECT_URL="/",
    LOGIN_URL="/",
    USE_TZ=True,
    LOGGING_CONFIG=None,
)
django.setup()
call_command("migrate", verbosity=0)

_stack = ExitStack()


class Companion:
    """A middleware: the forms of the cases have no token, and each response may set a cookie.

    Django's active language would choose that of the pages.
    """

    sync_capable = True
    async_capable = False
    sets_cookies = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
        translation.deactivate_all()
        response = self._get_response(request)
        # The cases list all cookies.
        for name in ("sessionid", "csrftoken"):
            response.cookies.pop(name, None)
        if self.sets_cookies:
            response.set_cookie("seen", "1")
        return response


def make_app(control: Control, get_application: Callable[[], Any]) -> Any:
    """Makes the application with the options of the case."""
    client = control.made.client
    options = dict(control.made.flow_options)
    # The site sets its routes itself; here an invalid path must show at once.
    flow_kind = blocking.LoginFlow if isinstance(client, blocking.Client) else LoginFlow
    flow_kind(client, **options)
    url = urlsplit(client.redirect_uri).path
    callback = unquote(options.pop("callback_path", url))
    options.setdefault("languages", ["en"])
    _stack.close()
    _stack.enter_context(
        override_settings(
            PORTIER={"client": client, **control.hooks(_respond), **options},
            ROOT_URLCONF=_urls(control, callback),
        )
    )
    Companion.sets_cookies = control.sets_cookies
    conf.site().check()
    conf.site().flow()
    return get_application()


def _urls(control: Control, callback: str) -> ModuleType:
    from portier_client.django import views
    from portier_client.django.urls import EitherPattern

    def start(request: HttpRequest) -> HttpResponseBase:
        return start_login(request, *control.start)

    async def astart(request: HttpRequest) -> HttpResponseBase:
        return await astart_login(request, *control.start)

    def missing(request: HttpRequest) -> HttpResponse:
        raise Http404

    routes = {
        "/login": (views.login, views.alogin),
        "/logout": (views.logout, views.alogout),
        "/healthz": (views.health, views.ahealth),
        "/start": (start, astart),
        callback: (views.verify, views.averify),
    }
    for view in (start, astart, missing):
        view.login_required = False  # type: ignore[attr-defined]
    urls = ModuleType("urls_of_the_case")
    urls.urlpatterns = [  # type: ignore[attr-defined]
        *(_pattern(EitherPattern, path, *views) for path, views in routes.items()),
        re_path("", missing),
    ]
    return urls


def _pattern(kind: type[Any], path: str, *views: Any) -> Any:
    pattern = kind("", *views, None)
    pattern.pattern = RegexPattern(f"^{re.escape(path.removeprefix('/'))}$", is_endpoint=True)
    return pattern


def _respond(status: int, text: str, headers: list[tuple[str, str]]) -> HttpResponse:
    response = HttpResponse(text, status=status)
    for name, value in headers:
        if name == "set-cookie":
            response.cookies.load(value)
        else:
            response[name] = value
    return response
