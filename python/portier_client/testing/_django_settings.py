"""What the settings of Django say about the site of this process, if Django is in use."""

from __future__ import annotations

import sys
from typing import Any
from urllib.parse import urlsplit


def login_page_of_django() -> str | None:
    """The login page in the settings of this process, if Django is in use and has the app."""
    apps: Any = sys.modules.get("django.apps")
    if apps is None or not apps.apps.ready or not apps.apps.is_installed("portier_client.django"):
        return None
    from ..django import conf

    return urlsplit(conf.site().login_url)._replace(scheme="", netloc="").geturl()


def scheme_of_django() -> str:
    """The scheme of the redirect URI in the settings."""
    from django.conf import settings

    given = getattr(settings, "PORTIER", {}).get("redirect_uri", "")
    return "https" if given.startswith("https:") else "http"
