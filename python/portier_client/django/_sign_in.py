"""What happens with a completed login: find the user, begin the session, run the site's hook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import auth
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from ..web import Problem
from . import conf
from ._auth import aauthenticate, alogin, alogout
from ._http import Responses

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

    from .. import Login


def sign_in(request: HttpRequest, login: Login) -> HttpResponseBase | None:
    """Sign in the user of a login; return the response of the hook, or why there is no user."""
    site = conf.site()
    user = auth.authenticate(request, portier_login=login)
    if user is None:
        problem = _refusal(request)
        show = site.blocking_hooks.show_problem
        return _page(request, problem, show and show(request, problem))
    on_login = site.blocking_hooks.on_login
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
    """Sign in the user of a login; return the response of the hook, or why there is no user."""
    site = conf.site()
    user = await aauthenticate(request, login)
    if user is None:
        problem = _refusal(request)
        show = site.hooks.show_problem
        return _page(request, problem, show and await show(request, problem))
    on_login = site.hooks.on_login
    try:
        await alogin(request, user)
        response = _checked(on_login and await on_login(request, login))
    except BaseException:
        await alogout(request)
        raise
    if response is not None and response.status_code >= 400:
        await alogout(request)
    return response


def _checked(answer: object) -> HttpResponseBase | None:
    return None if answer is None else Responses().to_response(answer)


def _refusal(request: HttpRequest) -> Problem:
    """Say why nobody was signed in. The id is the name of the reason."""
    reason = getattr(request, "portier_refusal", "account_unknown")
    if reason == "account_inactive":
        text = _("This account is inactive.")
    elif reason == "account_ambiguous":
        text = _("Several accounts have this address. Please ask the site for help.")
    else:
        text = _("There is no account with this address.")
    title = _("You are not signed in")
    return Problem(reason, 403, title, text, None, get_language() or "en")


def _page(request: HttpRequest, problem: Problem, given: object) -> HttpResponseBase:
    if given is not None and not isinstance(given, str):
        return Responses().to_response(given)
    page = given
    if page is None:
        context = {"problem": problem, "login_url": conf.site().login_url}
        page = render_to_string("portier/refused.html", context, request)
    return HttpResponse(page, status=problem.status, headers={"Cache-Control": "no-store"})
