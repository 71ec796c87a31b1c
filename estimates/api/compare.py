"""Two to eight options side by side, with the causes of their differences."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from config.rest.parameters import without_parameters
from config.rest.schema import component
from config.rest.views import ApiView
from estimates.api.batch import SHORT_ANSWER
from estimates.api.bodies import asked_schema, refused
from estimates.api.evaluate import ANSWER
from estimates.comparison.attribution import METRICS
from estimates.comparison.compare import CompareAsked, answer_comparison
from estimates.what_if import InvalidQuestion

LINES: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["field", "unit", "values"],
        "properties": {
            "field": {"type": "string"},
            "unit": {"type": ["string", "null"]},
            "values": {"type": "array", "items": {}, "description": "in the order of the options"},
        },
    },
}
CHANGES: dict[str, Any] = {
    "type": "object",
    "description": "cause -> the values that differ",
    "additionalProperties": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "field": {"type": "string"},
                "before": {},
                "after": {},
                "unit": {"type": ["string", "null"]},
            },
        },
    },
}
ATTRIBUTION: dict[str, Any] = component(
    "Attribution",
    {
        "type": "object",
        "description": "A metric of two answers. The `log_share` of the causes and `unexplained_log` "
        "add up to `log_ratio`, the natural logarithm of after over before.",
        "required": ["before", "after", "ratio", "log_ratio", "weighed", "causes", "unexplained_log"],
        "properties": {
            "before": {"type": "number"},
            "after": {"type": "number"},
            "ratio": {"type": "number"},
            "log_ratio": {"type": "number"},
            "weighed": {
                "type": "string",
                "enum": ["every order", "one order", "not"],
                "description": "every order: Shapley values over all configurations in between; one order: "
                "too many causes, swapped one by one as `note` says; not: the causes cannot be told apart",
            },
            "causes": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "cause": {"type": "string"},
                        "title": {"type": "string"},
                        "kind": {"type": "string", "enum": ["fact", "choice", "method", "price"]},
                        "log_share": {"type": "number"},
                        "factor": {"type": "number", "description": "its part of the ratio, as a factor"},
                        "part": {"type": ["number", "null"], "description": "of log_ratio"},
                        "factor_alone": {
                            "type": ["number", "null"],
                            "description": "what it does swapped alone at the baseline",
                        },
                    },
                },
            },
            "unexplained_log": {"type": "number"},
            "interaction_log": {
                "type": ["number", "null"],
                "description": "log_ratio less what each cause does alone; the shares divide it",
            },
            "note": {"type": ["string", "null"]},
        },
    },
)
METRIC_ATTRIBUTIONS: dict[str, Any] = {
    "type": "object",
    "description": ", ".join(METRICS),
    "additionalProperties": ATTRIBUTION,
}
COMPARISON: dict[str, Any] = component(
    "Comparison",
    {
        "type": "object",
        "required": ["baseline", "options", "differences", "same", "pairs"],
        "properties": {
            "baseline": {"type": "integer"},
            "options": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "index": {"type": "integer"},
                        "label": {"type": "string"},
                        "estimate": {"type": ["integer", "null"]},
                        "answer": {"oneOf": [SHORT_ANSWER, ANSWER]},
                    },
                },
            },
            "differences": LINES,
            "same": LINES,
            "pairs": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["option", "baseline", "why_not", "metrics"],
                    "properties": {
                        "option": {"type": "integer"},
                        "baseline": {"type": "integer"},
                        "why_not": {"type": ["string", "null"]},
                        "metrics": METRIC_ATTRIBUTIONS,
                        "not_compared": {"type": "object", "description": "metric -> why not"},
                        "changes": CHANGES,
                    },
                },
            },
        },
    },
)
EXAMPLE = {
    "options": [
        {"model": "llama-3.1-70b-instruct", "offer": "nvidia-h100-sxm-x8", "label": "as it is"},
        {
            "model": "llama-3.1-70b-instruct",
            "accelerator": "nvidia-h100-sxm",
            "count": 8,
            "overrides": {"memory_bandwidth_gbs": "+20%"},
            "label": "a fifth more bandwidth",
        },
    ]
}
EXAMPLE_ATTRIBUTION = {
    "before": 11.9,
    "after": 10.3,
    "ratio": 0.866,
    "log_ratio": -0.144,
    "weighed": "every order",
    "causes": [
        {
            "cause": "memory_bandwidth",
            "title": "memory bandwidth",
            "kind": "fact",
            "log_share": -0.144,
            "factor": 0.866,
            "part": 1.0,
            "factor_alone": 0.866,
        }
    ],
    "unexplained_log": 0.0,
    "interaction_log": 0.0,
    "note": None,
}
EXAMPLE_CHANGE = {"field": "memory_bandwidth_gbs", "before": 3350.0, "after": 4020.0, "unit": "GB/s"}
ANSWER_EXAMPLE = {
    "baseline": 0,
    "options": [{"index": 0, "label": "as it is", "estimate": None, "answer": {"state": "ok"}}],
    "differences": [{"field": "memory_bandwidth_gbs", "unit": "GB/s", "values": [3350.0, 4020.0]}],
    "same": [{"field": "model", "unit": None, "values": ["llama-3.1-70b-instruct"] * 2}],
    "pairs": [
        {
            "option": 1,
            "baseline": 0,
            "why_not": None,
            "metrics": {"tpot_ms": EXAMPLE_ATTRIBUTION},
            "not_compared": {},
            "changes": {"memory_bandwidth": [EXAMPLE_CHANGE]},
        }
    ],
}


@extend_schema_view(
    post=extend_schema(
        operation_id="compare_estimates",
        summary="Options side by side, with the causes of their differences",
        tags=["estimates"],
        request={"application/json": asked_schema(CompareAsked)},
        responses={(200, "application/json"): COMPARISON},
        examples=[
            OpenApiExample("More bandwidth", value=EXAMPLE, request_only=True),
            OpenApiExample("Answer", value=ANSWER_EXAMPLE, response_only=True, status_codes=["200"]),
        ],
    )
)
class CompareView(ApiView):
    """Two to eight what-ifs or stored estimates: what differs, what does not, what each cause explains.

    Each option is held against the baseline (the first, or `baseline`). Nothing is saved.
    """

    def post(self, request: Request) -> Response:
        without_parameters(request)
        try:
            return Response(answer_comparison(request.data))
        except InvalidQuestion as error:
            raise refused(error) from None
