"""Middleware that tells scripts that a page needs a login."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpResponseBase
from django.shortcuts import resolve_url

from ..errors import ConfigError
from . import conf
from ._http import Responses, head

if TYPE_CHECKING:
    from django.http import HttpRequest

__all__ = ["ScriptLoginMiddleware"]


class ScriptLoginMiddleware:
    """Answers a script with the problem ``not_signed_in`` (401) in place of the login page.

    Django's ``login_required``, ``LoginRequiredMixin`` and ``LoginRequiredMiddleware`` redirect
    everybody to ``LOGIN_URL``. A script would follow, and get the login page. Its place in
    ``MIDDLEWARE`` does not matter.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        """Wrap the handler, which may be ``async``."""
        self._get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answer a request."""
        if self._is_async:
            return self._answer(request)
        return _told(request, self._get_response(request))

    async def _answer(self, request: HttpRequest) -> HttpResponseBase:
        return _told(request, await self._get_response(request))


def _told(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if not _asks_for_login(response):
        return response
    try:
        step = conf.site().blocking_flow().require_login(head(request), request.get_full_path())
    except ConfigError:
        return response  # A redirect of the login page to itself may be meant.
    if step.reply.status == 303:
        return response  # It is not a script.
    told = Responses().respond(step.reply.status, step.header_list, step.reply.body)
    told.cookies = response.cookies
    return told


def _asks_for_login(response: HttpResponseBase) -> bool:
    """Whether the response is that of Django's ``redirect_to_login``."""
    try:
        location = urlsplit(response.headers.get("Location", ""))
    except ValueError:  # A view of the site may send anything.
        return False
    if REDIRECT_FIELD_NAME not in parse_qs(location.query):
        return False
    pages = resolve_url(settings.LOGIN_URL), conf.site().login_url
    return location.path in {urlsplit(page).path for page in pages}
