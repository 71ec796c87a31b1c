"""The short form of an answer: figures, intervals, grade, cost; the long one adds why."""

from __future__ import annotations

from typing import Any, Final

from catalog.prices import QuoteUsed
from estimates import answers
from estimates.accuracy.standing import standing
from estimates.asked_hardware import Hardware, facts_used
from estimates.core.estimate import Estimate
from estimates.core.facts import ModelFacts, Workload
from estimates.what_if import Question

SHORT: Final = (
    "model",
    "accelerator",
    "count",
    "offer",
    "workload",
    "scenario",
    "state",
    "reason",
    "missing_facts",
    "deployment",
    "results",
    "interval_80",
    "grade",
    "tier",
    "binding_limit",
    "binding_share",
    "does_not_fit",
    "cost",
    "method_version",
    "fingerprint",
)


def shown(
    estimate: Estimate,
    question: Question,
    model: ModelFacts,
    workload: Workload,
    hardware: Hardware,
    quote: QuoteUsed | None,
    *,
    explained: bool,
) -> dict[str, Any]:
    """The answer that `POST /estimates/evaluate` gives where `explained`, else its `SHORT` part."""
    whole = answers.answer(
        estimate,
        model=model,
        workload=workload,
        sheet=hardware.sheet,
        shape=hardware.shape,
        facts=facts_used(hardware) if explained else [],
        quote=quote,
        own_price=question.price.usd_per_hour,
        notes=hardware.notes,
    )
    if explained:
        return whole | standing(estimate, model, workload, hardware.sheet, hardware.shape)
    return {name: whole[name] for name in SHORT}
