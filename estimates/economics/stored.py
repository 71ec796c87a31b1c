"""The economics of a cached estimate: its throughput as stored, its deployment asked again for lengths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from estimates.asked_hardware import find_hardware
from estimates.asked_model import find_model, find_workload
from estimates.core.facts import Workload as CoreWorkload
from estimates.cost import prefill_share
from estimates.economics.pricing import basis_of, find_price
from estimates.economics.report import Case, economics
from estimates.evaluate import estimate_of
from estimates.models import Estimate, State
from estimates.what_if import InvalidQuestion, Question, read_question

#: What a cached row keeps of its deployment, by the name that a question has for it.
KEPT = {
    "weights": "weight_format",
    "kv_format": "kv_format",
    "tp": "tp",
    "pp": "pp",
    "ep": "ep",
    "dp": "dp",
    "replicas": "replicas",
    "concurrency": "concurrency",
}


def stored_economics(row: Estimate, price: Mapping[str, Any], parts: Mapping[str, Any]) -> dict[str, Any]:
    """The economics of a row; `price` and `parts` as in a question. Raises InvalidQuestion.

    The cached numbers stand: nothing is estimated but other lengths, where sensitivity is asked for.
    """
    question = question_of(row, price, parts)
    hardware, workload = find_hardware(question), find_workload(question)
    runs = row.state in (State.OK, State.SATURATED)
    rate = row.throughput_tok_s if runs else None
    case = Case(
        hardware=hardware,
        isl=workload.isl,
        osl=workload.osl,
        output_tok_s=rate,
        low_tok_s=row.throughput_low_tok_s if runs else None,
        high_tok_s=row.throughput_high_tok_s if runs else None,
        cached_share=workload.prefix_share,
        prefill_share=_prefill_share(row, rate, workload.osl),
        stored_model=row.language_model.slug,
        again=_Again(question, workload),
    )
    found = economics(case, find_price(question, hardware), basis_of(question), question.economics)
    return {
        "estimate": row.pk,
        "model": row.language_model.slug,
        "workload": row.workload.slug,
        "offer": row.offer.slug,
        "objective": row.get_objective_display(),
        "state": row.get_state_display(),
        **found,
    }


def question_of(row: Estimate, price: Mapping[str, Any], parts: Mapping[str, Any]) -> Question:
    """The question that the row answers, its deployment fixed. Raises InvalidQuestion."""
    kept = {name: getattr(row, column) or None for name, column in KEPT.items()}
    return read_question(
        {
            "model": row.language_model.slug,
            "offer": row.offer.slug,
            "workload": row.workload.slug,
            "deployment": {name: value for name, value in kept.items() if value is not None},
            "price": dict(price),
            "economics": dict(parts),
        }
    )


class _Again:
    """Throughput at other lengths on the very deployment; the model is read when first asked."""

    def __init__(self, question: Question, workload: CoreWorkload) -> None:
        self._question, self._workload = question, workload

    def __call__(self, isl: int, osl: int) -> float | None:
        hardware, model = find_hardware(self._question), find_model(self._question.model)
        moved = replace(self._workload, isl=isl, osl=osl)
        try:
            found = estimate_of(model, hardware, moved, self._question, explained=False)
        except InvalidQuestion:
            return None
        return found.throughput_output_tok_s


def _prefill_share(row: Estimate, rate: float | None, osl: float) -> float | None:
    if not rate or row.ttft_unloaded_ms is None or row.replicas is None:
        return None
    return prefill_share(row.ttft_unloaded_ms / 1e3, row.replicas, rate, osl)
