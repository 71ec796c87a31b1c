"""What a run under load found: rates, latencies by kind, memory, staleness, and which bounds broke."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from estimates.benchmarks.load.memory import FLAT_WITHIN
from estimates.benchmarks.load.readers import Tally
from estimates.benchmarks.load.staleness import StalenessWatch

STALENESS_P99_SECONDS: Final = 10.0
#: Below this a run is too short to tell growth from warm-up: memory is reported and not judged.
MEMORY_JUDGED_FROM_MINUTES: Final = 10.0


def latencies(seconds: Sequence[float]) -> dict[str, float]:
    """Median, p90, p99 and maximum in ms."""
    p50, p90, p99 = np.percentile(np.asarray(seconds) * 1000, (50, 90, 99))
    return {
        "p50_ms": round(float(p50), 2),
        "p90_ms": round(float(p90), 2),
        "p99_ms": round(float(p99), 2),
        "max_ms": round(max(seconds) * 1000, 2),
    }


def requests(tally: Tally, seconds: float) -> dict[str, Any]:
    """Requests a second and latencies, overall and by kind."""
    by_kind: dict[str, list[float]] = defaultdict(list)
    statuses: dict[str, int] = defaultdict(int)
    for kind, _, took, status in tally.samples:
        by_kind[kind].append(took)
        statuses[str(status)] += 1
    everything = [took for found in by_kind.values() for took in found]
    return {
        "requests": len(everything),
        "requests_per_s": round(len(everything) / seconds, 2) if seconds else 0.0,
        **(latencies(everything) if everything else {}),
        "by_status": dict(sorted(statuses.items())),
        "server_errors": sum(n for status, n in statuses.items() if int(status) >= 500),
        "connection_errors": statuses.get("0", 0),
        "failures": tally.failures,
        "faults": tally.faults,
        "resent": tally.resent,
        "by_kind": {
            kind: {"requests": len(found), **latencies(found)} for kind, found in sorted(by_kind.items())
        },
    }


def staleness(watch: StalenessWatch) -> dict[str, Any]:
    """Seconds from an acknowledged edit of a figure to the last calculation made from it."""
    found: dict[str, Any] = {
        "edits": len(watch.seconds) + len(watch.open),
        "never_converged": len(watch.open),
    }
    if watch.seconds:
        p50, p95, p99 = np.percentile(watch.seconds, (50, 95, 99))
        found |= {
            "p50_s": round(float(p50), 2),
            "p95_s": round(float(p95), 2),
            "p99_s": round(float(p99), 2),
            "max_s": round(max(watch.seconds), 2),
        }
    return found


def broken(found: dict[str, Any], minutes: float) -> list[str]:
    """Every bound that does not hold, in words."""
    wrong: list[str] = []
    answered = found["answers"]
    if answered["failures"]:
        first = answered["faults"][0] if answered["faults"] else ""
        wrong.append(f"{answered['failures']} requests failed or were answered wrongly, the first: {first}")
    if not answered["requests"]:
        wrong.append("nothing was asked")
    wrong += found.get("died", [])
    stale = found["staleness"]
    if stale["never_converged"]:
        wrong.append(f"{stale['never_converged']} edits had not reached the estimates in the end")
    if stale.get("p99_s", 0.0) >= STALENESS_P99_SECONDS:
        wrong.append(f"staleness p99 {stale['p99_s']} s is not under {STALENESS_P99_SECONDS:.0f} s")
    if found.get("staleness_fault"):
        wrong.append(found["staleness_fault"])
    if minutes >= MEMORY_JUDGED_FROM_MINUTES:
        wrong += [
            f"memory of {role} grew by {memory['growth']:.1%}: {memory['first_quarter_mb']} MB to "
            f"{memory['last_quarter_mb']} MB"
            for role, memory in found["memory"].items()
            if memory["growth"] > FLAT_WITHIN and role != "postgres with shared buffers"
        ]
    return wrong


def table(answered: dict[str, Any]) -> list[str]:
    """The kinds of request as lines of a table."""
    shown = [f"{'kind':<28}{'requests':>9}{'p50 ms':>9}{'p90 ms':>9}{'p99 ms':>9}{'max ms':>10}"]
    rows = {**answered["by_kind"], "all": answered}
    for kind, row in rows.items():
        if "p50_ms" in row:
            shown.append(
                f"{kind:<28}{row['requests']:>9,}{row['p50_ms']:>9.1f}{row['p90_ms']:>9.1f}"
                f"{row['p99_ms']:>9.1f}{row['max_ms']:>10.1f}"
            )
    return shown
