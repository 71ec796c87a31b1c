"""The schema and its readers, Swagger UI and ReDoc, served from here under a policy without inline code."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.csp import CSP
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularAPIView

SIDECAR = "drf_spectacular_sidecar"


class SchemaView(SpectacularAPIView):  # type: ignore[misc]
    """The OpenAPI 3.1 document: JSON, or YAML on request."""

    renderer_classes = [OpenApiJsonRenderer, OpenApiYamlRenderer]


# Both readers set style attributes from their scripts; ReDoc searches in a worker that it makes itself.
# Scripts stay as strict as everywhere else: from this host only, none inline.
READER_CSP = {
    **settings.SECURE_CSP,
    "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],
    "worker-src": [CSP.SELF, "blob:"],
}


def swagger(request: HttpRequest) -> HttpResponse:
    """Swagger UI: read and try every operation."""
    base = f"{SIDECAR}/swagger-ui-dist"
    return _reader(
        request,
        "rest/swagger.html",
        {"css": static(f"{base}/swagger-ui.css"), "bundle": static(f"{base}/swagger-ui-bundle.js")},
    )


def redoc(request: HttpRequest) -> HttpResponse:
    """ReDoc: read the reference on one page."""
    return _reader(
        request, "rest/redoc.html", {"bundle": static(f"{SIDECAR}/redoc/bundles/redoc.standalone.js")}
    )


def _reader(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    response = render(request, template, {**context, "schema_url": reverse("api-schema")})
    response._csp_config = READER_CSP  # type: ignore[attr-defined]
    return response
