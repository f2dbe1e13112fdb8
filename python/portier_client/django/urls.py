"""The URLs of the app, in the namespace ``portier``: include them in those of the site."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.urls import URLPattern
from django.urls.resolvers import RoutePattern

from . import views

if TYPE_CHECKING:
    from django.urls import ResolverMatch

__all__ = ["app_name", "health", "urlpatterns"]

View = Callable[..., Any]


class EitherPattern(URLPattern):
    """Resolves to a plain view under WSGI, and to an ``async`` one under ASGI.

    A handler of ASGI resolves paths in its event loop, and awaits an ``async`` view there. It would
    run a plain one in a thread, as a handler of WSGI would run an ``async`` one in an event loop.
    """

    def __init__(self, path: str, view: View, async_view: View, name: str | None) -> None:
        super().__init__(RoutePattern(path, name=name, is_endpoint=True), view, name=name)
        self._async_view = async_view

    def resolve(self, path: str) -> ResolverMatch | None:
        """Return the view for the handler that asks."""
        match = super().resolve(path)
        if match is not None and _runs_loop():
            match.func = self._async_view
        return match


def _runs_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


app_name = "portier"

# `APPEND_SLASH` would lose the body of a form that is posted without the slash.
urlpatterns = [
    EitherPattern(f"{name}{slash}", view, async_view, name if slash else None)
    for name, view, async_view in [
        ("login", views.login, views.alogin),
        ("verify", views.verify, views.averify),
        ("logout", views.logout, views.alogout),
    ]
    for slash in ("/", "")
]


def health(path: str) -> URLPattern:
    """Return the pattern of health checks, for the URLs of the site: ``health("healthz")``."""
    return EitherPattern(path, views.health, views.ahealth, None)
