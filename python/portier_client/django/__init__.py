"""Log people in from a Django site.

The app ``portier_client.django`` brings a login page, the callback, an authentication backend and
system checks. In the settings::

    INSTALLED_APPS += ["portier_client.django"]
    AUTHENTICATION_BACKENDS = [
        "portier_client.django.backends.PortierBackend",
        "django.contrib.auth.backends.ModelBackend",
    ]
    PORTIER = {"redirect_uri": "https://example.com/accounts/verify/"}

In ``urls.py``::

    urlpatterns += [path("accounts/", include("portier_client.django.urls"))]

Then ``/accounts/login/`` is the login page, the default of Django's ``LOGIN_URL``.
Whoever owns an address is signed in as the user with that address; by default, a first login makes
the user. ``python manage.py check`` and ``python manage.py portier_check`` say what is wrong.

The same URLs serve WSGI and ASGI. Hooks may be ``async`` or not in both.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase

from ..blocking import LoginFlow
from ._settings import PortierSettings

__all__ = ["PortierSettings", "astart_login", "login_flow", "start_login"]

# The app is imported before Django's models are ready.


def login_flow() -> LoginFlow:
    """Return the flow of the site, for example for its ``form_policy`` and ``safe_next``.

    Its methods for requests block; the app calls those itself.
    """
    from . import conf

    return conf.site().blocking_flow()


def start_login(request: HttpRequest, email: str, next_page: str = "") -> HttpResponseBase:
    """Start a login for an address, in a view with a form of its own.

    Returns the response: a redirect to the broker, or a page about a problem. After the login, the
    browser is redirected to ``next_page``; a page on another site is ignored. The form needs
    Django's CSRF protection.
    """
    from . import views

    return views.start(request, email, next_page)


async def astart_login(request: HttpRequest, email: str, next_page: str = "") -> HttpResponseBase:
    """Start a login like :func:`start_login`, in an ``async`` view."""
    from . import views

    return await views.astart(request, email, next_page)
