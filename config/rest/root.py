"""The entry: which resources there are, and where."""

from typing import Any

from django.urls import get_resolver, reverse
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from config.rest.views import ApiView


def resource_names() -> list[str]:
    """Names of every list route of the API."""
    names = [name for name in get_resolver().reverse_dict if isinstance(name, str) and name.endswith("-list")]
    return sorted(name.removesuffix("-list") for name in names)


@extend_schema_view(
    get=extend_schema(
        operation_id="list_resources",
        summary="What there is",
        tags=["root"],
        responses={(200, "application/json"): {"type": "object", "additionalProperties": {"type": "string"}}},
    )
)
class RootView(ApiView):
    """Addresses of every resource, of the schema and of its readers."""

    def get(self, request: Request) -> Response:
        addresses: dict[str, Any] = {
            name: request.build_absolute_uri(reverse(f"{name}-list")) for name in resource_names()
        }
        for name in ("api-schema", "api-docs", "api-redoc"):
            addresses[name.removeprefix("api-")] = request.build_absolute_uri(reverse(name))
        return Response(addresses)
