"""Django's functions for ``async`` code, some of which older versions lack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import django
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib import auth

if TYPE_CHECKING:
    from django.http import HttpRequest

    from .. import Login


async def aauthenticate(request: HttpRequest, login: Login) -> Any:
    """Return the user for a login, or ``None``."""
    if django.VERSION >= (5, 2):
        return await auth.aauthenticate(request, portier_login=login)
    # Before, Django called only plain backends, where the hooks of an event loop cannot run.
    from .backends import PortierBackend

    for path in settings.AUTHENTICATION_BACKENDS:
        backend = auth.load_backend(path)
        if isinstance(backend, PortierBackend):
            user = await backend.aauthenticate(request, portier_login=login)
            if user is not None:
                user.backend = path
                return user
    failed = sync_to_async(auth.user_login_failed.send)
    await failed(sender=auth.__name__, credentials={"portier_login": login}, request=request)
    return None


async def alogin(request: HttpRequest, user: Any) -> None:
    """Sign a user in, in a session with a new key."""
    if django.VERSION >= (5, 0):
        await auth.alogin(request, user)
    else:
        await sync_to_async(auth.login)(request, user)


async def alogout(request: HttpRequest) -> None:
    """End the session."""
    if django.VERSION >= (5, 0):
        await auth.alogout(request)
    else:
        await sync_to_async(auth.logout)(request)
