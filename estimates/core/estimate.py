"""One question, one answer: a model on an offer under a workload, explained.

The same array code as the grid, on few points. A deployment's open choices are filled by evaluating every
layout; closed ones are validated. What cannot be estimated is refused with the missing fact, what does not
fit is a result with the shortfall and the smallest change that would fit.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Literal

import numpy as np

from estimates.core.choice import Choice, best_choice, choices_for, schemes_to_try
from estimates.core.deployments import (
    Reason,
    refuse_chip,
    refuse_model,
    resolve_kv,
    validate,
)
from estimates.core.efficiency import EfficiencyTable
from estimates.core.explain import Explanation, explain
from estimates.core.facts import Deployment, ModelFacts, Offer, Workload
from estimates.core.fingerprint import METHOD_VERSION, fingerprint
from estimates.core.fit import SmallestChange, smallest_change
from estimates.core.formats import UnknownFormat
from estimates.core.grades import grade_of, interval_scales
from estimates.core.lowering import lower
from estimates.core.points import Evaluated, evaluate_points, missing_rates

State = Literal["ok", "does_not_fit", "refused", "saturated"]


@dataclass(frozen=True, slots=True)
class Interval:
    """80% interval of a positive quantity."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """The answer and its explanation. Seconds, bytes, tokens/s; None where it cannot be said."""

    state: State
    model: str
    offer: str
    workload: str
    deployment: dict[str, object] = field(default_factory=dict)
    reason: Reason | None = None
    missing_facts: tuple[str, ...] = ()
    tpot_s: float | None = None
    ttft_s: dict[str, float | None] = field(default_factory=dict)  # unloaded, loaded mean, median, p95
    throughput_output_tok_s: float | None = None  # whole offer, Little's law
    decode_tok_s: float | None = None  # whole offer, concurrency / TPOT: prefill not counted
    throughput_per_chip: float | None = None
    tok_s_per_user: float | None = None
    prefill_share: float | None = None  # share of the machine's time that prompts take
    concurrency: float | None = None  # asked for, whole offer
    running_batch: float | None = None  # decoding on one rank and pipeline slot
    max_concurrency: int | None = None
    max_context: int | None = None
    memory: dict[str, float] = field(default_factory=dict)  # bytes on the fullest chip
    time_by_operation: dict[str, float] = field(default_factory=dict)  # of one TPOT
    time_by_limit: dict[str, float] = field(default_factory=dict)
    ttft_by_operation: dict[str, float] = field(default_factory=dict)  # of the unloaded TTFT
    ttft_by_limit: dict[str, float] = field(default_factory=dict)
    binding_limit: str | None = None
    elasticities: dict[str, dict[str, float | None]] = field(default_factory=dict)
    most_helpful: str | None = None
    energy_j_per_output_token: float | None = None  # at rated power of the chips used
    grade: str | None = None
    interval: dict[str, Interval] = field(default_factory=dict)
    inherited: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    formulas: tuple[str, ...] = ()
    shortfall_bytes: float | None = None  # on the fullest chip
    smallest_change: SmallestChange | None = None
    method_version: str = METHOD_VERSION
    fingerprint: str = ""

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {entry.name: _plain(getattr(self, entry.name)) for entry in fields(self)}


def _plain(value: object) -> object:
    if isinstance(value, Reason | SmallestChange):
        return value.to_dict()
    if isinstance(value, Interval):
        return {"low": value.low, "high": value.high}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, float | np.floating):
        number = float(value)
        return number if np.isfinite(number) else None
    return value


def evaluate_one(
    model: ModelFacts,
    offer: Offer,
    workload: Workload,
    deployment: Deployment,
    efficiency: EfficiencyTable,
) -> Estimate:
    """Estimate one deployment. None in a Deployment's field lets the estimator choose it:

    weights: the checkpoint's own format, or the widest common one that fits if that does not; layout and
    concurrency: the highest throughput within the service level, or the lowest TPOT where none meets it.
    """
    blank = Estimate(
        state="refused",
        model=model.slug,
        offer=offer.slug,
        workload=workload.slug,
        fingerprint=fingerprint(model, offer, workload, deployment, efficiency.version),
    )
    reason = refuse_model(model) or refuse_chip(offer.chip) or _refuse_context(model, workload)
    if reason is None:
        reason = validate(model, offer, deployment)
    if reason is not None:
        return _refused(blank, reason)
    try:
        schemes = schemes_to_try(model, offer, deployment, efficiency)
        kv_formats = [resolve_kv(deployment.kv_format, scheme, offer.chip) for scheme in schemes]
    except UnknownFormat as unknown:
        detail = f"unknown number format {unknown.value!r}"
        return _refused(blank, Reason("unknown_format", detail, "weights", None, unknown.accepted))
    if deployment.software is not None and deployment.software not in efficiency.software:
        detail = f"no efficiency data for serving software {deployment.software!r}"
        return _refused(blank, Reason("unknown_software", detail, "software", None, efficiency.software))
    choices: list[Choice] = []
    for scheme, kv_format in zip(schemes, kv_formats, strict=True):
        choices = choices_for(model, offer, workload, deployment, scheme, kv_format, efficiency)
        if not choices:
            continue
        evaluated = evaluate_points(model, [choice.point for choice in choices], efficiency)
        best = best_choice(choices, evaluated, workload, deployment)
        if evaluated.capacity[best] >= 1:
            return _answer(blank, model, offer, workload, choices[best], efficiency)
    if not choices:
        detail = f"no layout of {model.slug} within what was asked exists on {offer.slug}"
        return _refused(blank, Reason("no_layout", detail, "deployment"))
    largest = max(choices, key=lambda choice: choice.point.lane.group * choice.point.pp)
    return _answer(blank, model, offer, workload, largest, efficiency)


def _refused(blank: Estimate, reason: Reason) -> Estimate:
    missing = (reason.missing_fact,) if reason.missing_fact else ()
    return replace(blank, reason=reason, missing_facts=missing)


def _refuse_context(model: ModelFacts, workload: Workload) -> Reason | None:
    longest = model.architecture.max_context
    if longest is None or workload.isl + workload.osl <= longest:
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
) -> Estimate:
    evaluated = evaluate_points(model, [choice.point], efficiency, detailed=True)
    story = explain(model, offer, choice.point, choice.replicas, evaluated, efficiency)
    shared = _shared(blank, offer, choice, evaluated, story)
    lowered = lower(model.architecture)
    lacking = missing_rates(lowered, evaluated.lanes)[0]
    grade = grade_of(choice.point.lane, choice.point.pp, evaluated.lanes.terms[0])
    shared = replace(
        shared,
        missing_facts=tuple(f"peak rate for {name}" for name in lacking),
        grade=grade,
        inherited=evaluated.lanes.terms[0].origins,
    )
    if evaluated.capacity[0] < 1:
        short = float(evaluated.cache_per_request[0] - evaluated.usable[0])
        change = smallest_change(model, offer, workload, choice.point, evaluated, efficiency)
        detail = f"{short / 1e9:.2f} GB more are needed on each chip"
        return replace(
            shared,
            state="does_not_fit",
            reason=Reason("does_not_fit", detail, "memory"),
            shortfall_bytes=short,
            smallest_change=change,
            binding_limit="capacity",
            max_concurrency=0,
        )
    return _running(shared, offer, workload, choice, evaluated, story, grade, efficiency)


def _shared(
    blank: Estimate, offer: Offer, choice: Choice, evaluated: Evaluated, story: Explanation
) -> Estimate:
    lane = choice.point.lane
    return replace(
        blank,
        deployment={
            "weights": lane.scheme.slug,
            "kv_format": lane.kv_format,
            "tp": lane.tp,
            "pp": choice.point.pp,
            "ep": lane.ep,
            "dp": lane.dp,
            "replicas": choice.replicas,
            "chips_used": lane.group * choice.point.pp * choice.replicas,
            "chips_idle": offer.count - lane.group * choice.point.pp * choice.replicas,
            "software": lane.software or "mean of the measured",
        },
        memory=story.memory,
        assumptions=story.assumptions,
        max_context=story.max_context,
    )


def _running(
    shared: Estimate,
    offer: Offer,
    workload: Workload,
    choice: Choice,
    evaluated: Evaluated,
    story: Explanation,
    grade: str,
    efficiency: EfficiencyTable,
) -> Estimate:
    loop = evaluated.loop
    replicas = choice.replicas
    asked = choice.point.concurrency
    share = float(evaluated.lanes["saturation_share"].reshape(-1)[0])
    limit = max(1.0, float(np.floor(share * evaluated.capacity[0])))
    saturated = asked > limit
    tpot = float(loop.tpot.reshape(-1)[0])
    loaded = _finite(loop.ttft_loaded)
    unloaded = _finite(loop.ttft_unloaded)
    throughput = _finite(loop.throughput)
    decode = float(loop.decode_throughput.reshape(-1)[0]) * replicas
    total = None if throughput is None else throughput * replicas
    wait, burst = _finite(loop.wait) or 0.0, _finite(loop.burst) or 0.0
    ttft: dict[str, float | None] = {"unloaded": unloaded}
    if saturated or loaded is None:
        ttft |= {"loaded_mean": None, "loaded_median": None, "loaded_p95": None}
    else:
        service = loaded - wait - burst
        ttft |= {
            "loaded_mean": loaded,
            "loaded_median": service + 0.693 * wait,
            "loaded_p95": service + 3.0 * wait + 2 * burst,
        }
    chips = choice.point.lane.group * choice.point.pp * replicas
    rate = total if total is not None else decode
    power = offer.chip.power_w
    intervals = {}
    for name, value, scale in (
        ("tpot_s", tpot, "tpot"),
        ("ttft_loaded_mean_s", ttft["loaded_mean"], "ttft"),
        ("throughput_output_tok_s", total, "throughput"),
    ):
        if value is not None:
            width = interval_scales(efficiency, grade)[scale]
            intervals[name] = Interval(value * np.exp(-width), value * np.exp(width))
    return replace(
        shared,
        state="saturated" if saturated else "ok",
        reason=Reason(
            "saturated",
            f"{asked * replicas:.0f} requests against cache for {evaluated.capacity[0] * replicas:.0f}: "
            "time to first token is set by waiting for cache space",
            "concurrency",
            None,
            (f"concurrency <= {limit * replicas:.0f}",),
        )
        if saturated
        else None,
        tpot_s=tpot,
        ttft_s=ttft,
        throughput_output_tok_s=total,
        decode_tok_s=decode,
        throughput_per_chip=None if total is None else total / offer.count,
        tok_s_per_user=1 / tpot,
        prefill_share=_finite(loop.prefill_share),
        concurrency=asked * replicas,
        running_batch=float(loop.running.reshape(-1)[0]),
        max_concurrency=int(np.floor(evaluated.capacity[0])) * replicas,
        time_by_operation=story.time_by_operation,
        time_by_limit=story.time_by_limit,
        ttft_by_operation=story.ttft_by_operation,
        ttft_by_limit=story.ttft_by_limit,
        binding_limit="capacity" if saturated else story.binding_limit,
        elasticities=story.elasticities,
        most_helpful=story.most_helpful,
        energy_j_per_output_token=None if power is None else power * chips / rate,
        interval=intervals,
        formulas=story.formulas,
    )


def _finite(values: np.ndarray) -> float | None:
    value = float(values.reshape(-1)[0])
    return value if np.isfinite(value) else None
