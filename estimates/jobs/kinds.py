"""Kinds of job: how the question of each is split into parts, a part made, and the parts merged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from estimates.jobs.models import JobKind
from estimates.search import sweep

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a job of one kind does.

    Attributes:
        split: the question's parts, as plain values; raises InvalidQuestion.
        prepare: what a process reads once for all the parts of a job that it makes.
        make: (prepared, part, number of parts, check) -> result and configurations evaluated. It calls
            `check` before anything long: that keeps the part's lease, and ends it once the job is cancelled.
        merge: (question, results of the parts made in their order, failed parts with their error, parts
            dropped, seconds) -> the job's result. Pure.
    """

    split: Callable[[Json], list[Json]]
    prepare: Callable[[Json], Any]
    make: Callable[[Any, Json, int, Callable[[], None]], tuple[Json, int]]
    merge: Callable[[Json, Iterable[Json], Sequence[Json], int, float], Json]


KINDS: dict[str, Kind] = {
    JobKind.SEARCH.value: Kind(sweep.split, sweep.prepare, sweep.make, sweep.merge),
}
