"""What Prometheus reads of the service as a whole, from Postgres and the broker at the time of the scrape.

A part that cannot be read is left out and says so by `atlas_scrape_part_up`; the others are told all the
same. Every web process tells the same of these, whichever answers.
"""

from __future__ import annotations

import logging
import platform
import time
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Final

from django.conf import settings
from django.db import Error, InterfaceError, OperationalError
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from config.broker import queue_depth
from config.health import statements_end_after
from estimates import pulse
from estimates.convergence.models import DURATION_BOUNDS_SECONDS, WorkTally
from estimates.counts import cheap_counts
from estimates.method import method_version

log = logging.getLogger(__name__)

#: A scrape gives up on a part whose statement takes longer.
STATEMENT_MS: Final = 2_000
BOUNDS: Final = [*(str(bound) for bound in DURATION_BOUNDS_SECONDS), "+Inf"]
TALLIED: Final = {
    "chunks": ("atlas_recalculation_chunks", "Chunks of calculations made."),
    "calculations": ("atlas_recalculation_calculations", "Calculations made, unchanged and failed ones too."),
    "unchanged": ("atlas_recalculation_unchanged", "Calculations that only took over new versions of facts."),
    "failed": ("atlas_recalculation_failures", "Calculations that failed."),
    "configurations": ("atlas_recalculation_configurations", "Configurations evaluated."),
    "rows_written": ("atlas_recalculation_rows", "Rows of estimates written."),
    "retries": ("atlas_recalculation_retries", "Tasks begun again after a database error."),
}


class ServiceCollector(Collector):
    """Reads each part in a transaction of its own."""

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily(
            "atlas_scrape_part_up", "Whether this part of the scrape could be read.", labels=["part"]
        )
        took = GaugeMetricFamily(
            "atlas_scrape_part_duration_seconds", "Time to read the part.", labels=["part"]
        )
        database_answers = True
        for name, read in PARTS.items():
            began = time.perf_counter()
            metrics: list[Metric] = []
            read_it = False
            try:
                if name not in OF_THE_DATABASE:
                    metrics, read_it = list(read()), True
                elif database_answers:
                    with statements_end_after(STATEMENT_MS):
                        metrics = list(read())
                    read_it = True
            except Error as error:
                log.warning("metrics of %s cannot be read: %s", name, " ".join(str(error).split()))
                database_answers = not _is_gone(error)
            yield from metrics
            up.add_metric([name], float(read_it))
            took.add_metric([name], time.perf_counter() - began)
        yield up
        yield took


def _is_gone(error: Error) -> bool:
    """Whether no other part need be tried: the connection failed, not a statement."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state.startswith(("08", "53", "57P"))


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"atlas_{name}", meaning, value=value)


def build() -> Iterator[Metric]:
    """Which code runs."""
    yield InfoMetricFamily(
        "atlas_build",
        "Version of the service, of the method of its estimates, and of Python.",
        value={
            "version": settings.VERSION,
            "method": method_version(),
            "python": platform.python_version(),
        },
    )
    yield _gauge(
        "stale_limit_seconds",
        "Age of the oldest stale estimate at which /readyz fails; 0: no limit.",
        settings.ATLAS_READY_STALE_SECONDS,
    )


def broker() -> Iterator[Metric]:
    """The queue; its depth is absent while the broker does not answer."""
    depth = queue_depth()
    yield _gauge("broker_up", "Whether the broker answers.", float(depth is not None))
    if depth is not None:
        yield _gauge("queue_tasks", "Tasks that wait in the queue.", depth)


def staleness() -> Iterator[Metric]:
    """What waits to be calculated again."""
    found = pulse.backlog_of_late()
    yield _gauge("stale_calculations", "Calculations that have to be made again.", found.stale)
    yield _gauge(
        "oldest_stale_seconds",
        "How long the oldest stale estimate has been so; 0 where none is.",
        found.oldest_stale_seconds,
    )
    yield _gauge("parked_calculations", "Calculations given up after their attempts.", found.parked)
    yield _gauge("claimed_calculations", "Calculations that a worker holds now.", found.claimed)
    yield _gauge("calculation_runs_active", "Requested recalculations not yet ended.", found.runs_active)


def jobs() -> Iterator[Metric]:
    """Questions put to the workers."""
    family = GaugeMetricFamily("atlas_jobs", "Jobs that are kept, by state.", labels=["state"])
    for state, count in pulse.jobs_by_state().items():
        family.add_metric([state], count)
    yield family


def facts() -> Iterator[Metric]:
    """How much there is, and when it changed last."""
    family = GaugeMetricFamily(
        "atlas_rows", "Rows of each kind; of large tables as Postgres last estimated them.", labels=["kind"]
    )
    for kind, count in cheap_counts().items():
        family.add_metric([kind], count)
    yield family
    changed = pulse.last_change_at()
    if changed is not None:
        yield _gauge(
            "last_change_timestamp_seconds", "When a versioned fact was changed last.", changed.timestamp()
        )


def work() -> Iterator[Metric]:
    """What each worker has made. A process that is replaced goes on under the name of the one before."""
    tallies = pulse.workers_seen()
    for field, (name, meaning) in TALLIED.items():
        counter = CounterMetricFamily(name, meaning, labels=["worker"])
        for tally in tallies:
            counter.add_metric([tally.worker], getattr(tally, field))
        yield counter
    durations = HistogramMetricFamily(
        "atlas_recalculation_chunk_duration_seconds", "Time to make a chunk and store it.", labels=["worker"]
    )
    last = GaugeMetricFamily(
        "atlas_worker_last_chunk_timestamp_seconds", "When the worker made something last.", labels=["worker"]
    )
    for tally in tallies:
        durations.add_metric([tally.worker], buckets=_buckets(tally), sum_value=tally.seconds)
        last.add_metric([tally.worker], tally.last_at.timestamp())
    yield durations
    yield last


def _buckets(tally: WorkTally) -> list[tuple[str, float]]:
    """Cumulative, as Prometheus wants them; the tally keeps each class for itself."""
    return list(zip(BOUNDS, accumulate(tally.durations), strict=True))


def schedules() -> Iterator[Metric]:
    """How the last run of each enabled schedule ended; nothing of one that never ran."""
    success = GaugeMetricFamily(
        "atlas_schedule_last_run_success", "Whether the last run ended well.", labels=["schedule"]
    )
    finished = GaugeMetricFamily(
        "atlas_schedule_last_run_timestamp_seconds", "When the last run ended.", labels=["schedule"]
    )
    length = GaugeMetricFamily(
        "atlas_schedule_last_run_duration_seconds", "How long the last run took.", labels=["schedule"]
    )
    for run in pulse.last_scheduled_runs():
        if run.state is None or run.finished_at is None:
            continue
        success.add_metric([run.schedule], float(run.state == "done"))
        finished.add_metric([run.schedule], run.finished_at.timestamp())
        if run.seconds is not None:
            length.add_metric([run.schedule], run.seconds)
    yield from (success, finished, length)
    yield _gauge("schedule_runs_due", "Runs of schedules that are due.", pulse.waiting_scheduled_runs())


PARTS: Final[dict[str, Callable[[], Iterator[Metric]]]] = {
    "build": build,
    "broker": broker,
    "staleness": staleness,
    "work": work,
    "schedules": schedules,
    "jobs": jobs,
    "facts": facts,
}
OF_THE_DATABASE: Final = frozenset(PARTS) - {"build", "broker"}
