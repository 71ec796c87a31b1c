"""The measurement: points of the curve, one process taken apart, Postgres fed alone, and what limits what."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import psutil
from django.db import connections
from django.db.models import Sum

from catalog.models import Accelerator
from estimates import recalculation, rows, runs, store
from estimates.benchmarks.grid import cpu_name
from estimates.benchmarks.scaling import service
from estimates.benchmarks.scaling.watching import Watch
from estimates.models import Calculation, CalculationRun, Estimate, RunState

#: A point that takes longer is given up.
POINT_SECONDS: Final = 180.0
#: Models that each process makes first, so that imports, facts and connections are not in the figures.
WARM_UP_MODELS: Final = 2
FEEDING_CONNECTIONS: Final = (1, 2, 4)


def measure(groups: list[int], processes: int, models: int) -> dict[str, Any]:
    """Everything, in the service of the environment; plain values for JSON."""
    with service.service():
        chosen = service.most_used(models)
        profile, batches = one_process(chosen)
        catalogue = {
            "models": len(chosen),
            "accelerators": Accelerator.objects.count(),
            "calculations": sum(len(batch.made) for batch in batches),
            "configurations": profile["configurations"],
            "rows": sum(len(batch.rows) for batch in batches),
        }
        fed = [feed(batches, feeders) for feeders in FEEDING_CONNECTIONS]
        points = [point(chosen, count, processes) for count in groups]
    for one in points:
        one["speedup"] = one["configs_per_s"] / points[0]["configs_per_s"]
        one["efficiency"] = one["speedup"] * points[0]["processes"] / one["processes"]
    cores = psutil.cpu_count() or 1
    return {
        "machine": {"cores": cores, "cpu": cpu_name()},
        "catalogue": catalogue,
        "points": points,
        "profile": profile,
        "feed": fed,
        "stops": stops(points, profile, fed, cores),
    }


@dataclass(slots=True)
class Timer:
    """Seconds spent inside a function of a module while it is replaced by one that counts."""

    seconds: float = 0.0

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                self.seconds += time.perf_counter() - began

        return timed


def one_process(models: list[int]) -> tuple[dict[str, Any], list[store.Batch]]:
    """All calculations of these models made here, chunk by chunk, with the time by what it went into."""
    service.say("one process")
    service.leave_only(models)
    core, records, storing = Timer(), Timer(), Timer()
    evaluate, estimate = rows.best_deployments_of, recalculation.estimate_rows
    batches: list[store.Batch] = []
    configurations = 0
    rows.best_deployments_of = core.around(evaluate)
    recalculation.estimate_rows = records.around(estimate)
    write = storing.around(store.write)
    try:
        recalculation.make(list(Calculation.objects.filter(language_model=models[0])))  # reads the facts
        core.seconds = records.seconds = 0.0
        began = time.perf_counter()
        for model in models:
            batch = recalculation.make(list(Calculation.objects.filter(language_model=model)))
            configurations += write(batch).configurations
            batches.append(batch)
        seconds = time.perf_counter() - began
    finally:
        rows.best_deployments_of, recalculation.estimate_rows = evaluate, estimate
    return {
        "seconds": seconds,
        "configurations": configurations,
        "configs_per_s": configurations / seconds,
        "rows_per_s": sum(len(batch.rows) for batch in batches) / seconds,
        "core_configs_per_s": configurations / core.seconds,
        "shares": {
            "core": core.seconds / seconds,
            "rows from the core's answer": (records.seconds - core.seconds) / seconds,
            "COPY, upsert and the rest of storing": storing.seconds / seconds,
            "facts, digests, claims": (seconds - records.seconds - storing.seconds) / seconds,
        },
    }, batches


def feed(batches: list[store.Batch], feeders: int) -> dict[str, Any]:
    """Ready results stored by this many connections at once into an empty table; nothing is computed."""
    service.say(f"feeding by {feeders} connections")
    service.leave_only([])
    wanted = sum(len(batch.rows) for batch in batches)

    def store_some(first: int) -> int:
        try:
            return sum(store.write(batch).rows for batch in batches[first::feeders])
        finally:
            connections.close_all()

    with Watch([]) as watch, ThreadPoolExecutor(feeders) as pool:
        began = time.perf_counter()
        written = sum(pool.map(store_some, range(feeders)))
        seconds = time.perf_counter() - began
    if written != wanted:
        raise RuntimeError(f"{written} rows were written in place of {wanted}")
    return {
        "connections": feeders,
        "seconds": seconds,
        "rows_per_s": written / seconds,
        "wal_bytes_per_row": watch.wal_bytes / written,
        "wal_mb_per_s": watch.wal_bytes / seconds / 1e6,
        "cores_postgres": watch.cpu("postgres") / seconds,
        "rows_per_postgres_core_s": written / watch.cpu("postgres"),
    }


def point(models: list[int], groups: int, processes: int) -> dict[str, Any]:
    """One count of groups: a full recalculation of these models, from an empty table to the last row."""
    service.say(f"{groups} groups of {processes}")
    every = groups * processes
    with service.worker_groups(groups, processes) as workers:
        service.leave_only(models[: WARM_UP_MODELS * every])
        _recalculate(every)
        calculations = service.leave_only(models)
        with Watch(workers) as watch:
            run = _recalculate(every)
    assert run.finished_at is not None
    seconds = (run.finished_at - run.requested_at).total_seconds()
    made = Calculation.objects.filter(language_model__in=models)
    configurations = made.aggregate(made=Sum("configurations"))["made"]
    written = Estimate.objects.count()
    return {
        "groups": groups,
        "processes": every,
        "seconds": seconds,
        "calculations": calculations,
        "configurations": configurations,
        "rows": written,
        "configs_per_s": configurations / seconds,
        "rows_per_s": written / seconds,
        "cores_workers": watch.cpu("workers") / seconds,
        "cores_postgres": watch.cpu("postgres") / seconds,
        "machine_busy": watch.machine_busy,
        "configs_per_worker_core_s": configurations / watch.cpu("workers"),
        "rows_per_postgres_core_s": written / watch.cpu("postgres"),
        "statement_shares": watch.shares(every),
        "wait_shares": watch.wait_shares(every),
        "planner_share": watch.planning_seconds / (seconds * every),
        "wal_mb_per_s": watch.wal_bytes / seconds / 1e6,
    }


def _recalculate(processes: int) -> CalculationRun:
    """Ask for what is stale, hint as beat does, wait for the end."""
    run = runs.start_recalculation("stale", "benchmark", hint=False)
    deadline = time.monotonic() + POINT_SECONDS
    hinted = 0.0
    while run.state != RunState.DONE:
        if time.monotonic() > deadline:
            raise RuntimeError(f"a point took longer than {POINT_SECONDS:.0f} s")
        if time.monotonic() - hinted >= service.HINT_EVERY_SECONDS:
            service.hint(processes)
            hinted = time.monotonic()
        time.sleep(0.05)
        run.refresh_from_db()
    return run


def stops(
    points: list[dict[str, Any]], profile: dict[str, Any], fed: list[dict[str, Any]], cores: int
) -> dict[str, Any]:
    """Where adding processes stops to help, why, and what the shared Postgres would limit.

    Rates by a core's second of CPU hold on a machine that others use too; those by the clock do not.
    """
    best = max(points, key=lambda one: one["configs_per_s"])
    enough = next(one for one in points if one["configs_per_s"] >= 0.95 * best["configs_per_s"])
    first, last = points[0], points[-1]
    used = last["cores_workers"] + last["cores_postgres"]
    rows_a_core = first["rows"] / first["configurations"] * first["configs_per_worker_core_s"]
    stored_a_core = first["rows_per_postgres_core_s"]
    return {
        "at_processes": enough["processes"],
        "rows_per_worker_core_s": rows_a_core,
        "rows_per_postgres_core_s": stored_a_core,
        "worker_cores_a_postgres_core": stored_a_core / rows_a_core,
        "why": [
            f"stops at {enough['processes']} processes; at best {best['configs_per_s']:,.0f} "
            f"configurations/s; with {last['processes']} processes workers use {last['cores_workers']:.2f} "
            f"and Postgres {last['cores_postgres']:.2f} of {cores} cores, {used / cores:.0%} of the machine, "
            f"which was busy to {last['machine_busy']:.0%}",
            f"a worker's core makes {rows_a_core:,.0f} rows/s and a core of Postgres stores "
            f"{stored_a_core:,.0f} rows/s of them: one core of Postgres for "
            f"{stored_a_core / rows_a_core:.1f} cores of workers, on one machine or on many",
            f"all machines share that Postgres: 10 of {cores} worker cores keep "
            f"{10 * cores * rows_a_core / stored_a_core:.0f} of its cores busy, 100 keep "
            f"{100 * cores * rows_a_core / stored_a_core:.0f}, and write "
            f"{fed[0]['wal_bytes_per_row'] * 10 * cores * rows_a_core / 1e6:,.0f} and "
            f"{fed[0]['wal_bytes_per_row'] * 100 * cores * rows_a_core / 1e6:,.0f} MB of WAL a second "
            "while everything is recalculated",
        ],
    }
