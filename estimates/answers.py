"""A core estimate as plain values for people and JSON: units of the trade, cost, facts with their sources."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from catalog.prices import QuoteUsed
from estimates.core.estimate import Estimate
from estimates.core.facts import ModelFacts, Workload
from estimates.cost import prefill_share, split, token_cost
from estimates.economics.steps import rounded
from estimates.from_catalog import Datasheet, Shape

DIGITS = 5


def answer(
    estimate: Estimate,
    *,
    model: ModelFacts,
    workload: Workload,
    sheet: Datasheet,
    shape: Shape,
    facts: list[dict[str, Any]],
    quote: QuoteUsed | None,
    own_price: Decimal | None = None,
    notes: list[str] | None = None,
) -> dict[str, Any]:
    """The whole answer. Times in ms, memory in GB a chip, rates in tokens/s of the whole offer."""
    return {
        "model": model.slug,
        "accelerator": sheet.slug,
        "count": shape.count,
        "offer": shape.slug,
        "workload": workload_values(workload),
        "scenario": estimate.scenario,
        "state": estimate.state,
        "reason": estimate.reason.to_dict() if estimate.reason else None,
        "missing_facts": list(estimate.missing_facts),
        "deployment": estimate.deployment or None,
        "results": results(estimate, workload),
        "interval_80": intervals(estimate),
        "grade": estimate.grade,
        "tier": estimate.tier,
        "tiers": estimate.tiers or None,
        "correction": {name: short(value) for name, value in estimate.correction.items()} or None,
        "inherited": list(estimate.inherited),
        "memory_gb": {name: short(value / 1e9) for name, value in estimate.memory.items()} or None,
        "second_tier": second_tier(estimate),
        "speculation": speculation(estimate),
        "time_ms": {
            "tpot": splits(estimate.time_by_operation, estimate.time_by_limit),
            "ttft": splits(estimate.ttft_by_operation, estimate.ttft_by_limit),
        },
        "binding_limit": estimate.binding_limit,
        "binding_share": binding_share(estimate),
        "elasticities": {
            hardware: {result: short(value) for result, value in by.items()}
            for hardware, by in estimate.elasticities.items()
        },
        "most_helpful": estimate.most_helpful,
        "does_not_fit": shortfall(estimate),
        "cost": cost(estimate, workload, quote, own_price),
        "facts": facts,
        "assumptions": [*estimate.assumptions, *(notes or [])],
        "formulas": list(estimate.formulas),
        "method_version": estimate.method_version,
        "fingerprint": estimate.fingerprint,
    }


def second_tier(estimate: Estimate) -> dict[str, Any] | None:
    """GB of the fullest chip behind its first memory tier, and the bandwidth they are read at, in GB/s."""
    if not estimate.second_tier:
        return None
    names = {"bandwidth": "bandwidth_gbs"}
    return {names.get(key, f"{key}_gb"): short(value / 1e9) for key, value in estimate.second_tier.items()}


def speculation(estimate: Estimate) -> dict[str, Any] | None:
    """What a step drafts, verifies and yields: tokens of a sequence, ms by the physics."""
    found = estimate.speculation
    if not found:
        return None
    values: dict[str, Any] = {}
    for name, value in found.items():
        if name.endswith("_s") and isinstance(value, float):
            values[name.removesuffix("_s") + "_ms"] = milli(value)
        else:
            values[name] = short(value) if isinstance(value, float) else value
    return values


def workload_values(workload: Workload) -> dict[str, Any]:
    return {
        "workload": workload.slug,
        "isl": workload.isl,
        "osl": workload.osl,
        "prefix_share": workload.prefix_share,
        "prefix_shared": workload.prefix_shared,
        "arrival": workload.arrival,
        "ttft_limit_ms": milli(workload.ttft_slo_s),
        "tpot_limit_ms": milli(workload.tpot_slo_s),
    }


def results(estimate: Estimate, workload: Workload) -> dict[str, Any] | None:
    """The numbers asked for; None where nothing runs."""
    if estimate.tpot_s is None:
        return None
    return {
        "tpot_ms": milli(estimate.tpot_s),
        "ttft_ms": {name: milli(value) for name, value in estimate.ttft_s.items()},
        "e2e_ms": milli(estimate.e2e_s),
        "throughput_tok_s": short(estimate.throughput_output_tok_s),
        "throughput_total_tok_s": short(estimate.throughput_total_tok_s),
        "prefill_tok_s": short(estimate.prefill_tok_s),
        "decode_tok_s": short(estimate.decode_tok_s),
        "throughput_per_chip_tok_s": short(estimate.throughput_per_chip),
        "tok_s_per_user": short(estimate.tok_s_per_user),
        "concurrency": short(estimate.concurrency),
        "running_batch": short(estimate.running_batch),
        "max_concurrency": estimate.max_concurrency,
        "max_context": estimate.max_context,
        "energy_j_per_output_token": short(estimate.energy_j_per_output_token),
        "meets_service_level": meets_service_level(estimate, workload),
    }


def meets_service_level(estimate: Estimate, workload: Workload) -> bool | None:
    """Whether TPOT and loaded mean TTFT keep the limits; None where one of them cannot be said."""
    if estimate.tpot_s is None:
        return None
    checks: list[bool | None] = []
    if workload.tpot_slo_s is not None:
        checks.append(estimate.tpot_s <= workload.tpot_slo_s)
    if workload.ttft_slo_s is not None:
        loaded = estimate.ttft_s.get("loaded_mean")
        # Saturated means no finite wait for cache space: beyond any limit.
        checks.append(
            None
            if loaded is None and estimate.state != "saturated"
            else (loaded or 1e9) <= workload.ttft_slo_s
        )
    if False in checks:
        return False
    return None if None in checks else True


def intervals(estimate: Estimate) -> dict[str, Any]:
    """80% intervals in the units of `results`."""
    named = {
        "tpot_s": ("tpot_ms", 1e3),
        "ttft_loaded_mean_s": ("ttft_ms", 1e3),
        "ttft_saturated_mean_s": ("ttft_saturated_ms", 1e3),
        "e2e_s": ("e2e_ms", 1e3),
        "throughput_output_tok_s": ("throughput_tok_s", 1.0),
        "throughput_total_tok_s": ("throughput_total_tok_s", 1.0),
        "prefill_tok_s": ("prefill_tok_s", 1.0),
    }
    return {
        named[name][0]: [short(width.low * named[name][1]), short(width.high * named[name][1])]
        for name, width in estimate.interval.items()
        if name in named
    }


def splits(by_operation: dict[str, float], by_limit: dict[str, float]) -> dict[str, Any] | None:
    if not by_limit:
        return None
    return {
        "by_operation": {name: milli(value) for name, value in by_operation.items()},
        "by_limit": {name: milli(value) for name, value in by_limit.items()},
    }


def binding_share(estimate: Estimate) -> float | None:
    """The binding limit's part of TPOT."""
    whole = sum(estimate.time_by_limit.values())
    bound = estimate.time_by_limit.get(estimate.binding_limit or "")
    return short(bound / whole) if bound is not None and whole > 0 else None


def shortfall(estimate: Estimate) -> dict[str, Any] | None:
    if estimate.shortfall_bytes is None:
        return None
    change = estimate.smallest_change
    return {
        "shortfall_gb": short(estimate.shortfall_bytes / 1e9),
        "smallest_change": change.to_dict() if change else None,
    }


def cost(
    estimate: Estimate, workload: Workload, quote: QuoteUsed | None, own_price: Decimal | None
) -> dict[str, Any] | None:
    """Cost on the quote used, or on a price of one's own; None without either or without a throughput."""
    price = own_price if own_price is not None else quote.usd_per_hour if quote else None
    rate = estimate.throughput_output_tok_s
    if price is None:
        return None
    found: dict[str, Any] = {"quote": quote.as_json() if quote else None, "usd_per_hour": rounded(price)}
    if rate is None or rate <= 0:
        return found
    tokens = token_cost(price, rate, workload.isl, workload.osl)
    found |= tokens.as_json()
    share = prompt_share(estimate, workload, rate)
    if share is not None:
        found["split"] = split(tokens, share).as_json()
    return found


def prompt_share(estimate: Estimate, workload: Workload, output_tokens_per_s: float) -> float | None:
    """The part of the machine's time that prompts take; None where no rate to compute them is known."""
    unloaded = estimate.ttft_s.get("unloaded")
    replicas = estimate.deployment.get("replicas")
    if unloaded is None or not isinstance(replicas, int):
        return None
    if estimate.scenario != "closed_loop":
        return estimate.prefill_share
    return prefill_share(unloaded, replicas, output_tokens_per_s, workload.osl)


def short(value: float | None) -> float | None:
    """Five significant digits: more than an estimate has."""
    return None if value is None else float(f"{float(value):.{DIGITS}g}")


def milli(seconds: float | None) -> float | None:
    return None if seconds is None else short(seconds * 1e3)
