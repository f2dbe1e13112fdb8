"""The site on Django under a server of WSGI."""

from __future__ import annotations

from control import wsgi
from django.core.wsgi import get_wsgi_application
from django_case import make_app

app = wsgi(lambda control: make_app(control, get_wsgi_application))
