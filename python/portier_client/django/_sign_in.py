"""What happens with a completed login: find the user, begin the session, run the site's hook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import auth
from django.template.loader import render_to_string

from .. import LoginRefused
from ..errors import CLASSES
from . import conf
from ._auth import aauthenticate, alogin, alogout
from ._http import Responses

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

    from .. import Login
    from ..web import Problem


def sign_in(request: HttpRequest, login: Login) -> HttpResponseBase | None:
    """Sign in the user of a login; return the response of the hook."""
    user = auth.authenticate(request, portier_login=login)
    if user is None:
        raise _refusal(request)
    on_login = conf.site().blocking_hooks.on_login
    try:
        auth.login(request, user)
        response = _checked(on_login and on_login(request, login))
    except BaseException:
        auth.logout(request)
        raise
    if response is not None and response.status_code >= 400:
        auth.logout(request)
    return response


async def asign_in(request: HttpRequest, login: Login) -> HttpResponseBase | None:
    """Sign in the user of a login; return the response of the hook."""
    user = await aauthenticate(request, login)
    if user is None:
        raise _refusal(request)
    on_login = conf.site().hooks.on_login
    try:
        await alogin(request, user)
        response = _checked(on_login and await on_login(request, login))
    except BaseException:
        await alogout(request)
        raise
    if response is not None and response.status_code >= 400:
        await alogout(request)
    return response


def show_refusal(request: HttpRequest, problem: Problem) -> str | None:
    """Show why nobody was signed in, with the template; other problems have the built-in page."""
    if CLASSES.get(problem.id) is not LoginRefused:
        return None
    context = {"problem": problem, "login_url": conf.site().login_url}
    return render_to_string("portier/refused.html", context, request)


def _checked(answer: object) -> HttpResponseBase | None:
    return None if answer is None else Responses().to_response(answer)


def _refusal(request: HttpRequest) -> LoginRefused:
    """Return why the backend has found no user."""
    given: object = getattr(request, "portier_refusal", None)
    if isinstance(given, LoginRefused):
        return given
    return LoginRefused("no backend returned a user", code="account_unknown")
