"""Quantiles of the request latency as the web processes have counted it, for a person's glance."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from config.metrics.requests import LATENCY, collectors

#: Requests that say nothing of how the service answers its readers.
LEFT_OUT = frozenset({"static", "healthz", "readyz", "metrics"})


@dataclass(frozen=True)
class Latency:
    """Requests counted since the web server began, and the time within which half and 99% were answered.

    None where nothing was counted; infinity above the last class of the histogram.
    """

    requests: int
    errors: int
    p50_seconds: float | None
    p99_seconds: float | None


def request_latency() -> Latency:
    """Over every route but files, probes and the metrics themselves."""
    classes: dict[float, float] = defaultdict(float)
    errors = 0.0
    name = LATENCY._name
    for collector in collectors():
        for metric in collector.collect():
            for sample in metric.samples:
                if sample.labels.get("route") in LEFT_OUT:
                    continue
                if sample.name == f"{name}_bucket":
                    classes[float(sample.labels["le"])] += sample.value
                elif sample.name == f"{name}_count" and sample.labels["status"] == "5xx":
                    errors += sample.value
    return Latency(
        requests=int(classes.get(math.inf, 0)),
        errors=int(errors),
        p50_seconds=quantile(classes, 0.5),
        p99_seconds=quantile(classes, 0.99),
    )


def quantile(cumulative: Mapping[float, float], share: float) -> float | None:
    """Interpolated within its class as Prometheus's histogram_quantile does it; None of nothing."""
    total = cumulative.get(math.inf, 0.0)
    if not total:
        return None
    wanted = share * total
    lower, below = 0.0, 0.0
    for bound in sorted(cumulative):
        count = cumulative[bound]
        if count >= wanted:
            if math.isinf(bound):
                return math.inf
            return lower + (bound - lower) * (wanted - below) / (count - below)
        lower, below = bound, count
    return math.inf
