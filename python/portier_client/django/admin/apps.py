"""The app that replaces ``django.contrib.admin``."""

from __future__ import annotations

# Django takes every class in this module for an app, so that of Django is not imported into it.
from django.contrib.admin import apps

__all__ = ["PortierAdminConfig"]


class PortierAdminConfig(apps.AdminConfig):
    """The admin, with :class:`~portier_client.django.admin.sites.PortierAdminSite`."""

    default_site = "portier_client.django.admin.sites.PortierAdminSite"
