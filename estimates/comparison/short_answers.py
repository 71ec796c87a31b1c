"""The short form of an answer: figures, intervals, grade, cost, without the explanation."""

from __future__ import annotations

from typing import Any, Final

from estimates import answers
from estimates.asked_hardware import Hardware
from estimates.core.estimate import Estimate
from estimates.core.facts import ModelFacts, Workload
from estimates.economics.pricing import Priced

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


def short_answer(
    estimate: Estimate, model: ModelFacts, workload: Workload, hardware: Hardware, priced: Priced
) -> dict[str, Any]:
    """The `SHORT` part of the answer that `POST /estimates/evaluate` gives."""
    whole = answers.answer(
        estimate,
        model=model,
        workload=workload,
        sheet=hardware.sheet,
        shape=hardware.shape,
        facts=[],
        quote=priced.quote,
        own_price=priced.own,
        notes=hardware.notes,
    )
    return {name: whole[name] for name in SHORT}
