"""Answers of one model, workload and load each, merged into one: pure, and the same whoever made them when.

A question of one model under one load has its rows on top. One of several has the best of all on top, and
under `parts` each with its own best, fronts and counts; of very many only their best row. What a part keeps
is bounded by how many there are, so that an answer of a hundred thousand searches can still be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from estimates.search.table import flat

Answer = dict[str, Any]
Axes = Callable[[Answer], tuple[float, float] | None]

#: Ranked rows and points of fronts that all parts keep together, shared out evenly.
MOST_ROWS: Final = 5_000
MOST_POINTS: Final = 20_000
#: Reasons of exclusion listed for each part of an answer of several, nearest first.
MOST_EXCLUDED: Final = 20
#: Of more parts than these an answer lists each one's best row alone.
MOST_WHOLE_PARTS: Final = 200


def _pair(x: float | None, y: float | None) -> tuple[float, float] | None:
    return None if x is None or y is None else (x, y)


def _speed_and_throughput(point: Answer) -> tuple[float, float] | None:
    return _pair(point["tok_s_per_user"], point["throughput_per_chip_tok_s"])


def _speed_and_cost(point: Answer) -> tuple[float, float] | None:
    cost = point["usd_per_mtok_output"]
    return _pair(point["tok_s_per_user"], None if cost is None else -float(cost))


FRONTS: Final[dict[str, Axes]] = {
    "speed_and_throughput_per_chip": _speed_and_throughput,
    "speed_and_usd_per_mtok": _speed_and_cost,
}


def shrunk(part: Answer, parts: int) -> Answer:
    """What one of so many parts keeps: its best rows, points along its fronts, the nearest exclusions."""
    if parts == 1:
        return part
    rows, points = max(1, MOST_ROWS // parts), max(4, MOST_POINTS // parts)
    front = part["front"]
    if front is not None:
        front = {name: spread_out(front[name], points) for name in front}
    return part | {
        "results": part["results"][:rows],
        "excluded": part["excluded"][:MOST_EXCLUDED],
        "front": front,
    }


def spread_out(points: Sequence[Answer], most: int) -> list[Answer]:
    """At most so many points, evenly along the curve, both ends among them."""
    if len(points) <= most:
        return list(points)
    step = (len(points) - 1) / (most - 1)
    return [points[round(step * number)] for number in range(most)]


def merged(
    parts: Iterable[Answer],
    header: Answer,
    limit: int,
    *,
    failed: Sequence[Answer] = (),
    dropped: int = 0,
    seconds: float = 0.0,
) -> Answer:
    """One answer of the parts in their order. `failed` ones carry their error; `dropped` were never made."""
    whole: list[Answer] = []
    brief: list[Answer] = []
    best: list[Answer] = []
    points: dict[str, list[Answer]] = {name: [] for name in FRONTS}
    workloads: dict[str, Answer] = {}
    tally, models, configurations, fronted = Counts(), dict[str, None](), 0, False
    for part in parts:
        models[part["model"]] = None
        workloads.setdefault(part["workload"]["workload"], part["workload"])
        tally.add(part["counts"])
        configurations += part["configurations"]
        best += part["results"]
        if len(best) > 4 * limit:
            best = ranked(best, limit)
        if part["front"] is not None:
            fronted = True
            for name, axes in FRONTS.items():
                points[name] = pareto([*points[name], *part["front"][name]], axes)
        if len(whole) <= MOST_WHOLE_PARTS:
            whole.append(part)
        brief.append(in_brief(part))
    body: Answer = {
        **header,
        "models": list(models),
        "workloads": list(workloads.values()),
        "results": ranked(best, limit),
        "front": points if fronted else None,
        "counts": tally.as_json(),
        "configurations": configurations,
        "seconds": round(seconds, 4),
        "complete": not failed and not dropped,
    }
    if len(brief) == 1 and not failed and not dropped:
        (part,) = whole
        return body | {
            "front": part["front"],
            "limits": part["limits"],
            "excluded": part["excluded"],
            "problem": part["problem"],
            "parts": None,
            "failed": [],
            "dropped": 0,
        }
    return body | {
        "limits": None,
        "excluded": [],
        "problem": None,
        "parts": whole if len(brief) <= MOST_WHOLE_PARTS else brief,
        "failed": list(failed),
        "dropped": dropped,
    }


def in_brief(part: Answer) -> Answer:
    """A part by its best row, flat."""
    return {
        "model": part["model"],
        "workload": part["workload"]["workload"],
        "load": part["load"],
        "counts": part["counts"],
        "best": flat(part["results"][0]) if part["results"] else None,
        "problem": part["problem"],
        "configurations": part["configurations"],
    }


def ranked(rows: Sequence[Answer], limit: int) -> list[Answer]:
    """The best rows, ranked anew: smaller score first, those without one last, equals by their names."""

    def key(row: Answer) -> tuple[Any, ...]:
        score = row["score"]
        load = (row["concurrency"] or 0, row["asked_requests_per_s"] or 0.0)
        return (
            score is None,
            score or 0.0,
            row["rank"] or 0,
            row["model"],
            row["workload"],
            load,
            row["offer"],
        )

    return [row | {"rank": rank} for rank, row in enumerate(sorted(rows, key=key)[:limit], 1)]


def pareto(points: Sequence[Answer], axes: Axes) -> list[Answer]:
    """The points that no other equals or exceeds on both axes, larger being better, by falling first axis."""
    placed = [(pair, point) for point in points if (pair := axes(point)) is not None]
    kept: list[Answer] = []
    highest = float("-inf")
    for (_, up), point in sorted(placed, key=lambda one: (-one[0][0], -one[0][1])):
        if up > highest:
            kept.append(point)
            highest = up
    return kept


class Counts:
    """Counts of parts added up; `vendors` is the most that one part found."""

    def __init__(self) -> None:
        self.offers = self.feasible = self.vendors = 0
        self.excluded: dict[str, int] = {}

    def add(self, counts: Answer) -> None:
        self.offers += counts["offers"]
        self.feasible += counts["feasible"]
        self.vendors = max(self.vendors, counts["vendors"])
        for constraint, number in counts["excluded"].items():
            self.excluded[constraint] = self.excluded.get(constraint, 0) + number

    def as_json(self) -> Answer:
        return {
            "offers": self.offers,
            "feasible": self.feasible,
            "vendors": self.vendors,
            "excluded": dict(sorted(self.excluded.items(), key=lambda item: (-item[1], item[0]))),
        }
