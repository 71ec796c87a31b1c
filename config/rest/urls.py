"""Addresses below `/api/`: version 1, its schema and its readers; everything else is a problem."""

from django.urls import URLPattern, URLResolver, include, path, re_path

from config.rest import documentation, views
from config.rest.root import RootView

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", RootView.as_view(), name="api-root"),
    path("v1/", include("catalog.api.urls")),
    path("v1/", include("estimates.api.urls")),
    path("schema/", documentation.SchemaView.as_view(), name="api-schema"),
    path("docs/", documentation.swagger, name="api-docs"),
    path("redoc/", documentation.redoc, name="api-redoc"),
    re_path(r"^.*$", views.unknown_address),
]
