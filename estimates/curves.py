"""Load curves: throughput, TPOT and TTFT of one deployment against clients and against requests a second.

The question is that of a what-if with `curve` beside it; the deployment is chosen as for an answer and kept
while the load moves. Nothing is saved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from catalog.models import Accelerator
from estimates.answers import short, workload_values
from estimates.asked_hardware import find_hardware
from estimates.asked_model import find_model, find_workload
from estimates.core.choice import Choice
from estimates.core.estimate import Estimate, decide, evaluate_one
from estimates.core.facts import Deployment, ModelFacts, Offer, Pool, Workload
from estimates.core.load_curves import Curve, Deployed, closed_curve, usual_loads
from estimates.core.open_loop import Crossing, Limit, OpenLoop, crossings, open_curve, open_loop
from estimates.core.percentiles import PERCENTILES, At
from estimates.evaluate import core_facts, refuse_question
from estimates.explanations import deployment_of
from estimates.from_catalog import (
    Datasheet,
    Evidence,
    Shape,
    accelerator_rows,
    chip_of,
    datasheet_of,
    evidence_of,
    model_facts,
    offer_of,
    shape_of,
    workload_facts,
)
from estimates.method import efficiency, method_version
from estimates.models import Estimate as EstimateRow
from estimates.what_if import Fault, InvalidQuestion, Positive, Question, faults_of, fields_below

Axis = Literal["concurrency", "requests_per_s"]
AXES: Final[tuple[Axis, ...]] = ("concurrency", "requests_per_s")
MOST_POINTS: Final = 200
USUAL_POINTS: Final = 24

CLOSED_NOTE: Final = (
    "concurrency: clients that send their next request when they are answered and that start together, as a "
    "benchmark runs them. The mean first token holds that first wave (ttft_first_wave_ms), the median does "
    "not: it is what most requests after the start see."
)
OPEN_NOTE: Final = (
    "requests_per_s: independent users who come by chance (Poisson), so there is no first wave; requests in "
    "flight follow by Little's law. From the highest stable rate on the queue grows for ever: no first token "
    "is given."
)
NO_RATE_NOTE: Final = "without a rate to compute prompts with there are no first tokens and no requests/s"


class LimitAsked(BaseModel):
    """A service level whose rate and clients are asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    metric: Literal["ttft", "tpot"]
    at: At = "median"
    ms: Positive


class CurveAsked(BaseModel):
    """Which loads: how many points, or `values` of one axis; both axes where none is named."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    axis: Axis | None = Field(default=None, description="left out: both")
    points: Annotated[int, Field(ge=4, le=MOST_POINTS)] = Field(
        default=USUAL_POINTS, description="of each axis, besides the point of saturation"
    )
    values: Annotated[list[Positive], Field(min_length=1, max_length=MOST_POINTS)] | None = Field(
        default=None, description="loads of the axis named, in place of points"
    )
    limits: Annotated[list[LimitAsked], Field(max_length=10)] | None = Field(
        default=None, description="left out: the workload's, TTFT and TPOT at the median and at p95"
    )


class CurveQuestion(Question):
    """A what-if whose load moves."""

    curve: CurveAsked = CurveAsked()


def read_curve_question(data: Any) -> CurveQuestion:
    """The checked question of plain JSON values. Raises InvalidQuestion with every fault found."""
    if not isinstance(data, Mapping):
        raise InvalidQuestion(Fault("", "not_an_object", "the question is not an object", "an object"))
    try:
        question = CurveQuestion.model_validate(data)
    except ValidationError as error:
        raise InvalidQuestion(
            *faults_of(error, data, lambda place: fields_below(CurveQuestion, place))
        ) from None
    if question.curve.values is not None and question.curve.axis is None:
        detail = "values are loads of one axis, which is not named"
        raise InvalidQuestion(Fault("/curve/axis", "missing", detail, list(AXES)))
    return question


def curves(data: Any) -> dict[str, Any]:
    """Answer a question with both curves, or the one asked for; raises InvalidQuestion.

    What does not fit and what a missing fact refuses are answers without curves, with the reason.
    """
    question = read_curve_question(data)
    hardware, model, workload = find_hardware(question), find_model(question.model), find_workload(question)
    if workload.arrival != "closed_loop":
        pointer = "/workload_overrides" if isinstance(question.workload, str) else "/workload"
        detail = f"a load curve moves the load itself; arrival is {workload.arrival}"
        raise InvalidQuestion(Fault(f"{pointer}/arrival", "no_load_to_move", detail, ["closed_loop"]))
    offer, deployment = core_facts(hardware, question)
    found, estimate = answer(
        model, offer, workload, deployment, question.curve, hardware.sheet, hardware.shape
    )
    refuse_question(estimate, question)
    return found


def stored_curves(row: EstimateRow, asked: CurveAsked) -> dict[str, Any]:
    """The curves of a cached estimate's deployment, from the facts as they stand now."""
    offer = row.offer
    accelerator = accelerator_rows(Accelerator.objects.all()).get(pk=offer.accelerator_id)
    sheet = datasheet_of(accelerator, evidence_of([accelerator.pk]).get(accelerator.pk, Evidence()))
    shape = shape_of(offer)
    found, _ = answer(
        model_facts(row.language_model),
        offer_of(shape, sheet, chip_of(sheet)),
        workload_facts(row.workload),
        deployment_of(row),
        asked,
        sheet,
        shape,
    )
    return found | {"estimate": row.pk}


def answer(
    model: ModelFacts,
    offer: Offer,
    workload: Workload,
    deployment: Deployment,
    asked: CurveAsked,
    sheet: Datasheet,
    shape: Shape,
) -> tuple[dict[str, Any], Estimate]:
    """(the curves with what they are of, the estimate of the question's own load)."""
    estimate = evaluate_one(model, offer, workload, deployment, efficiency(), explained=False)
    found: dict[str, Any] = {
        "model": model.slug,
        "accelerator": sheet.slug,
        "count": shape.count,
        "offer": shape.slug,
        "workload": workload_values(workload),
        "state": estimate.state if estimate.state in ("does_not_fit", "refused") else "ok",
        "reason": None,
        "missing_facts": list(estimate.missing_facts),
        "deployment": estimate.deployment or None,
        "saturation": None,
        "limits": [],
        "points": [],
        "notes": [],
        "method_version": method_version(),
    }
    if found["state"] != "ok":
        found["reason"] = estimate.reason.to_dict() if estimate.reason else None
        return found, estimate
    choice = decide(model, offer, workload, kept(deployment, estimate), efficiency())
    if not isinstance(choice, Choice):
        missing = [choice.missing_fact] if choice.missing_fact else []
        found |= {"state": "refused", "reason": choice.to_dict(), "missing_facts": missing}
        return found, estimate
    return found | figures(Deployed(model, choice.point, choice.replicas, efficiency()), asked), estimate


def kept(asked: Deployment, estimate: Estimate) -> Deployment:
    """The deployment that an estimate was made of, every choice closed."""
    chosen: dict[str, Any] = dict(estimate.deployment)
    sizes = {name: chosen[name] for name in ("weights", "kv_format", "tp", "pp", "ep", "dp", "replicas")}
    pool = chosen.get("prefill")
    if asked.weights is not None:
        sizes["weights"] = asked.weights
    return replace(
        asked,
        **sizes,
        concurrency=max(1, round(estimate.concurrency or 1)),
        prefill=None if pool is None else Pool(**pool),
    )


def figures(deployed: Deployed, asked: CurveAsked) -> dict[str, Any]:
    """Saturation, limits and points of one deployment."""
    workload = deployed.point.workload
    poisson = open_loop(deployed)
    usual = closed_curve(deployed, usual_loads(deployed, asked.points))
    points: list[dict[str, Any]] = []
    notes = []
    if asked.axis in (None, "concurrency"):
        loads = None if asked.values is None else np.unique(asked.values)
        curve = usual if loads is None else closed_curve(deployed, loads)
        points += rows("concurrency", curve, deployed, poisson)
        notes.append(CLOSED_NOTE)
    if poisson is None:
        notes.append(NO_RATE_NOTE)
    elif asked.axis in (None, "requests_per_s"):
        rates = poisson.usual_rates(asked.points) if asked.values is None else np.unique(asked.values)
        points += rows("requests_per_s", open_curve(poisson, rates), deployed, poisson)
        notes.append(OPEN_NOTE)
    limits = usual_limits(workload) if asked.limits is None else asked.limits
    return {
        "saturation": saturation(usual, poisson),
        "limits": [
            limit_values(limit, usual, cross)
            for limit, cross in zip(limits, _crossings(limits, poisson), strict=True)
        ],
        "points": points,
        "notes": notes,
    }


def usual_limits(workload: Workload) -> list[LimitAsked]:
    """The workload's own limits at the median and at p95."""
    levels: list[tuple[Literal["ttft", "tpot"], float | None]] = [
        ("ttft", workload.ttft_slo_s),
        ("tpot", workload.tpot_slo_s),
    ]
    ats: tuple[At, ...] = ("median", "p95")
    return [
        LimitAsked(metric=metric, at=at, ms=seconds * 1e3)
        for metric, seconds in levels
        if seconds is not None
        for at in ats
    ]


def saturation(usual: Curve, poisson: OpenLoop | None) -> dict[str, Any]:
    """Where a closed loop is full, and the highest rate at which the queue of an open one stands."""
    full = [index for index, state in enumerate(usual.state) if state != "saturated"]
    last = full[-1] if full else 0
    found: dict[str, Any] = {
        "concurrency": short(usual.load[last]),
        "throughput_tok_s": known(usual.throughput[last]),
        "requests_per_s": None,
        "requests_per_s_low": None,
        "requests_per_s_high": None,
    }
    if poisson is not None:
        found |= {
            "requests_per_s": short(poisson.highest),
            "requests_per_s_low": short(poisson.highest_low),
            "requests_per_s_high": short(poisson.highest_high),
        }
    return found


def _crossings(asked: list[LimitAsked], poisson: OpenLoop | None) -> list[Crossing] | list[None]:
    if poisson is None:
        return [None] * len(asked)
    return crossings(poisson, [Limit(limit.metric, limit.at, limit.ms / 1e3) for limit in asked])


def limit_values(asked: LimitAsked, usual: Curve, cross: Crossing | None) -> dict[str, Any]:
    """The highest rate, and the most clients of the points evaluated, within a limit."""
    seconds = asked.ms / 1e3
    values = usual.ttft[asked.at] if asked.metric == "ttft" else usual.tpot[asked.at]
    running = np.array([state != "saturated" for state in usual.state])
    kept = np.flatnonzero(running & (values <= seconds))
    found: dict[str, Any] = {
        **asked.model_dump(),
        "concurrency": short(_clients_within(usual.load, values, kept, running, seconds)),
        "requests_per_s": None,
        "requests_per_s_low": None,
        "requests_per_s_high": None,
        "reached_by": None,
    }
    if cross is not None:
        found |= {
            "requests_per_s": short(cross.rate),
            "requests_per_s_low": short(cross.low),
            "requests_per_s_high": short(cross.high),
            "reached_by": cross.by,
        }
    return found


def _clients_within(
    loads: np.ndarray, values: np.ndarray, kept: np.ndarray, running: np.ndarray, seconds: float
) -> float:
    """Most clients within a limit, between two points in logarithms, in whole clients; 0 where none are."""
    if not kept.size:
        return 0.0
    last = int(kept[-1])
    after = last + 1
    if after >= loads.size or not running[after]:
        return float(loads[last])
    ends = np.log([values[last], values[after]]), np.log([loads[last], loads[after]])
    return float(np.floor(np.exp(np.interp(np.log(seconds), *ends)) + 1e-9))


# ---- Rows ------------------------------------------------------------------------------------------------

PER_TIME: Final = tuple(
    f"{metric}_{at}_ms{end}"
    for metric in ("tpot", "ttft")
    for at in PERCENTILES
    for end in ("", "_low", "_high")
)
COLUMNS: Final = (
    "axis",
    "concurrency",
    "requests_per_s",
    "state",
    "throughput_tok_s",
    "throughput_tok_s_low",
    "throughput_tok_s_high",
    *PER_TIME,
    "ttft_unloaded_ms",
    "ttft_first_wave_ms",
    "ttft_waiting_ms",
    "ttft_saturated_mean_ms",
    "prefill_utilisation",
    "grade",
    "tier",
)


def rows(axis: Axis, curve: Curve, deployed: Deployed, poisson: OpenLoop | None) -> list[dict[str, Any]]:
    """The points of a curve as flat rows of `COLUMNS`. Rates and clients are of the whole offer."""
    return [_row(axis, curve, index, deployed, poisson) for index in range(curve.load.size)]


def _row(
    axis: Axis, curve: Curve, index: int, deployed: Deployed, poisson: OpenLoop | None
) -> dict[str, Any]:
    rate, osl = float(curve.throughput[index]), deployed.point.workload.osl
    if axis == "requests_per_s" and poisson is not None:
        # Users set the rate; what is uncertain is how much of it a deployment keeps up with.
        asked = float(curve.load[index])
        low, high = (min(asked, end) * osl for end in (poisson.highest_low, poisson.highest_high))
    else:
        low, high = (rate * factor for factor in _factors(curve, "throughput", index, turned=True))
    found: dict[str, Any] = {
        "axis": axis,
        "concurrency": short(curve.concurrency[index]),
        "requests_per_s": known(curve.load[index] if axis == "requests_per_s" else rate / osl),
        "state": curve.state[index],
        "throughput_tok_s": known(rate),
        "throughput_tok_s_low": known(low),
        "throughput_tok_s_high": known(high),
    }
    for metric, values in (("tpot", curve.tpot), ("ttft", curve.ttft)):
        below, above = _factors(curve, metric, index)
        for at in PERCENTILES:
            value = float(values[at][index])
            found[f"{metric}_{at}_ms"] = known(value * 1e3)
            found[f"{metric}_{at}_ms_low"] = known(value * below * 1e3)
            found[f"{metric}_{at}_ms_high"] = known(value * above * 1e3)
    saturated = curve.ttft_saturated
    return found | {
        "ttft_unloaded_ms": known(curve.ttft_unloaded[index] * 1e3),
        "ttft_first_wave_ms": known(curve.first_wave[index] * 1e3),
        "ttft_waiting_ms": known(curve.waiting[index] * 1e3),
        "ttft_saturated_mean_ms": None if saturated is None else known(saturated[index] * 1e3),
        "prefill_utilisation": known(curve.utilisation[index]),
        "grade": curve.grades[index],
        "tier": curve.tiers[index],
    }


def _factors(curve: Curve, metric: str, index: int, *, turned: bool = False) -> tuple[float, float]:
    """Lowest and highest over the estimate: of times, or of a rate, which turns them over."""
    below, above = (float(side[index]) for side in curve.bounds[metric])
    if turned:
        below, above = -above, -below
    return float(np.exp(below)), float(np.exp(above))


def known(value: float) -> float | None:
    return short(value) if np.isfinite(value) else None
