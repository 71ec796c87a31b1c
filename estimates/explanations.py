"""The explanation of a cached estimate: the core asked again about the very deployment that was kept."""

from __future__ import annotations

from typing import Any

from catalog.models import Accelerator
from catalog.prices import PriceFilter, offer_prices
from estimates import answers
from estimates.accuracy.standing import standing
from estimates.asked_hardware import Hardware, facts_used
from estimates.core.estimate import evaluate_one
from estimates.core.facts import Deployment
from estimates.from_catalog import (
    Evidence,
    accelerator_rows,
    chip_of,
    datasheet_of,
    evidence_of,
    model_facts,
    offer_of,
    shape_of,
    workload_facts,
)
from estimates.method import efficiency
from estimates.models import Estimate, State


def explain(row: Estimate, criteria: PriceFilter | None = None) -> dict[str, Any]:
    """The answer of `estimates.answers` for a cached row, from the facts as they stand now.

    `as_stored` says whether those are the facts that the row was made from; where it is false the numbers
    differ until the row is recalculated.
    """
    offer = row.offer
    accelerator = accelerator_rows(Accelerator.objects.all()).get(pk=offer.accelerator_id)
    sheet = datasheet_of(accelerator, evidence_of([accelerator.pk]).get(accelerator.pk, Evidence()))
    shape = shape_of(offer)
    model = model_facts(row.language_model)
    workload = workload_facts(row.workload)
    estimate = evaluate_one(
        model, offer_of(shape, sheet, chip_of(sheet)), workload, deployment_of(row), efficiency()
    )
    calculation = row.calculation
    found = answers.answer(
        estimate,
        model=model,
        workload=workload,
        sheet=sheet,
        shape=shape,
        facts=facts_used(Hardware(sheet, shape, accelerator, offer)),
        quote=offer_prices(criteria, [offer.pk]).get(offer.pk),
    )
    as_stored = (calculation.model_version, calculation.accelerator_version) == (
        row.language_model.version,
        accelerator.version,
    )
    found |= standing(estimate, model, workload, sheet, shape)
    return found | {"estimate": row.pk, "objective": row.get_objective_display(), "as_stored": as_stored}


def deployment_of(row: Estimate) -> Deployment:
    """What was kept, fixed in every choice; of a row that does not run, only what it tried."""
    if row.state == State.REFUSED:
        return Deployment()
    return Deployment(
        weights=row.weight_format or None,
        kv_format=row.kv_format or None,
        tp=row.tp,
        pp=row.pp,
        ep=row.ep,
        dp=row.dp,
        replicas=row.replicas,
        concurrency=row.concurrency,
    )
