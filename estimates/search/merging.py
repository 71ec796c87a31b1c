"""Answers of one model and workload each, merged into one: pure, and the same whoever made the parts when.

A question of one model under one workload has its rows on top. One of several has the best of all on top,
and under `parts` each model and workload with its own best, fronts and counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

#: Rows that a merged answer keeps under `parts` in all, shared out evenly, at least one each.
MOST_PART_ROWS: Final = 20_000
#: Reasons of exclusion listed for each part of an answer of several.
MOST_EXCLUDED: Final = 20
FRONTS: Final[dict[str, Callable[[dict[str, Any]], tuple[float, float] | None]]] = {
    "speed_and_throughput_per_chip": lambda point: _pair(
        point["tok_s_per_user"], point["throughput_per_chip_tok_s"]
    ),
    "speed_and_usd_per_mtok": lambda point: _pair(
        point["tok_s_per_user"],
        None if point["usd_per_mtok_output"] is None else -float(point["usd_per_mtok_output"]),
    ),
}


def merged(
    parts: Sequence[dict[str, Any]],
    header: dict[str, Any],
    limit: int,
    *,
    failed: Sequence[dict[str, Any]] = (),
    dropped: int = 0,
    seconds: float = 0.0,
) -> dict[str, Any]:
    """One answer of the parts in their order. `failed` parts carry their error; `dropped` were not made."""
    alone = len(parts) == 1 and not failed and not dropped
    body: dict[str, Any] = {
        **header,
        "models": list(dict.fromkeys(part["model"] for part in parts)),
        "workloads": list({part["workload"]["workload"]: part["workload"] for part in parts}.values()),
        "results": ranked([row for part in parts for row in part["results"]], limit),
        "front": fronts([part["front"] for part in parts if part["front"] is not None]),
        "counts": total_counts([part["counts"] for part in parts]),
        "configurations": sum(part["configurations"] for part in parts),
        "seconds": round(seconds, 4),
        "complete": not failed and not dropped,
    }
    if alone:
        (part,) = parts
        return body | {
            "limits": part["limits"],
            "excluded": part["excluded"],
            "problem": part["problem"],
            "parts": None,
            "failed": [],
            "dropped": 0,
        }
    share = max(1, min(limit, MOST_PART_ROWS // max(1, len(parts))))
    shown = [
        part | {"results": part["results"][:share], "excluded": part["excluded"][:MOST_EXCLUDED]}
        for part in parts
    ]
    return body | {
        "limits": None,
        "excluded": [],
        "problem": None,
        "parts": shown,
        "failed": list(failed),
        "dropped": dropped,
    }


def ranked(rows: Sequence[dict[str, Any]], limit: int) -> list[dict[str, Any]]:
    """The best rows, ranked anew: by score, smaller first, those without one last, then by their names."""

    def key(row: dict[str, Any]) -> tuple[Any, ...]:
        score = row["score"]
        names = (row["model"], row["workload"], row["offer"])
        return (score is None, score or 0.0, row["rank"] or 0, *names)

    best = sorted(rows, key=key)[:limit]
    return [row | {"rank": rank} for rank, row in enumerate(best, 1)]


def fronts(parts: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The Pareto fronts of all points of the parts' fronts; None without any."""
    if not parts:
        return None
    if len(parts) == 1:
        return dict(parts[0])
    return {
        name: pareto([point for part in parts for point in part[name]], axes) for name, axes in FRONTS.items()
    }


def pareto(
    points: Sequence[dict[str, Any]], axes: Callable[[dict[str, Any]], tuple[float, float] | None]
) -> list[dict[str, Any]]:
    """The points that no other equals or exceeds on both axes, larger being better, by falling first axis."""
    placed = [(pair, point) for point in points if (pair := axes(point)) is not None]
    kept: list[dict[str, Any]] = []
    highest = float("-inf")
    for (_, up), point in sorted(placed, key=lambda one: (-one[0][0], -one[0][1])):
        if up > highest:
            kept.append(point)
            highest = up
    return kept


def total_counts(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Counts added up; `vendors` is the most that one part found."""
    excluded: dict[str, int] = {}
    for part in parts:
        for constraint, number in part["excluded"].items():
            excluded[constraint] = excluded.get(constraint, 0) + number
    return {
        "offers": sum(part["offers"] for part in parts),
        "feasible": sum(part["feasible"] for part in parts),
        "vendors": max((part["vendors"] for part in parts), default=0),
        "excluded": dict(sorted(excluded.items(), key=lambda item: (-item[1], item[0]))),
    }


def _pair(x: float | None, y: float | None) -> tuple[float, float] | None:
    return None if x is None or y is None else (x, y)
