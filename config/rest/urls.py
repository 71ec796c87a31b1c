"""Addresses below `/api/`: version 1, its schema and its readers; everything else is a problem."""

from django.urls import URLPattern, URLResolver, include, path, re_path, register_converter

from config.rest.slugs import KeyConverter

register_converter(KeyConverter, "key")

from config.rest import documentation, views  # noqa: E402  (routes below use the converter)
from config.rest.root import RootView  # noqa: E402

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", RootView.as_view(), name="api-root"),
    path("v1/", include("catalog.api.urls")),
    path("v1/", include("estimates.api.urls")),
    path("schema/", documentation.SchemaView.as_view(), name="api-schema"),
    path("docs/", documentation.swagger, name="api-docs"),
    path("redoc/", documentation.redoc, name="api-redoc"),
    re_path(r"^.*$", views.unknown_address),
]
