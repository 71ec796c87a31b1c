"""A deployment, a front point and an exclusion of the core's search as plain values: units, names, money."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any, Final

from estimates.answers import milli, short
from estimates.core.demand import Excluded, Found, FrontPoint, Range
from estimates.core.facts import Workload
from estimates.cost import token_cost
from estimates.economics.steps import rounded
from estimates.search.machines import Machine, total
from estimates.search.question import Load

#: Constraint -> name in an answer, factor from the core's unit, unit.
CONSTRAINTS: Final = {
    "tpot": ("tpot_ms", 1e3),
    "ttft": ("ttft_ms", 1e3),
    "memory": ("memory_gb", 1e-9),
}
UNITS: Final = {"s": (1e3, "ms"), "bytes": (1e-9, "GB"), "B": (1e-9, "GB")}


def deployment(
    found: Found, machine: Machine, model: str, workload: Workload, load: Load, rank: int
) -> dict[str, Any]:
    """A ranked row. Times in ms, memory in GB a chip, rates in output tokens/s of the whole deployment."""
    return {
        "rank": rank,
        "model": model,
        "workload": workload.slug,
        "concurrency": load.concurrency,
        "asked_requests_per_s": load.requests_per_s,
        "offer": found.offer,
        "accelerator": machine.accelerator,
        "accelerator_name": machine.accelerator_name,
        "vendor": machine.vendor,
        "kind": machine.kind,
        "segment": machine.segment,
        "status": machine.status,
        "systems": list(machine.systems),
        "accelerators_per_machine": machine.count,
        "deployment": {
            "weight_format": found.scheme,
            "kv_format": found.kv_format,
            "tp": found.tp,
            "pp": found.pp,
            "ep": found.ep,
            "dp": found.dp,
            "machines_per_replica": found.cluster,
            "software": found.software,
            "prefill": None if found.prefill is None else asdict(found.prefill),
        },
        "replicas": found.replicas,
        "spare": found.spare,
        "machines": found.machines,
        "chips": found.chips,
        "watts": short(found.watts),
        "watts_from": machine.watts_from,
        "racks": short(found.racks),
        "concurrency_per_replica": short(found.concurrency),
        "requests_per_s": short(found.requests_per_s),
        "tpot_ms": {
            **spread(found.tpot, 1e3),
            "median": milli(found.tpot_median_s),
            "p95": milli(found.tpot_p95_s),
        },
        "ttft_ms": None
        if found.ttft is None
        else {
            **spread(found.ttft, 1e3),
            "median": milli(finite(found.ttft_median_s)),
            "p95": milli(finite(found.ttft_p95_s)),
            "unloaded": milli(finite(found.ttft_unloaded_s)),
        },
        "throughput_tok_s": spread(found.throughput),
        "tok_s_per_user": short(found.tok_s_per_user),
        "throughput_per_chip_tok_s": short(found.throughput_per_chip),
        "throughput_per_watt_tok_s": short(found.throughput_per_watt),
        "throughput_per_rack_tok_s": short(found.throughput_per_rack),
        "memory_gb": {
            "used": short(found.memory_used_bytes / 1e9),
            "usable": short(found.memory_capacity_bytes / 1e9),
        },
        "binding_limit": found.binding_limit,
        "grade": found.grade,
        "tier": found.tier,
        "missing_facts": list(found.missing_facts),
        "cost": cost(found, machine, workload),
        "slack": {name: slack(name, *pair) for name, pair in found.slack.items()},
        "score": short(finite(found.score)),
    }


def spread(value: Range, factor: float = 1.0) -> dict[str, float | None]:
    """A figure with the ends of its 80% interval."""
    return {
        "mean": short(finite(value.value * factor)),
        "low": short(finite(value.low * factor)),
        "high": short(finite(value.high * factor)),
    }


def cost(found: Found, machine: Machine, workload: Workload) -> dict[str, Any] | None:
    """What the whole deployment costs, in decimal text, and the price it rests on; None without a price.

    Exact decimals of the quoted price; the ends of the interval are those of the throughput.
    """
    price = machine.price
    hourly = total(price, found.machines)
    if price is None or hourly is None:
        return None
    rate = finite(found.throughput.value)
    tokens = token_cost(hourly, rate, workload.isl, workload.osl).as_json() if rate else {}
    return {
        "usd_per_hour": rounded(hourly),
        **tokens,
        "interval_80": {
            name: [money(value.low), money(value.high)]
            for name, value in (
                ("usd_per_mtok_output", found.usd_per_mtok_output),
                ("usd_per_mtok_input", found.usd_per_mtok_input),
                ("usd_per_mtok_blended", found.usd_per_mtok_blended),
            )
            if value is not None
        },
        "price": price.as_json(),
    }


def money(value: float | None) -> str | None:
    """A sum of the core as decimal text of six digits."""
    return None if finite(value) is None else rounded(Decimal(repr(float(value or 0.0))))


def slack(name: str, value: float, limit: float) -> dict[str, Any]:
    """How far a value stays below its limit, in the units of the answer."""
    _, factor = CONSTRAINTS.get(name, (name, 1.0))
    return {
        "value": short(finite(value * factor)),
        "limit": short(limit * factor),
        "unused_share": short(1 - value / limit) if limit and math.isfinite(value) else None,
    }


def front_point(point: FrontPoint, machine: Machine, model: str, workload: str, load: Load) -> dict[str, Any]:
    return {
        "model": model,
        "workload": workload,
        "concurrency": load.concurrency,
        "offer": point.offer,
        "accelerator": machine.accelerator,
        "vendor": machine.vendor,
        "weight_format": point.scheme,
        "tp": point.tp,
        "pp": point.pp,
        "ep": point.ep,
        "dp": point.dp,
        "concurrency_per_replica": short(point.concurrency),
        "replicas": point.replicas,
        "machines": point.machines,
        "tok_s_per_user": short(point.tok_s_per_user),
        "throughput_per_chip_tok_s": short(point.throughput_per_chip),
        "usd_per_mtok_output": money(point.usd_per_mtok_output),
        "tpot_ms": milli(point.tpot_s),
        "ttft_ms": milli(finite(point.ttft_s)),
        "within_limits": point.within,
    }


def excluded(out: Excluded, machine: Machine) -> dict[str, Any]:
    """Why an offer is out: its best value, the limit, how many times the limit that is, what would do."""
    factor, unit = UNITS.get(out.unit, (1.0, out.unit))
    change = out.change
    return {
        "offer": out.offer,
        "accelerator": machine.accelerator,
        "vendor": machine.vendor,
        "constraint": out.constraint,
        "value": None if finite(out.value) is None else short((out.value or 0.0) * factor),
        "limit": None if out.limit is None else short(out.limit * factor),
        "unit": unit,
        "times_the_limit": short(finite(out.by)),
        "detail": out.detail,
        "smallest_change": None
        if change is None
        else {"kind": change.kind, "value": change.value, "detail": change.detail},
    }


def unreadable(machine: Machine, problem: str) -> dict[str, Any]:
    """An offer whose own facts contradict each other."""
    out = Excluded(0, machine.offer, "missing_fact", None, None, "", problem)
    return excluded(out, machine)


def counted(rows: Sequence[dict[str, Any]], name: str) -> dict[str, int]:
    """How many rows have each value of a column, most first."""
    numbers: dict[str, int] = {}
    for row in rows:
        numbers[row[name]] = numbers.get(row[name], 0) + 1
    return dict(sorted(numbers.items(), key=lambda item: (-item[1], item[0])))


def finite(value: float | None) -> float | None:
    """The value; None where it is unknown or without end."""
    return None if value is None or not math.isfinite(value) else float(value)
