"""The site on Django under a server of ASGI."""

from __future__ import annotations

from control import asgi
from django.core.asgi import get_asgi_application
from django_case import make_app

app = asgi(lambda control: make_app(control, get_asgi_application))
