"""Runs that may be put in order, and the throughput per chip of each system in each view of them.

A system is a number of one accelerator; in the views by chip, any number. Systems are compared where one
architecture, the same lengths, way of asking, kind of serving and serving software were measured on at least
three of them. Views of a group:

best
    each system's configuration with the highest measured throughput per chip, and what is predicted of that
    same configuration.
load
    the same among the configurations that were measured at one load: users, or sequences of a static batch.
speed
    of closed loops: throughput per chip at so many tokens/s for each user, read off the curve through each
    system's undominated configurations, measured and predicted; systems whose curve does not reach from below
    that speed to above it have no place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from estimates.measured.plausibility import is_complete
from estimates.measured.questions import RANDOM_LENGTHS, is_mlperf
from estimates.measured.runs import Run
from estimates.measured.software import software_key
from estimates.measured.throughput import Figures, points_of, rate_at, rate_from, throughput

#: Tokens/s for each user.
SPEEDS: Final = (20.0, 50.0, 100.0)
SYSTEM, CHIP = "system", "chip"
MLPERF: Final = "MLPerf"

type Predicted = Mapping[str, Mapping[str, Figures]]  # order -> run -> metric -> value


@dataclass(frozen=True, slots=True, order=True)
class System:
    """So many of one accelerator; None: any number."""

    accelerator: str
    count: int | None

    def __str__(self) -> str:
        return self.accelerator if self.count is None else f"{self.count} x {self.accelerator}"


class View(NamedTuple):
    """best; load at so many sequences; speed at so many tokens/s for each user. `by` system or chip."""

    kind: str
    at: float | None = None
    by: str = SYSTEM

    def __str__(self) -> str:
        kind = self.kind if self.at is None else f"{self.kind} {self.at:g}"
        return f"{kind}, by chip" if self.by == CHIP else kind

    @property
    def pooled(self) -> str:
        """The view without its load."""
        return self.kind if self.kind == "load" else str(self)


class Group(NamedTuple):
    """What the runs that are put in order share. Lengths are nominal, None where not stated or a task's."""

    model: str
    isl: float | None
    osl: float | None
    scenario: str
    serving: str
    software: str
    task: str = ""  # MLPerf: lengths are its data set's
    random_lengths: bool = False

    def __str__(self) -> str:
        lengths = self.task or f"{_tokens(self.isl)}/{_tokens(self.osl)}"
        serving = "" if self.serving == "aggregated" else f" {self.serving}"
        return f"{self.model} {lengths} {self.scenario}{serving} {self.software}"


def _tokens(length: float | None) -> str:
    return "-" if length is None else f"{length:g}"


@dataclass(frozen=True, slots=True)
class Place:
    """A system's throughput per chip, measured and by each order; `run` is of one configuration alone."""

    system: System
    measured: float
    predicted: Mapping[str, float]
    run: Run | None
    runs: tuple[Run, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "accelerator": self.system.accelerator,
            "count": self.system.count,
            "run_id": self.run.run_id if self.run else None,
            "measured_tok_s_per_chip": round(self.measured, 4),
            "predicted_tok_s_per_chip": {name: round(value, 4) for name, value in self.predicted.items()},
        }


def views(group: Group, runs: Sequence[Run], predicted: Predicted) -> Iterator[tuple[View, list[Place]]]:
    """The systems of a group in each of its views."""
    for by in (SYSTEM, CHIP):
        yield View("best", by=by), best_places(runs, predicted, by)
        for speed in SPEEDS if group.scenario == "closed_loop" else ():
            yield View("speed", speed, by), places_at(runs, predicted, speed, by)
    for load in sorted({run.concurrency for run in runs if run.concurrency is not None}):
        alike = [run for run in runs if run.concurrency == load]
        yield View("load", load), best_places(alike, predicted)


def group_of(run: Run, models: Mapping[str, str]) -> Group | None:
    """The group of a run; None where its throughput or something that it is grouped by is not known."""
    model = models.get(run.model)
    if model is None or not run.framework or run.accelerator is None or not is_complete(run):
        return None
    if "host_limited" in run.flags or rate_from(run) is None:
        return None
    task = is_mlperf(run)
    return Group(
        model=model,
        isl=None if task else run.isl,
        osl=None if task else run.osl,
        scenario=run.scenario,
        serving=run.serving,
        software=software_key(run.framework) or run.framework,
        task=MLPERF if task else "",
        random_lengths=RANDOM_LENGTHS in run.flags,
    )


def _by_system(runs: Iterable[Run], by: str) -> dict[System, list[Run]]:
    found: dict[System, list[Run]] = {}
    for run in runs:
        count = run.n_accelerators if by == SYSTEM else None
        found.setdefault(System(run.accelerator or "", count), []).append(run)
    return found


def best_places(runs: Iterable[Run], predicted: Predicted, by: str = SYSTEM) -> list[Place]:
    """Each system by the configuration with the highest measured throughput per chip."""
    found = []
    for system, members in _by_system(runs, by).items():
        rates = [(throughput(run, dict(run.metrics)), run) for run in members]
        measured, run = max(rates, key=lambda pair: (pair[0] or 0.0, pair[1].run_id))
        values = {name: throughput(run, figures.get(run.run_id, {})) for name, figures in predicted.items()}
        known = {name: value for name, value in values.items() if value}
        if measured:
            found.append(Place(system, measured, known, run, tuple(members)))
    return found


def places_at(runs: Iterable[Run], predicted: Predicted, speed: float, by: str = SYSTEM) -> list[Place]:
    """Each system at this speed per user, by the curve of its configurations."""
    found = []
    for system, members in _by_system(runs, by).items():
        measured = rate_at(points_of(members, {run.run_id: dict(run.metrics) for run in members}), speed)
        values = {name: rate_at(points_of(members, figures), speed) for name, figures in predicted.items()}
        known = {name: value for name, value in values.items() if value}
        if measured:
            found.append(Place(system, measured, known, None, tuple(members)))
    return found
