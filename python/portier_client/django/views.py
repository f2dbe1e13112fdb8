"""The login page, the callback, and signing out.

Each view exists twice: a plain one, and an ``async`` one whose name begins with ``a``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib import auth
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.db import connections, transaction
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse

from .._face import Hook, Hooks, answer, answer_blocking
from ..web import Step
from . import _sign_in, conf
from ._auth import alogout as _alogout
from ._http import Responses, web_request

__all__ = [
    "ahealth",
    "alogin",
    "alogout",
    "averify",
    "health",
    "login",
    "logout",
    "verify",
]

_View = TypeVar("_View", bound=Callable[..., Any])


def _public(view: _View) -> _View:
    """Exempt a view from ``LoginRequiredMiddleware`` (Django 5.1)."""
    view.login_required = False  # type: ignore[attr-defined]
    return view


def _async(view: _View) -> _View:
    """Mark an ``async`` view, which Django cannot run in a transaction."""
    for alias in connections:
        transaction.non_atomic_requests(using=alias)(view)
    return _public(view)


def _csrf_exempt(view: _View) -> _View:
    """Exempt the callback from Django's CSRF protection: its forms come from the broker."""
    view.csrf_exempt = True  # type: ignore[attr-defined]
    return view


@_public
def login(request: HttpRequest) -> HttpResponseBase:
    """Show the login page, or start a login from its form."""
    if request.method in {"GET", "HEAD"}:
        return _login_page(request)
    return _answer(request, conf.site().blocking_flow().login(web_request(request)))


@_async
async def alogin(request: HttpRequest) -> HttpResponseBase:
    """Show the login page, or start a login from its form."""
    if request.method in {"GET", "HEAD"}:
        return _login_page(request)
    return await _aanswer(request, await conf.site().flow().login(web_request(request)))


@_public
@_csrf_exempt
def verify(request: HttpRequest) -> HttpResponseBase:
    """Answer every method of the redirect URI."""
    return _answer(request, conf.site().blocking_flow().callback(web_request(request)))


@_async
@_csrf_exempt
async def averify(request: HttpRequest) -> HttpResponseBase:
    """Answer every method of the redirect URI."""
    return await _aanswer(request, await conf.site().flow().callback(web_request(request)))


@_public
def logout(request: HttpRequest) -> HttpResponseBase:
    """Sign out with a ``POST``, and redirect to ``LOGOUT_REDIRECT_URL`` or to the login page."""
    flow = conf.site().blocking_flow(login_url=conf.site().logout_url)
    step = flow.logout(web_request(request))
    if step.error is None:
        auth.logout(request)
    return _answer(request, step)


@_async
async def alogout(request: HttpRequest) -> HttpResponseBase:
    """Sign out with a ``POST``, and redirect to ``LOGOUT_REDIRECT_URL`` or to the login page."""
    flow = conf.site().flow(login_url=conf.site().logout_url)
    step = await flow.logout(web_request(request))
    if step.error is None:
        await _alogout(request)
    return await _aanswer(request, step)


@_public
@_csrf_exempt
def health(request: HttpRequest) -> HttpResponseBase:
    """Answer a health check."""
    return _answer(request, conf.site().blocking_flow().health(web_request(request)))


@_async
@_csrf_exempt
async def ahealth(request: HttpRequest) -> HttpResponseBase:
    """Answer a health check."""
    return await _aanswer(request, await conf.site().flow().health(web_request(request)))


def start(request: HttpRequest, email: str, next_page: str) -> HttpResponseBase:
    """Start a login for an address."""
    flow = conf.site().blocking_flow()
    try:
        step = flow.start(web_request(request), email, next_page)
    finally:
        # Error trackers keep the locals of frames.
        del email, next_page
    return _answer(request, step)


async def astart(request: HttpRequest, email: str, next_page: str) -> HttpResponseBase:
    """Start a login for an address."""
    flow = conf.site().flow()
    try:
        starting = flow.start(web_request(request), email, next_page)
    finally:
        # Error trackers keep the locals of frames.
        del email, next_page
    return await _aanswer(request, await starting)


def _login_page(request: HttpRequest) -> HttpResponseBase:
    page = request.GET.get(REDIRECT_FIELD_NAME, "")
    return TemplateResponse(request, "portier/login.html", {REDIRECT_FIELD_NAME: page}).render()


def _answer(request: HttpRequest, step: Step) -> HttpResponseBase:
    hooks = _face_hooks(conf.site().blocking_hooks, _sign_in.sign_in)
    return answer_blocking(step, hooks, Responses(), request)


async def _aanswer(request: HttpRequest, step: Step) -> HttpResponseBase:
    hooks = _face_hooks(conf.site().hooks, _sign_in.asign_in)
    return await answer(step, hooks, Responses(), request)


def _face_hooks(site: conf.SiteHooks, on_login: Hook) -> Hooks:
    return Hooks(
        on_login=on_login,
        on_login_error=site.on_login_error,
        show_problem=site.show_problem or _sign_in.show_refusal,
        show_confirmation=site.show_confirmation,
    )
