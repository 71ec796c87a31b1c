"""What moved in the estimates because of one change."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.changes import change_or_404
from config.rest.faults import Fault, invalid_parameters
from config.rest.parameters import clean
from config.rest.schema import component
from config.rest.views import ApiView
from estimates.effects import effects_of, movement_rows, totals

DEFAULT_LIMIT, LARGEST_LIMIT, LARGEST_OFFSET = 20, 200, 1_000_000
PARAMETERS: Final = ("limit", "offset", "format")

COUNT: Final = {"type": "integer"}
RATIO: Final = {"type": ["number", "null"]}
SLUG: Final = {"type": ["string", "null"]}
VERSIONS: Final = {"type": "array", "items": COUNT, "description": "before and after"}
MOVEMENT: Final = component(
    "Movement",
    {
        "type": "object",
        "description": "What making one calculation again did to its estimates.",
        "properties": {
            "model": SLUG,
            "accelerator": SLUG,
            "at": {"type": "string", "format": "date-time"},
            "model_versions": VERSIONS,
            "accelerator_versions": VERSIONS,
            "method_changed": {
                "type": "boolean",
                "description": "the method changed in the same recalculation",
            },
            "workloads_changed": {"type": "boolean", "description": "workloads changed in it too"},
            "estimates": {**COUNT, "description": "of the calculation afterwards"},
            "changed": {**COUNT, "description": "whose figures moved"},
            "added": COUNT,
            "removed": COUNT,
            "state_changes": {**COUNT, "description": "fits now, no longer fits, ..."},
            "throughput_ratio": {
                "type": "object",
                "description": "after over before",
                "properties": {"low": RATIO, "median": RATIO, "high": RATIO},
            },
            "tpot_ratio_median": RATIO,
            "farthest": {
                "type": "array",
                "items": {"type": "object"},
                "description": "the estimates that moved farthest: offer, workload, objective, before, after",
            },
            "together_with": {
                "type": "array",
                "items": {"type": "object"},
                "description": "other changes that the same recalculation took in",
            },
        },
    },
)
EFFECTS: Final = component(
    "ChangeEffects",
    {
        "type": "object",
        "required": ["change", "status", "detail", "count", "results"],
        "properties": {
            "change": {"type": "string"},
            "status": {
                "type": "string",
                "enum": ["moved", "none_moved", "pending", "no_effect", "costs_only"],
                "description": "pending: calculations still have older versions; no_effect: no estimate "
                "rests on what changed; costs_only: a price",
            },
            "detail": {"type": "string", "description": "the same in a sentence"},
            "raised": {
                "type": "array",
                "items": {"type": "object"},
                "description": "versions that the transaction of the change raised: resource, slug, from, to",
            },
            "calculations": {**COUNT, "description": "that rest on what changed"},
            "pending": {**COUNT, "description": "that have still to be made again"},
            "estimates": {
                "type": "object",
                "description": "over all movements: estimates, changed, added, removed, state_changes",
            },
            "prices": {
                "type": "array",
                "items": {"type": "object"},
                "description": "of a price quote: offers whose price it became, with the one before",
            },
            "count": {**COUNT, "description": "calculations whose estimates moved"},
            "next": {"type": ["string", "null"], "format": "uri"},
            "previous": {"type": ["string", "null"], "format": "uri"},
            "results": {"type": "array", "items": MOVEMENT, "description": "farthest first"},
        },
    },
)
EXAMPLE: Final[dict[str, Any]] = {
    "change": "accelerators-17",
    "status": "moved",
    "detail": "Every calculation has been made again.",
    "raised": [{"resource": "accelerators", "slug": "nvidia-h100-sxm", "from_version": 5, "to_version": 8}],
    "calculations": 40,
    "pending": 0,
    "estimates": {"rows": 120, "changed": 96, "added": 0, "removed": 0, "state_changes": 2},
    "prices": [],
    "count": 1,
    "next": None,
    "previous": None,
    "results": [
        {
            "model": "llama-3.1-70b-instruct",
            "accelerator": "nvidia-h100-sxm",
            "at": "2025-01-31T12:00:00Z",
            "model_versions": [1, 1],
            "accelerator_versions": [5, 8],
            "method_changed": False,
            "workloads_changed": False,
            "estimates": 120,
            "changed": 96,
            "added": 0,
            "removed": 0,
            "state_changes": 2,
            "throughput_ratio": {"low": 1.0, "median": 1.18, "high": 1.2},
            "tpot_ratio_median": 0.84,
            "farthest": [],
            "together_with": [],
        }
    ],
}


def read_whole(
    values: dict[str, list[str]], name: str, default: int, low: int, high: int, faults: list[Fault]
) -> int:
    """A whole number of a parameter; a fault where it is none or out of its bounds."""
    given = values.get(name, [str(default)])[0]
    if given.isascii() and given.isdecimal() and len(given) < 10 and low <= int(given) <= high:
        return int(given)
    accepted = f"a whole number from {low} to {high}"
    faults.append(Fault(f"?{name}", "invalid", f"{name} is not {accepted}", accepted))
    return default


@extend_schema_view(
    get=extend_schema(
        operation_id="effects_of_change",
        summary="What moved because of one change",
        tags=["changes"],
        parameters=[
            OpenApiParameter("key", str, OpenApiParameter.PATH, description="id of the change"),
            OpenApiParameter(
                "limit",
                int,
                description=f"Movements on a page, 1 to {LARGEST_LIMIT}; default {DEFAULT_LIMIT}.",
            ),
            OpenApiParameter("offset", int, description="Movements to skip."),
            OpenApiParameter("format", str, enum=("json",), description="In place of the Accept header."),
        ],
        responses={(200, "application/json"): EFFECTS},
        examples=[OpenApiExample("Moved", value=EXAMPLE, response_only=True, status_codes=["200"])],
    )
)
class EffectsView(ApiView):
    """The estimates that one change moved, by model and accelerator, farthest first."""

    def get(self, request: Request, key: str) -> Response:
        faults: list[Fault] = []
        values = clean(request.query_params, PARAMETERS, faults)
        limit = read_whole(values, "limit", DEFAULT_LIMIT, 1, LARGEST_LIMIT, faults)
        offset = read_whole(values, "offset", 0, 0, LARGEST_OFFSET, faults)
        if faults:
            raise invalid_parameters(faults)
        effects = effects_of(change_or_404(key))
        count = effects.movements.count()
        rows = movement_rows(effects, list(effects.movements[offset : offset + limit]))
        following = _link(request, offset + limit) if offset + limit < count else None
        preceding = _link(request, max(0, offset - limit)) if offset else None
        return Response(
            {
                "change": effects.change.id,
                "status": effects.status,
                "detail": effects.detail,
                "raised": [one.as_json() for one in effects.raised],
                "calculations": effects.calculations,
                "pending": effects.pending,
                "estimates": totals(effects.movements),
                "prices": effects.prices,
                "count": count,
                "next": following,
                "previous": preceding,
                "results": rows,
            }
        )


def _link(request: Request, offset: int) -> str:
    parameters = request.query_params.copy()
    parameters["offset"] = str(offset)
    return request.build_absolute_uri(f"{request.path}?{parameters.urlencode()}")
