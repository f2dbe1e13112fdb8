"""The pages of the site, in its own design."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.html import format_html

from portier_client.django import login_flow
from portier_client.web import Confirmation, Problem


def index(request: HttpRequest) -> HttpResponse:
    return render(request, "index.html")


@login_required
def members(request: HttpRequest) -> HttpResponse:
    return render(request, "members.html")


def show_problem(request: HttpRequest, problem: Problem) -> str:
    return render_to_string("problem.html", {"problem": problem}, request)


def show_confirmation(request: HttpRequest, confirmation: Confirmation) -> str:
    return render_to_string("confirm.html", {"confirmation": confirmation}, request)


def context(request: HttpRequest) -> dict[str, Any]:
    """What all templates are given."""
    user: Any = request.user
    field = '<input type="hidden" name="csrfmiddlewaretoken" value="{}">'
    return {
        "framework": "Django",
        "email": user.email if user.is_authenticated else None,
        "next_page": request.GET.get("next", ""),
        "csrf": format_html(field, get_token(request)),
    }


def headers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """A middleware for the headers of all pages."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Content-Security-Policy", login_flow().form_policy)
        return response

    return middleware
