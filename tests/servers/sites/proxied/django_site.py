"""A site on Django, whose URLs are those of browsers."""

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from settings import BROKER, PREFIX, REDIRECT_URI, SECRET

MIDDLEWARE = (
    "security.SecurityMiddleware",
    "common.CommonMiddleware",
    "csrf.CsrfViewMiddleware",
)
settings.configure(
    SECRET_KEY=SECRET,
    ALLOWED_HOSTS=["localhost"],
    ROOT_URLCONF=__name__,
    FORCE_SCRIPT_NAME=PREFIX or None,
    SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
    SECURE_SSL_REDIRECT=True,
    SESSION_COOKIE_SECURE=True,
    CSRF_COOKIE_SECURE=True,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "portier_client.django",
    ],
    MIDDLEWARE=[
        *(f"django.middleware.{name}" for name in MIDDLEWARE),
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ],
    AUTHENTICATION_BACKENDS=["portier_client.django.backends.PortierBackend"],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": "file:users?mode=memory&cache=shared",
        }
    },
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    LOGIN_URL="portier:login",
    PORTIER={"redirect_uri": REDIRECT_URI, "broker": BROKER},
)
django.setup()
call_command("migrate", verbosity=0)


def members(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{request.user.email} at {request.build_absolute_uri()}")  # type: ignore[union-attr]


urlpatterns = [path("", include("portier_client.django.urls")), path("members", members)]
app = get_wsgi_application()
