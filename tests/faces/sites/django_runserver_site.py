"""The site on Django under the server for development, as `manage.py runserver` starts it."""

import os

import django_case  # noqa: F401 - it configures Django
from django.conf import settings
from django.core.management import call_command

settings.WSGI_APPLICATION = "django_wsgi_site.app"
# The site has no URLs before its first case, so that the system checks would fail.
call_command(
    "runserver",
    f"127.0.0.1:{os.environ['SITE_PORT']}",
    use_reloader=False,
    skip_checks=True,
)
