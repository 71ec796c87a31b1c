"""Many models on many offers in one call, each answer or its own error by index."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from config.rest.parameters import without_parameters
from config.rest.schema import component
from config.rest.views import ApiView
from estimates.api.bodies import FAULTS, asked_schema, refused
from estimates.api.evaluate import ANSWER
from estimates.comparison.batch import MOST_ANSWERS, MOST_EXPLAINED, BatchAsked, answer_batch
from estimates.comparison.short_answers import SHORT
from estimates.what_if import InvalidQuestion

SHORT_ANSWER: dict[str, Any] = component(
    "ShortAnswer",
    {
        "type": "object",
        "description": f"An answer without its explanation: {', '.join(SHORT)}.",
        "required": ["model", "accelerator", "count", "state", "reason", "results", "interval_80", "grade"],
        "properties": {
            "model": {"type": "string"},
            "accelerator": {"type": "string"},
            "count": {"type": "integer"},
            "offer": {"type": "string"},
            "state": {"type": "string", "enum": ["ok", "saturated", "does_not_fit", "refused"]},
            "reason": {"type": ["object", "null"]},
            "deployment": {"type": ["object", "null"]},
            "results": {"type": ["object", "null"]},
            "interval_80": {"type": "object"},
            "grade": {"type": ["string", "null"]},
            "binding_limit": {"type": ["string", "null"]},
            "does_not_fit": {"type": ["object", "null"]},
            "cost": {"type": ["object", "null"]},
            "method_version": {"type": "string"},
            "fingerprint": {"type": "string"},
        },
    },
)
BATCH: dict[str, Any] = component(
    "BatchAnswer",
    {
        "type": "object",
        "required": ["count", "answered", "failed", "results"],
        "properties": {
            "count": {"type": "integer"},
            "answered": {"type": "integer"},
            "failed": {"type": "integer", "description": "questions with errors of their own"},
            "results": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["index", "asked", "answer", "errors"],
                    "properties": {
                        "index": {"type": "integer"},
                        "asked": {
                            "type": "object",
                            "description": "model, offer and workload, or the position in `questions`",
                        },
                        "answer": {"oneOf": [SHORT_ANSWER, ANSWER, {"type": "null"}]},
                        "errors": FAULTS,
                    },
                },
            },
        },
    },
)
EXAMPLE = {
    "models": ["llama-3.1-70b-instruct"],
    "offers": ["nvidia-h100-sxm-x8", "amd-mi300x-x8"],
    "workloads": ["chat"],
    "deployment": {"weights": "fp8"},
}
ANSWER_EXAMPLE = {
    "count": 2,
    "answered": 1,
    "failed": 1,
    "results": [
        {
            "index": 0,
            "asked": {"model": "llama-3.1-70b-instruct", "offer": "nvidia-h100-sxm-x8", "workload": "chat"},
            "answer": {"state": "ok", "results": {"tpot_ms": 31.2}, "grade": "B"},
            "errors": [],
        },
        {
            "index": 1,
            "asked": {"model": "llama-3.1-70b-instruct", "offer": "amd-mi300-x8", "workload": "chat"},
            "answer": None,
            "errors": [
                {
                    "pointer": "/offer",
                    "code": "unknown_offer",
                    "detail": "there is no offer 'amd-mi300-x8'; did you mean amd-mi300x-x8?",
                    "accepted": ["amd-mi300x-x8"],
                }
            ],
        },
    ],
}


@extend_schema_view(
    post=extend_schema(
        operation_id="batch_estimates",
        summary="Many models on many offers at once",
        tags=["estimates"],
        request={"application/json": asked_schema(BatchAsked)},
        responses={(200, "application/json"): BATCH},
        examples=[
            OpenApiExample("A model on two offers", value=EXAMPLE, request_only=True),
            OpenApiExample("Answers", value=ANSWER_EXAMPLE, response_only=True, status_codes=["200"]),
        ],
    )
)
class BatchView(ApiView):
    def post(self, request: Request) -> Response:
        without_parameters(request)
        try:
            return Response(answer_batch(request.data))
        except InvalidQuestion as error:
            raise refused(error) from None


BatchView.__doc__ = f"""Every model on every offer under every workload, and any list of what-ifs, at once.

    At most {MOST_ANSWERS} answers, {MOST_EXPLAINED} where `explained`; what one question gets wrong is the
    error at its index and takes nothing from the others. Nothing is saved.
    """
