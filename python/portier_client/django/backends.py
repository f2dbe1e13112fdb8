"""The authentication backend."""

from __future__ import annotations

import logging
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from .. import Login, LoginRefused
from . import conf, users

__all__ = ["PortierBackend"]

_LOGGER = logging.getLogger("portier_client.django")


class PortierBackend(ModelBackend):
    """Returns the user for a completed login. Permissions are those of Django's ``ModelBackend``.

    The hook ``on_user`` decides. Without one it is the user with the address, whose e-mail field is
    compared in lower case; a first login makes a user, unless the option ``create_users`` is false.
    A subclass may override :meth:`user_of` for the same purpose. Inactive users are refused, as is
    an address that several users have.
    """

    def authenticate(  # type: ignore[override]
        self, request: HttpRequest | None, *, portier_login: Login
    ) -> Any:
        """Return the user of a login, or ``None`` if it is refused."""
        on_user = conf.site().blocking_hooks.on_user
        try:
            if on_user is None:
                user = self.user_of(portier_login)
            else:
                user = on_user(request, portier_login)
        except users.Ambiguous as error:
            return self._refuse(request, error)
        return self._admitted(request, user)

    async def aauthenticate(  # type: ignore[override]
        self, request: HttpRequest | None, *, portier_login: Login
    ) -> Any:
        """Return the user of a login, or ``None`` if it is refused."""
        on_user = conf.site().hooks.on_user
        try:
            if on_user is None:
                # Django's connections to databases belong to threads.
                user = await sync_to_async(self.user_of)(portier_login)
            else:
                user = await on_user(request, portier_login)
        except users.Ambiguous as error:
            return self._refuse(request, error)
        return self._admitted(request, user)

    def user_of(self, login: Login) -> Any:
        """Find or make the user of a login; ``None`` refuses it."""
        if conf.site().creates_users:
            return users.find_or_create(login.email)
        return users.find(login.email)

    def _admitted(self, request: HttpRequest | None, user: Any) -> Any:
        if user is None:
            return _note(request, LoginRefused("no user has the address", "account_unknown"))
        if not self.user_can_authenticate(user):
            return _note(request, LoginRefused("the user is inactive"))
        return user

    def _refuse(self, request: HttpRequest | None, error: users.Ambiguous) -> None:
        _LOGGER.warning("login refused: %s", error)
        _note(request, LoginRefused(str(error)))


def _note(request: HttpRequest | None, reason: LoginRefused) -> None:
    """Keep the reason for the page."""
    if request is not None:
        request.portier_refusal = reason  # type: ignore[attr-defined]
