"""An admin site whose login page uses Portier."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

__all__ = ["PortierAdminMixin", "PortierAdminSite"]


class PortierAdminMixin:
    """For an ``AdminSite``: its login page asks for an address, and accepts no password.

    As before, only active staff can use the admin. Others are told so after their login.
    """

    def login(
        self: Any, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the login page."""
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        index = reverse("admin:index", current_app=self.name)
        if self.has_permission(request):
            return HttpResponseRedirect(index)
        context = {
            **self.each_context(request),
            "title": _("Log in"),
            "subtitle": None,
            "username": request.user.get_username(),
            REDIRECT_FIELD_NAME: request.GET.get(REDIRECT_FIELD_NAME) or index,
            **(extra_context or {}),
        }
        request.current_app = self.name
        template = self.login_template or "portier/admin_login.html"
        headers = {"Cache-Control": "no-store"}
        return TemplateResponse(request, template, context, headers=headers)

    # For `LoginRequiredMiddleware`.
    login.login_required = False  # type: ignore[attr-defined]


class PortierAdminSite(PortierAdminMixin, AdminSite):
    """The admin of Django, whose login page uses Portier."""
