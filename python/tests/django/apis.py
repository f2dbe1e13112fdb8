"""The URLs of a site with APIs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import include, path
from ninja import NinjaAPI
from ninja.security import django_auth
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import APIView

if TYPE_CHECKING:
    from django.http import HttpRequest


class Rest(APIView):
    """A view of Django REST framework."""

    authentication_classes = (SessionAuthentication,)
    permission_classes = (IsAuthenticated,)
    renderer_classes = (JSONRenderer,)

    def get(self, request: Any) -> Response:
        return Response({"email": request.user.email})


api = NinjaAPI(auth=django_auth)


@api.get("/me")
def me(request: HttpRequest) -> dict[str, str]:
    return {"email": request.user.email}


urlpatterns = [
    path("accounts/", include("portier_client.django.urls")),
    path("rest/", Rest.as_view()),
    path("ninja/", api.urls),
]
