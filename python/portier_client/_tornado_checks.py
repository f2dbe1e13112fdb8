"""Checks of a Tornado application."""

from __future__ import annotations

from typing import Any

from tornado.routing import RuleRouter
from tornado.web import Application

from .errors import ConfigError


def check_sign_in(application: Application, verify: Any, *handlers: type) -> None:
    """Raise an error if one of these handlers, or of the application's, would sign nobody in.

    ``verify`` is the base class of those that complete logins. Tornado makes handlers for each
    request, so an application cannot check this when it is made.
    """
    if application.settings.get("portier_secret") is not None:
        return
    routers: list[RuleRouter] = [application.default_router]
    targets: list[object] = [*handlers]
    for router in routers:
        for rule in router.rules:
            found = routers if isinstance(rule.target, RuleRouter) else targets
            found.append(rule.target)
    for target in targets:
        if (
            isinstance(target, type)
            and issubclass(target, verify)
            and getattr(target, "on_login", None) is verify.on_login
        ):
            raise ConfigError(
                "on_login is missing: it signs people in; override it, or set portier_secret, for "
                f"sessions handler={target.__name__}",
                code="invalid_option",
            )
