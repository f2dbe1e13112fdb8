"""A Django site with the app, and visitors of it, under WSGI and under ASGI."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import django
import pytest
from asgiref.sync import async_to_sync
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.test import AsyncClient, Client, override_settings

from portier_client.testing import DevBroker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FORM = "application/x-www-form-urlencoded"
HOST = "testserver"
REDIRECT_URI = f"https://{HOST}/accounts/verify/"

_FOLDER = tempfile.TemporaryDirectory(prefix="portier-django-", ignore_cleanup_errors=True)

settings.configure(
    SECRET_KEY="a key of the tests, which is long enough to be one",
    ALLOWED_HOSTS=[HOST],
    ROOT_URLCONF="tests.django.urls",
    INSTALLED_APPS=[
        "portier_client.django.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "django.contrib.staticfiles",
        "portier_client.django",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    AUTHENTICATION_BACKENDS=[
        "portier_client.django.backends.PortierBackend",
        "django.contrib.auth.backends.ModelBackend",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(Path(_FOLDER.name) / "db.sqlite3"),
            "OPTIONS": {"timeout": 20},
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    SESSION_COOKIE_SECURE=True,
    CSRF_COOKIE_SECURE=True,
    STATIC_URL="/static/",
    USE_TZ=True,
    PORTIER={"redirect_uri": REDIRECT_URI},
)
django.setup()


@pytest.fixture(scope="session")
def broker() -> Iterator[DevBroker]:
    """A development broker that signs everybody in."""
    with DevBroker(mode="accept") as broker:
        yield broker


@pytest.fixture(scope="session")
def database() -> Iterator[None]:
    """The tables of the apps."""
    call_command("migrate", verbosity=0)
    yield
    connections.close_all()


@pytest.fixture
def portier(broker: DevBroker) -> dict[str, Any]:
    """The setting ``PORTIER`` of most tests."""
    return {"redirect_uri": REDIRECT_URI, "broker": broker.origin}


@pytest.fixture(autouse=True)
def site(database: None, portier: dict[str, Any]) -> Iterator[None]:
    """The site, with no users."""
    from django.contrib.auth.models import User
    from django.contrib.sessions.models import Session

    with override_settings(PORTIER=portier):
        yield
    User.objects.all().delete()
    Session.objects.all().delete()


@pytest.fixture
def set_portier(portier: dict[str, Any]) -> Iterator[Callable[..., None]]:
    """Changes the setting ``PORTIER``."""
    with ExitStack() as stack:

        def change(**options: object) -> None:
            stack.enter_context(override_settings(PORTIER={**portier, **options}))

        yield change


class Visitor:
    """A browser at the site, which runs under WSGI."""

    def __init__(self, broker: DevBroker) -> None:
        self.broker = broker
        self.client: Any = Client()

    def get(self, path: str, **headers: str) -> Any:
        """Opens a page."""
        return self.request("GET", path, b"", **headers)

    def post(self, path: str, fields: dict[str, str], **headers: str) -> Any:
        """Posts a form from a page of the site."""
        headers = {"Sec-Fetch-Site": "same-origin", **headers}
        return self.request("POST", path, urlencode(fields).encode(), **headers)

    def request(self, method: str, path: str, body: bytes, kind: str = FORM, **headers: str) -> Any:
        """Sends a request."""
        return self.client.generic(method, path, body, kind, secure=True, headers=headers)

    def start(self, email: str = "alice@example.com", next_page: str = "") -> str:
        """Posts the login form; returns where the browser comes back to."""
        started = self.post("/accounts/login/", {"email": email, "next": next_page})
        assert started.status_code == 303, started.content
        return f"/accounts/verify/?{urlencode(self.broker.sign_in(started['Location']))}"

    def log_in(self, email: str = "alice@example.com", next_page: str = "") -> Any:
        """Logs in."""
        return self.get(self.start(email, next_page))

    @property
    def user(self) -> str | None:
        """The name of the user who is signed in."""
        text: str = self.get("/whoami/").content.decode()
        return text or None


class AsyncVisitor(Visitor):
    """A browser at the site, which runs under ASGI."""

    def __init__(self, broker: DevBroker) -> None:
        super().__init__(broker)
        self.client = AsyncClient()

    def request(self, method: str, path: str, body: bytes, kind: str = FORM, **headers: str) -> Any:
        """Sends a request."""
        return async_to_sync(self.arequest)(method, path, body, kind, **headers)

    async def arequest(
        self, method: str, path: str, body: bytes, kind: str = FORM, **headers: str
    ) -> Any:
        """Sends a request."""
        return await self.client.generic(method, path, body, kind, secure=True, headers=headers)


KINDS = {"wsgi": Visitor, "asgi": AsyncVisitor}


@pytest.fixture(params=KINDS)
def visitor(request: pytest.FixtureRequest, broker: DevBroker) -> Visitor:
    """A browser at the site, which runs under WSGI or ASGI."""
    return KINDS[request.param](broker)
