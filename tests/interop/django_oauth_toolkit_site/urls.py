"""The toolkit under `o/`, its metadata at the root too, Django's own login page, and three protected resources."""

from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider.urls import metadata_urlpatterns
from oauth2_provider.views.generic import (
    ProtectedResourceMetadataView,
    ReadWriteScopedProtectedResourceMetadataView,
    ReadWriteScopedResourceView,
)


class Notes(ReadWriteScopedProtectedResourceMetadataView):
    """The resource as an MCP client needs it: its refusals have a challenge that names its metadata (RFC 9728)."""

    def get_resource_metadata_url(self, request: HttpRequest) -> str:
        return request.build_absolute_uri("/.well-known/oauth-protected-resource/notes")

    def get(self, request: HttpRequest) -> HttpResponse:
        return JsonResponse({"notes": ["buy milk"], "of": request.resource_owner.get_username()})

    def post(self, request: HttpRequest) -> HttpResponse:
        return JsonResponse({"added": True})


class PlainNotes(ReadWriteScopedResourceView):
    """The same resource with the view class of the tutorial, whose refusals have no challenge."""

    get, post = Notes.get, Notes.post


class Anybody(ProtectedResourceMetadataView):
    """A resource that requires no scope."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return JsonResponse({"welcome": True})


urlpatterns = [
    path("", include((metadata_urlpatterns, "oauth2_provider"), namespace="oauth2_metadata")),
    path("o/", include("oauth2_provider.urls")),
    path("accounts/login/", LoginView.as_view(), name="login"),
    path("notes", csrf_exempt(Notes.as_view())),
    path("anybody", Anybody.as_view()),
    path("plain-notes", csrf_exempt(PlainNotes.as_view())),
]
