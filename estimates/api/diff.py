"""One estimate at two instants or by two methods: what changed, who changed it, what each change explains."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from config.rest.parameters import without_parameters
from config.rest.schema import component
from config.rest.views import ApiView
from estimates.api.batch import SHORT_ANSWER
from estimates.api.bodies import asked_schema, refused
from estimates.api.compare import CHANGES, EXAMPLE_ATTRIBUTION, METRIC_ATTRIBUTIONS
from estimates.comparison.diff import answer_diff
from estimates.comparison.diff_question import DiffAsked
from estimates.what_if import InvalidQuestion

END: dict[str, Any] = {
    "type": "object",
    "properties": {
        "at": {"type": ["string", "null"], "format": "date-time"},
        "method": {"type": "string"},
        "meaning": {"type": "string"},
    },
}
DIFF: dict[str, Any] = component(
    "Diff",
    {
        "type": "object",
        "required": ["question", "estimate", "from", "to", "before", "after", "facts", "metrics"],
        "properties": {
            "question": {"type": "object"},
            "estimate": {"type": ["integer", "null"]},
            "from": END,
            "to": END,
            "before": {"oneOf": [SHORT_ANSWER, {"type": "object"}]},
            "after": SHORT_ANSWER,
            "facts": {
                "type": "array",
                "description": "every fact behind it that stands otherwise, and who changed it last",
                "items": {
                    "type": "object",
                    "properties": {
                        "what": {
                            "type": "string",
                            "description": "accelerator, language model, workload or price",
                        },
                        "field": {"type": "string"},
                        "before": {},
                        "after": {},
                        "at": {"type": ["string", "null"], "format": "date-time"},
                        "user": {"type": ["string", "null"]},
                        "reason": {"type": ["string", "null"]},
                        "request_id": {"type": ["string", "null"]},
                        "changes": {
                            "type": "array",
                            "items": {"type": "string"},
                            "description": "ids in /api/v1/changes; of a price, the quote",
                        },
                        "source": {"type": ["object", "null"]},
                    },
                },
            },
            "why_not": {"type": ["string", "null"]},
            "metrics": METRIC_ATTRIBUTIONS,
            "not_compared": {"type": "object"},
            "changes": CHANGES,
            "taken_as_they_stand": {
                "type": "array",
                "items": {"type": "string"},
                "description": "what has no history and is the same on both sides",
            },
        },
    },
)
EXAMPLE = {
    "question": {
        "model": "llama-3.1-70b-instruct",
        "offer": "nvidia-h100-sxm-x8",
        "deployment": {"weights": "fp8", "tp": 8, "concurrency": 64},
    },
    "from_method": "physics",
    "to_method": "calibrated",
}
IN_TIME = {
    "question": {"model": "llama-3.1-70b-instruct", "offer": "nvidia-h100-sxm-x8"},
    "from": "2026-11-01",
    "to": "2026-11-22T12:00:00Z",
}
ANSWER_EXAMPLE = {
    "question": IN_TIME["question"],
    "estimate": None,
    "from": {"at": "2026-11-01T23:59:59.999999Z", "method": "6b3fa6133b5b6492-8df28d8ac743611a"},
    "to": {"at": "2026-11-22T12:00:00Z", "method": "6b3fa6133b5b6492-8df28d8ac743611a"},
    "before": {"state": "ok"},
    "after": {"state": "ok"},
    "facts": [
        {
            "what": "accelerator",
            "field": "memory_bandwidth_gbs",
            "before": 3350.0,
            "after": 4020.0,
            "at": "2026-11-09T08:30:00Z",
            "user": "editor",
            "reason": "a new revision",
            "request_id": "request-7",
            "changes": ["accelerators-17", "figures-99"],
            "source": {"slug": "datasheet", "title": "Datasheet, revision 2", "url": "https://example.com"},
        }
    ],
    "why_not": None,
    "metrics": {"tpot_ms": EXAMPLE_ATTRIBUTION},
    "not_compared": {},
    "changes": {},
    "taken_as_they_stand": ["links and domain that the offer itself states"],
}


@extend_schema_view(
    post=extend_schema(
        operation_id="diff_estimate",
        summary="One estimate at two instants or by two methods",
        tags=["estimates"],
        request={"application/json": asked_schema(DiffAsked)},
        responses={(200, "application/json"): DIFF},
        examples=[
            OpenApiExample("What the calibration does", value=EXAMPLE, request_only=True),
            OpenApiExample("Between two instants", value=IN_TIME, request_only=True),
            OpenApiExample("Answer", value=ANSWER_EXAMPLE, response_only=True, status_codes=["200"]),
        ],
    )
)
class DiffView(ApiView):
    """The question answered with the facts and prices of two instants, or by two methods on today's facts.

    Facts that changed come with who, when, why and the change's id; each explains its part of the ratio.
    """

    def post(self, request: Request) -> Response:
        without_parameters(request)
        try:
            return Response(answer_diff(request.data))
        except InvalidQuestion as error:
            raise refused(error) from None
