"""Requests of Django as facts for the flow, and replies of the flow as responses of Django."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any

from django.core.exceptions import BadRequest
from django.http import HttpResponse, HttpResponseBase, UnreadablePostError
from django.http.request import RawPostDataException
from django.http.response import ResponseHeaders
from django.template.response import SimpleTemplateResponse
from django.utils.translation import get_language

from .._request import _ENVIRON
from ..web import MAX_FORM_BYTES, WebRequest

if TYPE_CHECKING:
    from django.http import HttpRequest

_NAMES = [(name, key) for name, key in _ENVIRON.items() if name != "accept-language"]


def web_request(request: HttpRequest) -> WebRequest:
    """Return the facts of a request. Django's active language replaces ``Accept-Language``."""
    # Error reports leave out the fields of the form.
    request.sensitive_post_parameters = "__ALL__"  # type: ignore[attr-defined]
    return WebRequest(
        request.method or "",
        _headers(request),
        _body(request),
        query=request.META.get("QUERY_STRING", ""),
        form_token_checked=_is_form_token_checked(request),
    )


def head(request: HttpRequest) -> WebRequest:
    """Return the facts of a request without its body."""
    return WebRequest(request.method or "", _headers(request))


class Responses:
    """How responses are made in Django."""

    def respond(self, status: int, headers: list[tuple[str, str]], body: str) -> HttpResponseBase:
        """Make a response."""
        response = _Redirect(status=status) if status == 303 else HttpResponse(body, status=status)
        del response.headers["Content-Type"]
        for name, value in headers:
            if name != "set-cookie":
                response.headers[name] = value
        self.add_cookies(response, (value for name, value in headers if name == "set-cookie"))
        return response

    def to_response(self, answer: object) -> HttpResponseBase:
        """Return the response of a hook."""
        if not isinstance(answer, HttpResponseBase):
            raise TypeError(f"hooks return None or HttpResponse, not {type(answer).__name__}")
        if isinstance(answer, SimpleTemplateResponse) and not answer.is_rendered:
            return answer
        # The site may send the same response to everybody; cookies are one person's.
        response = copy(answer)
        response.headers = ResponseHeaders({**answer.headers})
        response.cookies = SimpleCookie()
        for name, cookie in answer.cookies.items():
            dict.__setitem__(response.cookies, name, copy(cookie))
        return response

    def status(self, response: HttpResponseBase) -> int:
        """Return the status of a response."""
        return response.status_code

    def add_cookies(self, response: HttpResponseBase, cookies: Iterable[str]) -> None:
        """Add cookies to those of the response."""
        for cookie in cookies:
            response.cookies.load(cookie)


class _Redirect(HttpResponse):
    """A redirect as Django's clients for tests know it."""

    @property
    def url(self) -> str:
        return self.headers["Location"]


def _headers(request: HttpRequest) -> list[tuple[str, str]]:
    meta = request.META
    headers = [(name, meta[key]) for name, key in _NAMES if key in meta]
    language = get_language() or meta.get("HTTP_ACCEPT_LANGUAGE")
    return [*headers, ("accept-language", language)] if language else headers


def _body(request: HttpRequest) -> Any:
    """Read the body, or the form if a middleware has read it."""
    length = request.META.get("CONTENT_LENGTH") or ""
    try:
        if not length and request.META.get("wsgi.input_terminated"):
            # Under WSGI, Django does not read a body without a length.
            return request.META["wsgi.input"].read(MAX_FORM_BYTES + 1)
        if length.isdecimal() and int(length) > MAX_FORM_BYTES:
            return request.read(MAX_FORM_BYTES + 1)
        return request.body
    except RawPostDataException:
        return request.POST or None
    except UnreadablePostError:
        pass
    raise BadRequest("the body of the request was not received completely")


def _is_form_token_checked(request: HttpRequest) -> bool:
    """Whether Django's CSRF protection has checked the token of the form."""
    is_exempt = getattr(request, "_dont_enforce_csrf_checks", False)  # as in tests
    return not is_exempt and getattr(request, "csrf_processing_done", False)
