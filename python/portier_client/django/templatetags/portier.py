"""The tag ``{% portier_form %}``."""

from __future__ import annotations

from typing import Any

from django import template
from django.contrib.auth import REDIRECT_FIELD_NAME

register = template.Library()


@register.inclusion_tag("portier/form.html", takes_context=True)
def portier_form(context: Any, next: str | None = None) -> dict[str, Any]:  # noqa: A002
    """Show the login form, with the CSRF token and the page to go to afterwards.

    Without ``next``, it is the variable or the parameter of the request with that name.
    """
    request = context.get("request")
    if next is None:
        next = context.get(REDIRECT_FIELD_NAME)  # noqa: A001
    if next is None and request is not None:
        next = request.GET.get(REDIRECT_FIELD_NAME, "")  # noqa: A001
    return {"csrf_token": context.get("csrf_token"), "request": request, "next": next}
