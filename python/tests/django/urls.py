"""The URLs of the site of the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import include, path

from portier_client.django import astart_login, start_login
from portier_client.django.urls import EitherPattern

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase


def whoami(request: HttpRequest) -> HttpResponse:
    """Shows who is signed in."""
    return HttpResponse(request.user.get_username())


@login_required
def members(request: HttpRequest) -> HttpResponse:
    """A page for members."""
    return HttpResponse("for members")


def basket(request: HttpRequest) -> HttpResponse:
    """Counts the visits in the session."""
    request.session["visits"] = request.session.get("visits", 0) + 1
    return HttpResponse(str(request.session["visits"]))


def start(request: HttpRequest) -> HttpResponseBase:
    """A form with other fields."""
    return start_login(request, request.POST["address"], "/members/")


async def astart(request: HttpRequest) -> HttpResponseBase:
    """The same under ASGI."""
    return await astart_login(request, request.POST["address"], "/members/")


urlpatterns = [
    EitherPattern("start/", start, astart, None),
    path("basket/", basket),
    path("accounts/", include("portier_client.django.urls")),
    path("admin/", admin.site.urls),
    path("whoami/", whoami),
    path("members/", members, name="members"),
]
