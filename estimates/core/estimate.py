"""One question, one answer: a model on an offer under a workload, explained.

The same array code as the grid, on few points. A deployment's open choices are filled by evaluating every
layout; closed ones are validated. What cannot be estimated is refused with the missing fact, what does not
fit is a result with the shortfall and the smallest change that would fit.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from estimates.core.choice import Choice, Search, best_choice, choices_for, schemes_to_try
from estimates.core.correction import Placed
from estimates.core.deployments import (
    Reason,
    pads_heads,
    refuse_chip,
    refuse_model,
    resolve_kv,
    validate,
)
from estimates.core.efficiency import EfficiencyTable
from estimates.core.explain import explain
from estimates.core.facts import Deployment, ModelFacts, Offer, Workload
from estimates.core.figures import running, shared
from estimates.core.fingerprint import fingerprint
from estimates.core.fit import SmallestChange, smallest_change
from estimates.core.formats import UnknownFormat
from estimates.core.grades import grade_of
from estimates.core.identity import OWN_THROUGHPUT
from estimates.core.novelty import Novelty, novelty_of
from estimates.core.options import settle
from estimates.core.points import Evaluated, Point, evaluate_points, missing_rates
from estimates.core.pools import refuse_pool, unlinked
from estimates.core.result import Estimate as Estimate
from estimates.core.result import Interval as Interval
from estimates.core.result import State as State


def evaluate_one(
    model: ModelFacts,
    offer: Offer,
    workload: Workload,
    deployment: Deployment,
    efficiency: EfficiencyTable,
    *,
    explained: bool = True,
) -> Estimate:
    """Estimate one deployment. None in a Deployment's field lets the estimator choose it:

    weights: the checkpoint's own format, or the widest common one that fits if that does not; layout and
    concurrency: the highest throughput within the service level, or the lowest TPOT where none meets it.
    Without `explained` the answer has no elasticities and no formulas, at a third of the time.
    """
    choice = decide(model, offer, workload, deployment, efficiency)
    return answer_choice(model, offer, workload, deployment, choice, efficiency, explained=explained)


def answer_choice(
    model: ModelFacts,
    offer: Offer,
    workload: Workload,
    deployment: Deployment,
    choice: Choice | Reason,
    efficiency: EfficiencyTable,
    *,
    explained: bool = True,
) -> Estimate:
    """The answer to a question whose open choices `decide` has filled."""
    settled = settle(model, offer, deployment, efficiency)
    asked = deployment if isinstance(settled, Reason) else settled.deployment
    blank = Estimate(
        state="refused",
        model=model.slug,
        offer=offer.slug,
        workload=workload.slug,
        fingerprint=fingerprint(model, offer, workload, asked, efficiency.version),
    )
    if isinstance(choice, Reason):
        return _refused(blank, choice)
    return _answer(blank, model, offer, workload, choice, efficiency, explained)


def decide(
    model: ModelFacts,
    offer: Offer,
    workload: Workload,
    deployment: Deployment,
    efficiency: EfficiencyTable,
) -> Choice | Reason:
    """The deployment that answers a question, open choices filled, or why there is none.

    The choice may be one that does not fit, where none does: the largest, whose shortfall is the smallest.
    Benchmarks (static batches, saturating loads) are laid out by the physics alone, so that what was measured
    of them can teach nothing about which layout they had.
    """
    reason = refuse_model(model) or refuse_chip(offer.chip) or _refuse_context(model, workload)
    if reason is None:
        padded = pads_heads(efficiency, offer.chip, deployment.software)
        reason = validate(model, offer, deployment, padded=padded) or refuse_pool(
            model, offer, workload, deployment, padded=padded
        )
    if reason is not None:
        return reason
    settled = settle(model, offer, deployment, efficiency)
    if isinstance(settled, Reason):
        return settled
    offer, deployment = settled.offer, settled.deployment
    try:
        schemes = schemes_to_try(model, offer, deployment, efficiency)
        kv_formats = [resolve_kv(deployment.kv_format, scheme, offer.chip) for scheme in schemes]
    except UnknownFormat as unknown:
        detail = f"unknown number format {unknown.value!r}"
        return Reason("unknown_format", detail, "weights", None, unknown.accepted)
    if deployment.software is not None and deployment.software not in efficiency.software:
        detail = f"no efficiency data for serving software {deployment.software!r}"
        return Reason("unknown_software", detail, "software", None, efficiency.software)
    choices: list[Choice] = []
    for scheme, kv_format in zip(schemes, kv_formats, strict=True):
        search = Search(
            model, offer, workload, deployment, scheme, kv_format, efficiency, settled.prompt_chip
        )
        choices = choices_for(search)
        if not choices:
            continue
        if len(choices) == 1 and len(schemes) == 1:
            return choices[0]
        evaluated = evaluate_points(
            model,
            [choice.point for choice in choices],
            efficiency,
            corrected=workload.arrival == "closed_loop",
        )
        best = best_choice(choices, evaluated, workload, deployment)
        if evaluated.fits[best]:
            return choices[best]
    if not choices:
        reason = unlinked(offer, offer.count) if deployment.prefill is not None else None
        if reason is not None:
            return reason
        detail = f"no layout of {model.slug} within what was asked exists on {offer.slug}"
        return Reason("no_layout", detail, "deployment")
    return max(choices, key=lambda choice: choice.point.lane.group * choice.point.pp)


def _refused(blank: Estimate, reason: Reason) -> Estimate:
    missing = (reason.missing_fact,) if reason.missing_fact else ()
    return replace(blank, reason=reason, missing_facts=missing)


def _refuse_context(model: ModelFacts, workload: Workload) -> Reason | None:
    longest = model.architecture.max_context
    # The last token of an answer takes no position of its own; a benchmark of speed runs beyond the context.
    if longest is None or workload.arrival != "closed_loop" or workload.isl + workload.osl <= longest + 1:
        return None
    detail = f"{workload.isl + workload.osl:.0f} tokens exceed the context of {longest} of {model.slug}"
    return Reason("context_too_long", detail, "isl", None, (f"isl + osl <= {longest}",))


def _answer(
    blank: Estimate,
    model: ModelFacts,
    offer: Offer,
    workload: Workload,
    choice: Choice,
    efficiency: EfficiencyTable,
    explained: bool,
) -> Estimate:
    evaluated = evaluate_points(model, [choice.point], efficiency, detailed=True)
    story = explain(model, offer, choice.point, choice.replicas, evaluated, efficiency, whole=explained)
    known = shared(blank, offer, choice, story)
    lacking = missing_rates(evaluated.models, evaluated.lanes.for_prompts)[0]
    placed = evaluated.places[0]
    novelty = novelty_of(placed, efficiency.calibration, queued=bool(evaluated.queued[0]))
    if beyond_the_measured(choice.point, evaluated):
        novelty = novelty.at_best_kin()
    terms = evaluated.lanes.terms[0]
    grade = grade_of(
        choice.point.lane, choice.point.pp, terms, novelty.tier, chip_measured=novelty.chip_measured
    )
    if evaluated.spill is not None and evaluated.spill.whole[0] > 0:
        behind = choice.point.lane.variant.chip.tiers[1]
        grade = "D" if behind.assumed else grade
    known = replace(
        known,
        missing_facts=tuple(f"peak rate for {name}" for name in lacking),
        grade=grade,
        tier=novelty.tier,
        tiers=dict(novelty.tiers),
        correction={name: float(values[0]) for name, values in evaluated.factors.items()},
        assumptions=(*known.assumptions, *_learnt(evaluated, placed, novelty, efficiency)),
        inherited=evaluated.lanes.terms[0].origins,
    )
    if not evaluated.fits[0]:
        short = float(evaluated.cache_per_request[0] - evaluated.usable[0])
        change: SmallestChange | None = None
        where = "on each chip"
        if evaluated.capacity[0] >= 1 and evaluated.pools is not None:
            short = float(evaluated.pools.cache_per_prompt[0] - evaluated.pools.usable[0])
            where += " of the prefill workers"
        else:
            change = smallest_change(model, offer, workload, choice.point, evaluated, efficiency)
            if evaluated.pools is not None and change.kind == "chips":
                change = None  # it counts the chips of one pool alone
        return replace(
            known,
            state="does_not_fit",
            reason=Reason("does_not_fit", f"{short / 1e9:.2f} GB more are needed {where}", "memory"),
            shortfall_bytes=short,
            smallest_change=change,
            binding_limit="capacity",
            max_concurrency=0,
        )
    return running(known, offer, choice, evaluated, story, placed, novelty, efficiency)


def beyond_the_measured(point: Point, evaluated: Evaluated) -> bool:
    """Whether the point runs as none of the runs that teach does: speculating, from a second tier, divided

    between engines.
    """
    moved = evaluated.spill is not None and bool(evaluated.spill.whole[0] > 0)
    return point.speculation is not None or moved or point.lane.prompt_chip is not None


def _learnt(
    evaluated: Evaluated, placed: Placed, novelty: Novelty, efficiency: EfficiencyTable
) -> tuple[str, ...]:
    """What published runs changed, in a sentence."""
    calibration = efficiency.calibration
    if not evaluated.factors or calibration is None or calibration.residuals is None:
        return ()
    runs = calibration.residuals.runs_of_group("tpot", placed.identity)
    what = {
        "measured": f"{runs} run{'' if runs == 1 else 's'} of this group",
        "kin": "runs of its kin",
        "none": "runs of its kind",
    }
    tpot, ttft = (float(evaluated.factors[name][0]) for name in ("tpot", "ttft"))
    first = f", to first token x {ttft:.3g}" if np.isfinite(ttft) else ""
    whole = ""
    if placed.identity.serving in OWN_THROUGHPUT:
        rate = float(evaluated.factors["throughput"][0])
        whole = f", of the whole run x {rate:.3g} (the three are learnt apart and need not add up)"
    tier = novelty.tiers["tpot"]
    return (f"time per token is x {tpot:.3g} the physics'{first}{whole}: as published {what[tier]} say",)
