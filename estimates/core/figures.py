"""The figures of an answer, from one evaluated point: state, speeds of the whole offer, intervals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from estimates.core.acceptance import accepted_range, tokens_per_step
from estimates.core.choice import Choice
from estimates.core.correction import Placed
from estimates.core.deployments import Reason
from estimates.core.efficiency import EfficiencyTable
from estimates.core.explain import Explanation
from estimates.core.facts import Offer, Speculation
from estimates.core.novelty import Bounds, Novelty, log_bounds
from estimates.core.percentiles import ttft_quantile
from estimates.core.points import Evaluated, Point
from estimates.core.result import Estimate, Interval

WAVE_WORTH_SAYING = 0.1  # of the mean first token


def scenario_of(point: Point) -> str:
    """How requests are served: what the formulas are those of."""
    return "disaggregated" if point.prefill is not None else point.workload.arrival


def shared(blank: Estimate, offer: Offer, choice: Choice, story: Explanation) -> Estimate:
    """What an answer says whether the model fits or not: layout, memory, assumptions."""
    lane, pool = choice.point.lane, choice.point.prefill
    used = chips_used(choice)
    deployment: dict[str, object] = {
        "weights": lane.scheme.slug,
        "kv_format": lane.kv_format,
        "tp": lane.tp,
        "pp": choice.point.pp,
        "ep": lane.ep,
        "dp": lane.dp,
        "replicas": choice.replicas,
        "chips_used": used,
        "chips_idle": offer.count - used,
        "software": lane.software or "mean of the measured",
    }
    if choice.point.speculation is not None:
        deployment["speculation"] = choice.point.speculation.method
        deployment["draft_tokens"] = choice.point.speculation.draft_tokens
    if choice.point.offload:
        deployment["offload"] = "second_tier"
    if pool is not None:
        deployment["prefill"] = {
            "workers": pool.workers,
            "tp": pool.lane.tp,
            "pp": pool.pp,
            "ep": pool.lane.ep,
            "dp": pool.lane.dp,
        }
    return replace(
        blank,
        scenario=scenario_of(choice.point),
        deployment=deployment,
        memory=story.memory,
        second_tier=story.second_tier,
        speculation=story.speculation,
        assumptions=story.assumptions,
        max_context=story.max_context,
    )


def chips_used(choice: Choice) -> int:
    point = choice.point
    prompts = point.prefill.chips if point.prefill is not None else 0
    return point.lane.group * point.pp * choice.replicas + prompts


def running(
    known: Estimate,
    offer: Offer,
    choice: Choice,
    evaluated: Evaluated,
    story: Explanation,
    placed: Placed,
    novelty: Novelty,
    efficiency: EfficiencyTable,
) -> Estimate:
    """An answer with its speeds: of a running or a saturated state."""
    loop, replicas = evaluated.loop, choice.replicas
    reason = _saturation(evaluated, replicas)
    tpot = float(loop.tpot.reshape(-1)[0])
    decode = float(loop.decode_throughput.reshape(-1)[0]) * replicas
    total = _times(loop.throughput, replicas)
    ttft = _ttft(evaluated, saturated=reason is not None)
    rate = total if total is not None else decode
    power = offer.chip.power_w
    answer = replace(
        known,
        state="ok" if reason is None else "saturated",
        reason=reason,
        tpot_s=tpot,
        ttft_s=ttft,
        e2e_s=_e2e(evaluated, ttft, tpot),
        throughput_output_tok_s=total,
        throughput_total_tok_s=_times(loop.throughput_total, replicas),
        prefill_tok_s=_times(loop.prefill_tok_s, replicas),
        decode_tok_s=decode,
        throughput_per_chip=None if total is None else total / offer.count,
        tok_s_per_user=1 / tpot,
        prefill_share=_prompt_share(choice, evaluated),
        concurrency=choice.point.concurrency * replicas,
        running_batch=float(loop.running.reshape(-1)[0]),
        max_concurrency=int(np.floor(evaluated.capacity[0])) * replicas,
        time_by_operation=story.time_by_operation,
        time_by_limit=story.time_by_limit,
        ttft_by_operation=story.ttft_by_operation,
        ttft_by_limit=story.ttft_by_limit,
        binding_limit="capacity" if reason is not None else story.binding_limit,
        elasticities=story.elasticities,
        most_helpful=story.most_helpful,
        energy_j_per_output_token=None if power is None else power * chips_used(choice) / rate,
        formulas=story.formulas,
    )
    answer = replace(answer, assumptions=(*answer.assumptions, *_wave_said(ttft)))
    first = ttft["loaded_mean"] if ttft["loaded_mean"] is not None else ttft.get("saturated_mean")
    bounds = log_bounds(
        placed,
        novelty,
        efficiency,
        known.grade or "D",
        first,
        tpot,
        choice.point.workload.osl,
        queued=bool(evaluated.queued[0]),
    )
    if choice.point.speculation is not None:
        bounds = widened(bounds, choice.point.speculation)
    return replace(answer, interval=_intervals(answer, bounds))


def _wave_said(ttft: dict[str, float | None]) -> tuple[str, ...]:
    """Which part of the mean first token is a benchmark's first wave, where it is much of it."""
    mean, wave, median = ttft["loaded_mean"], ttft.get("first_wave"), ttft["loaded_median"]
    if mean is None or wave is None or median is None or wave < WAVE_WORTH_SAYING * mean:
        return ()
    return (
        f"of the mean first token {wave * 1e3:.0f} of {mean * 1e3:.0f} ms are the first wave: clients of a "
        f"benchmark start together; the median, {median * 1e3:.0f} ms, is without it, as are independent "
        "users",
    )


def widened(bounds: dict[str, Bounds], speculation: Speculation) -> dict[str, Bounds]:
    """Bounds of times with the spread of the acceptance: both err apart, so that squares add up.

    A first token knows nothing of it; a throughput takes it whole, though prompts do not depend on it.
    """
    n, low, high = speculation.draft_tokens, *accepted_range(speculation)
    yields = [float(tokens_per_step(a, n)) for a in (low, speculation.acceptance or 0.0, high)]
    faster, slower = np.log(yields[1] / yields[2]), np.log(yields[1] / yields[0])
    return {
        metric: ends
        if metric == "ttft"
        else (-float(np.hypot(ends[0], faster)), float(np.hypot(ends[1], slower)))
        for metric, ends in bounds.items()
    }


def _saturation(evaluated: Evaluated, replicas: int) -> Reason | None:
    """Why requests wait for room; None where all that are asked for run at once."""
    point = evaluated.points[0]
    capacity, limit = evaluated.capacity[0], evaluated.limit[0]
    asked = point.concurrency
    if scenario_of(point) == "static":
        if evaluated.waves[0] <= 1:
            return None
        detail = (
            f"{asked * replicas:.0f} requests against room for {limit * replicas:.0f}: "
            f"{evaluated.waves[0]:.0f} batches of {evaluated.in_flight[0] * replicas:.4g} one after the other"
        )
        return Reason("saturated", detail, "concurrency", None, (f"concurrency <= {limit * replicas:.0f}",))
    share = float(evaluated.lanes["saturation_share"].reshape(-1)[0])
    room = min(limit, max(1.0, float(np.floor(share * capacity))))
    held = float(evaluated.in_flight[0]) if point.prefill is not None else asked
    if held <= room:
        return None
    what = "cache" if limit > share * capacity else "sequences of the software"
    most = capacity if limit > share * capacity else limit
    detail = (
        f"{asked * replicas:.0f} requests against {what} for {most * replicas:.0f}: "
        "time to first token is set by waiting for cache space"
    )
    if what != "cache":
        detail = detail.replace("cache space", "a place in the batch")
    return Reason("saturated", detail, "concurrency", None, (f"concurrency <= {room * replicas:.0f}",))


def _ttft(evaluated: Evaluated, *, saturated: bool) -> dict[str, float | None]:
    """Unloaded, loaded mean, median and 95th percentile; saturated, the mean of a closed population alone."""
    loop = evaluated.loop
    loaded = _finite(loop.ttft_loaded)
    wait, burst = _finite(loop.wait) or 0.0, _finite(loop.burst) or 0.0
    found: dict[str, float | None] = {"unloaded": _finite(loop.ttft_unloaded)}
    static = scenario_of(evaluated.points[0]) == "static"
    if loaded is None or (saturated and not static):
        found |= {"loaded_mean": None, "loaded_median": None, "loaded_p95": None}
    else:
        service, longest = loaded - wait - burst, _longest_wait(evaluated)
        median, p95 = (
            float(ttft_quantile(service, wait, burst, at, longest=longest, static=static))
            for at in ("median", "p95")
        )
        found |= {
            "loaded_mean": loaded,
            "loaded_median": loaded if static else median,
            "loaded_p95": p95,
            "first_wave": None if static else burst,
        }
    if saturated:
        found["saturated_mean"] = _finite(loop.ttft_saturated)
    return found


def _prompt_share(choice: Choice, evaluated: Evaluated) -> float | None:
    """Share of the chips' time that prompts take: of the replicas, or of the prefill pool's chips alone."""
    share, pool = _finite(evaluated.loop.prefill_share), choice.point.prefill
    if share is None or pool is None:
        return share
    return share * pool.chips / chips_used(choice)


def _longest_wait(evaluated: Evaluated) -> float:
    """The prompts of all others in the system, which no request waits longer for in a prefill pool."""
    pool, pools = evaluated.points[0].prefill, evaluated.pools
    if pool is None or pools is None:
        return np.inf
    whole = evaluated.points[0].concurrency * pool.decode_workers
    return whole / float(pools.prompts.rate_limit.reshape(-1)[0])


def _e2e(evaluated: Evaluated, ttft: dict[str, float | None], tpot: float) -> float | None:
    if "saturated_mean" not in ttft or scenario_of(evaluated.points[0]) == "static":
        return _finite(evaluated.loop.e2e)
    mean = ttft["saturated_mean"]
    return None if mean is None else mean + (evaluated.points[0].workload.osl - 1) * tpot


def _intervals(answer: Estimate, bounds: dict[str, Bounds]) -> dict[str, Interval]:
    """Bounds of times on times as they are, on rates turned over."""
    prompts = "ttft" if answer.scenario == "static" else "throughput"
    times = [
        ("tpot_s", answer.tpot_s, "tpot"),
        ("ttft_loaded_mean_s", answer.ttft_s["loaded_mean"], "ttft"),
        ("ttft_saturated_mean_s", answer.ttft_s.get("saturated_mean"), "ttft"),
        ("e2e_s", answer.e2e_s, "throughput"),
    ]
    rates = [
        ("throughput_output_tok_s", answer.throughput_output_tok_s, "throughput"),
        ("throughput_total_tok_s", answer.throughput_total_tok_s, "throughput"),
        ("prefill_tok_s", answer.prefill_tok_s, prompts),
    ]
    found = {
        name: Interval(value * np.exp(bounds[metric][0]), value * np.exp(bounds[metric][1]))
        for name, value, metric in times
        if value is not None
    }
    return found | {
        name: Interval(value * np.exp(-bounds[metric][1]), value * np.exp(-bounds[metric][0]))
        for name, value, metric in rates
        if value is not None
    }


def _finite(values: np.ndarray) -> float | None:
    value = float(values.reshape(-1)[0])
    return value if np.isfinite(value) else None


def _times(values: np.ndarray, replicas: int) -> float | None:
    value = _finite(values)
    return None if value is None else value * replicas
