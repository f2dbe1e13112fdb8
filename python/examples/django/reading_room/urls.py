"""The pages of the site."""

from __future__ import annotations

from django.conf import settings
from django.urls import include, path
from django.views.static import serve

from . import views

urlpatterns = [
    path("", views.index, name="index"),
    path("members", views.members, name="members"),
    path("", include("portier_client.django.urls")),
    # A deployed site has a better server of static files, such as WhiteNoise.
    path("static/<path:path>", serve, {"document_root": settings.STATIC_ROOT}),
]
