"""The settings of the site, some of which are from the environment."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from portier_client.django import PortierSettings

sys.path.append(str(Path(__file__).parents[2] / "shared"))
from example import STATIC, TEMPLATES, settings

given = settings()

SECRET_KEY = given.secret
DEBUG = False
ALLOWED_HOSTS = ["localhost"]
ROOT_URLCONF = "reading_room.urls"
LOGIN_URL = "portier:login"
LOGIN_REDIRECT_URL = "index"
LOGOUT_REDIRECT_URL = "index"

PORTIER: PortierSettings = {
    "redirect_uri": given.redirect_uri,
    "show_problem": "reading_room.views.show_problem",
    "show_confirmation": "reading_room.views.show_confirmation",
    **given.client,
    **given.flow,
}

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "portier_client.django",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "reading_room.views.headers",
]

AUTHENTICATION_BACKENDS = ["portier_client.django.backends.PortierBackend"]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates", TEMPLATES],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["reading_room.views.context"]},
    }
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("DATABASE", "db.sqlite3"),
        "OPTIONS": {"timeout": 20},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_ROOT = STATIC
SECURE_REFERRER_POLICY = "same-origin"
