"""What-if questions: stored or inline model on stored or inline hardware, answered at once, nothing saved."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from pydantic.json_schema import models_json_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.rest.faults import Fault, Problem, invalid_body
from config.rest.parameters import without_parameters
from config.rest.schema import COMPONENTS, component
from config.rest.views import ApiView
from estimates.evaluate import evaluate
from estimates.what_if import (
    POOL_WORK,
    SENSITIVITY_WORK,
    InvalidQuestion,
    Question,
    read_question,
    work_of,
)

MOST_QUESTIONS = 50
#: In plain questions (`work_of`), a tenth of a second each.
MOST_WORK = 100
EXAMPLE = {
    "model": "llama-3.1-70b-instruct",
    "accelerator": "nvidia-h100-sxm",
    "count": 8,
    "workload": {"isl": 1024, "osl": 1024, "tpot_limit_ms": 50},
    "deployment": {"weights": "fp8", "tp": 8, "concurrency": 64},
    "overrides": {"memory_bandwidth_gbs": "+20%"},
}


def answer(data: Any, place: str = "") -> dict[str, Any]:
    """The answer to one question; raises Problem (400) with every fault, `place` before each pointer."""
    try:
        return evaluate(data)
    except InvalidQuestion as error:
        raise _refused(error, place) from None


def answers(data: list[Any]) -> list[dict[str, Any]]:
    """The answers to a batch: all, or a problem with the faults of each question by its position."""
    if not 1 <= len(data) <= MOST_QUESTIONS:
        accepted = f"1 to {MOST_QUESTIONS} questions"
        raise invalid_body([Fault("", "batch_size", f"the batch has {len(data)} questions", accepted)])
    questions = _each(data, read)
    work = sum(work_of(question) for question in questions)
    if work > MOST_WORK:
        detail = f"the batch is the work of {work:,} plain questions"
        accepted = f"at most {MOST_WORK}: a prefill pool is {POOL_WORK}, sensitivity times {SENSITIVITY_WORK}"
        raise invalid_body([Fault("", "batch_work", detail, accepted)])
    return _each(questions, answer)


def read(data: Any, place: str = "") -> Question:
    """The checked question; raises Problem (400) with every fault."""
    try:
        return read_question(data)
    except InvalidQuestion as error:
        raise _refused(error, place) from None


def _each[Given, Made](entries: list[Given], make: Callable[[Given, str], Made]) -> list[Made]:
    """What is made of every entry, or a problem with the faults of all by their positions."""
    made: list[Made] = []
    faults: list[Fault] = []
    for position, entry in enumerate(entries):
        try:
            made.append(make(entry, f"/{position}"))
        except Problem as problem:
            faults += problem.faults
    if faults:
        raise invalid_body(faults)
    return made


def _refused(error: InvalidQuestion, place: str) -> Problem:
    return invalid_body(
        [Fault(place + fault.pointer, fault.code, fault.detail, fault.accepted) for fault in error.faults]
    )


def question_schema() -> dict[str, Any]:
    """The JSON schema of a question, its parts registered as components."""
    _, schema = models_json_schema([(Question, "validation")], ref_template="#/components/schemas/{model}")
    for name, part in schema["$defs"].items():
        COMPONENTS.setdefault(name, part)
    return {"$ref": "#/components/schemas/Question"}


def body_schema() -> dict[str, Any]:
    question = question_schema()
    batch = {"type": "array", "items": question, "minItems": 1, "maxItems": MOST_QUESTIONS}
    return component("WhatIf", {"oneOf": [question, batch]})


ANSWER = component(
    "Answer",
    {
        "type": "object",
        "description": "Times in ms, memory in GB a chip, rates in tokens/s of the whole offer. State is "
        "ok, saturated, does_not_fit (with shortfall and the smallest change that would fit) or refused "
        "(with the missing fact).",
        "required": ["model", "accelerator", "count", "state", "reason", "results", "facts"],
        "properties": {
            "model": {"type": "string"},
            "accelerator": {"type": "string"},
            "count": {"type": "integer"},
            "scenario": {"type": "string"},
            "state": {"type": "string", "enum": ["ok", "saturated", "does_not_fit", "refused"]},
            "reason": {"type": ["object", "null"]},
            "deployment": {"type": ["object", "null"]},
            "results": {"type": ["object", "null"]},
            "interval_80": {"type": "object"},
            "grade": {"type": ["string", "null"]},
            "tier": {"type": "string", "enum": ["measured", "kin", "none"]},
            "tiers": {"type": ["object", "null"], "description": "the same by metric"},
            "correction": {
                "type": ["object", "null"],
                "description": "metric -> factor that published runs put on the time the physics gives",
            },
            "accuracy": {
                "type": ["object", "null"],
                "description": "novelty `tier`, and for `tpot_ms`, `ttft_ms` and `throughput_tok_s` the "
                "error on the narrowest slice of left-out measurements like it, with its addresses",
            },
            "evidence": {
                "type": "array",
                "items": {"type": "object"},
                "description": "the nearest measured runs: figures measured and predicted without the run, "
                "the error in per cent, the source, and in words how each compares",
            },
            "memory_gb": {"type": ["object", "null"]},
            "time_ms": {"type": "object"},
            "binding_limit": {"type": ["string", "null"]},
            "elasticities": {"type": "object"},
            "most_helpful": {"type": ["string", "null"]},
            "does_not_fit": {"type": ["object", "null"]},
            "cost": {"type": ["object", "null"]},
            "economics": {"type": "object", "description": "as of GET /estimates/{id}/economics"},
            "facts": {"type": "array", "items": {"type": "object"}},
            "assumptions": {"type": "array", "items": {"type": "string"}},
            "formulas": {"type": "array", "items": {"type": "string"}},
            "method_version": {"type": "string"},
            "fingerprint": {"type": "string"},
        },
    },
)
ANSWER_EXAMPLE = {
    "model": "llama-3.1-70b-instruct",
    "accelerator": "nvidia-h100-sxm",
    "count": 8,
    "state": "ok",
    "reason": None,
    "results": {"tpot_ms": 11.9, "throughput_tok_s": 5050.0},
    "facts": [{"quantity": "memory_bandwidth_gbs", "value": 4020.0, "unit": "GB/s", "kind": "override"}],
}


@extend_schema_view(
    post=extend_schema(
        operation_id="evaluate_estimate",
        summary="What if: estimate without saving",
        tags=["estimates"],
        request={"application/json": body_schema()},
        responses={
            (200, "application/json"): {"oneOf": [ANSWER, {"type": "array", "items": ANSWER}]},
        },
        examples=[
            OpenApiExample("20% more bandwidth", value=EXAMPLE, request_only=True),
            OpenApiExample("Answer", value=ANSWER_EXAMPLE, response_only=True, status_codes=["200"]),
        ],
    )
)
class EvaluateView(ApiView):
    """Answer a what-if, or a batch of up to 50, at once; nothing is saved.

    Model, accelerator and workload are slugs or inline; `overrides` changes figures of the accelerator.
    What does not fit is an answer with the shortfall and the smallest change that would fit.
    """

    def post(self, request: Request) -> Response:
        without_parameters(request)
        data = request.data
        return Response(answers(data) if isinstance(data, list) else answer(data))
