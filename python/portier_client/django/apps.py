"""The app of Django."""

from __future__ import annotations

import sys

from django.apps import AppConfig
from django.core.signals import setting_changed

from . import conf


class PortierConfig(AppConfig):
    """Registers the system checks; a server does not start with invalid settings."""

    name = "portier_client.django"
    label = "portier"
    verbose_name = "Portier"

    def ready(self) -> None:
        """Check the settings, where a server starts."""
        from . import checks

        checks.register()
        setting_changed.connect(conf.reset, dispatch_uid="portier_client")
        # `manage.py` has the system checks, and some of its commands run without settings.
        if _is_started_by_server():
            conf.site().check()


def _is_started_by_server() -> bool:
    """Whether `get_wsgi_application` or `get_asgi_application` prepares Django."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        if frame.f_globals.get("__name__") in {"django.core.wsgi", "django.core.asgi"}:
            return True
        frame = frame.f_back
    return False
