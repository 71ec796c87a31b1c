"""Addresses of the service. A part adds its own with one `include` in the place marked for it."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from config import health
from config.metrics.views import MetricsView

handler500 = "config.errors.handler500"

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", MetricsView.as_view(), name="metrics"),
    path("favicon.ico", RedirectView.as_view(url="/static/explorer/icon.svg"), name="favicon"),
    path("admin/", admin.site.urls),
    path("api/", include("config.rest.urls")),
    path("", include("estimates.pages.urls")),
]
