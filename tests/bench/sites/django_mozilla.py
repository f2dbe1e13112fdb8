"""The login of the Django example, written with mozilla-django-oidc as its manual says.

The package takes the address from `userinfo`, which Portier has not: here, from the token.
"""

from __future__ import annotations

import json
import tempfile
from typing import Any

import django
from django.conf import settings
from shared import BROKER, DISCOVERY, FORM, ORIGIN, PORT, SECRET, get_text, serve_wsgi

DOCUMENT = json.loads(get_text(DISCOVERY))


def signing_key() -> Any:
    """The current key, which the package would otherwise fetch for each login."""
    import jwt

    keys = json.loads(get_text(DOCUMENT["jwks_uri"]))["keys"]
    return next(jwt.PyJWK(key) for key in keys if key["kty"] == "RSA")


def configure(database: str) -> None:
    settings.configure(
        SECRET_KEY=SECRET,
        ALLOWED_HOSTS=["localhost"],
        ROOT_URLCONF=__name__,
        LOGIN_REDIRECT_URL="/",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "mozilla_django_oidc",
        ],
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        AUTHENTICATION_BACKENDS=[f"{__name__}.Backend"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": database,
                "OPTIONS": {"timeout": 20},
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        OIDC_RP_CLIENT_ID=ORIGIN,
        OIDC_RP_CLIENT_SECRET="unused",
        OIDC_RP_SIGN_ALGO="RS256",
        OIDC_RP_IDP_SIGN_KEY=signing_key(),
        OIDC_OP_AUTHORIZATION_ENDPOINT=DOCUMENT["authorization_endpoint"],
        OIDC_OP_TOKEN_ENDPOINT=DOCUMENT["token_endpoint"],
        OIDC_OP_USER_ENDPOINT=f"{BROKER}/userinfo",
    )
    django.setup()


if __name__ == "__main__":
    folder = tempfile.TemporaryDirectory()
    configure(f"{folder.name}/db.sqlite3")

    # Models can be imported from here on.
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpRequest, HttpResponse
    from django.urls import path
    from mozilla_django_oidc.auth import OIDCAuthenticationBackend
    from mozilla_django_oidc.views import (
        OIDCAuthenticationCallbackView,
        OIDCAuthenticationRequestView,
    )

    class Backend(OIDCAuthenticationBackend):
        def get_userinfo(self, access_token: str, id_token: str, payload: Any) -> Any:
            return payload

    class Start(OIDCAuthenticationRequestView):
        def get_extra_params(self, request: HttpRequest) -> dict[str, str]:
            return {"login_hint": request.GET["email"]}

    def index(request: HttpRequest) -> HttpResponse:
        return HttpResponse(getattr(request.user, "email", ""))

    def form(_: HttpRequest) -> HttpResponse:
        return HttpResponse(FORM.format(""))

    urlpatterns = [
        path("", index),
        path("login", form),
        path("start", Start.as_view()),
        path(
            "verify", OIDCAuthenticationCallbackView.as_view(), name="oidc_authentication_callback"
        ),
    ]
    call_command("migrate", verbosity=0)
    serve_wsgi(get_wsgi_application(), PORT)
