"""Code of a site on Django, for type checkers; nothing runs it."""

from django.contrib.admin import AdminSite
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import include, path

from portier_client import Login, PortierError
from portier_client.django import PortierSettings, astart_login, login_flow, start_login
from portier_client.django.admin.sites import PortierAdminMixin
from portier_client.django.backends import PortierBackend
from portier_client.web import Confirmation, Problem


def on_user(request: HttpRequest, login: Login) -> User | None:
    return User.objects.filter(email=login.email).first()


async def on_login(request: HttpRequest, login: Login) -> HttpResponse | None:
    return None


def on_login_error(request: HttpRequest, error: PortierError) -> None:
    print(error.code)


def show_problem(request: HttpRequest, problem: Problem) -> str:
    return problem.title


def show_confirmation(request: HttpRequest, confirmation: Confirmation) -> HttpResponse:
    return HttpResponse(confirmation.email)


PORTIER: PortierSettings = {
    "redirect_uri": "https://example.com/accounts/verify/",
    "store": "redis://localhost",
    "browser_binding": "require",
    "languages": ["de", "en"],
    "on_user": on_user,
    "on_login": on_login,
    "on_login_error": on_login_error,
    "show_problem": show_problem,
    "show_confirmation": "site.views.show_confirmation",
}


class Backend(PortierBackend):
    def user_of(self, login: Login) -> User | None:
        return on_user(HttpRequest(), login)


class Admin(PortierAdminMixin, AdminSite):
    site_header = "The site"


def start(request: HttpRequest) -> HttpResponseBase:
    return start_login(request, request.POST["address"], "/members/")


async def start_later(request: HttpRequest) -> HttpResponseBase:
    return await astart_login(request, request.POST["address"])


def page(request: HttpRequest) -> HttpResponse:
    policy = login_flow().form_policy
    return HttpResponse("", headers={"Content-Security-Policy": policy})


urlpatterns = [
    path("accounts/", include("portier_client.django.urls")),
    path("start/", start),
    path("admin/", Admin().urls),
]
