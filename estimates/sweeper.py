"""The sweeper: claims what is stale and makes it again, in chunks, however many workers do so at once.

A claim is taken under `FOR UPDATE SKIP LOCKED` and held by a lease (`estimates/convergence/leases.py`): two
workers do not make the same calculation at once, and a worker that dies gives its claim back by its silence.
What a chunk is and which comes first is said in `estimates/convergence/planning.py`; edits are
looked for again after every chunk.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from celery.exceptions import SoftTimeLimitExceeded
from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.db.models import Q

from catalog.models import Accelerator, LanguageModel
from estimates import recalculation, runs, store
from estimates.convergence.leases import Lease, take
from estimates.convergence.planning import Chunk, chunks_of_edits, most_urgent_chunks
from estimates.convergence.tally import count_chunk
from estimates.from_catalog import read_workloads
from estimates.models import Calculation
from estimates.staleness import create_missing_calculations

log = logging.getLogger(__name__)

#: A tick works this long at most, counted after each chunk.
BUDGET_SECONDS: Final = 30.0


@dataclass(slots=True)
class Swept:
    """What one sweep did."""

    chunks: int = 0
    calculations: int = 0
    failed: int = 0
    configurations: int = 0
    rows: int = 0
    seconds: float = 0.0

    def add(self, written: recalculation.Written) -> None:
        self.chunks += 1
        self.calculations += written.calculations
        self.failed += len(written.failed)
        self.configurations += written.configurations
        self.rows += written.rows


def sweep(
    budget_seconds: float = BUDGET_SECONDS,
    scope: Q | None = None,
    after_chunk: Callable[[Swept], None] | None = None,
    edits_alone: bool = False,
) -> Swept:
    """Make stale and requested calculations until none is left or the budget is spent.

    `scope` narrows the calculations to those of a run, `edits_alone` to what edits made stale. `after_chunk`
    is told the state after each chunk.
    """
    began = time.monotonic()
    done = Swept()
    scope = Q() if scope is None else scope
    if not edits_alone:  # what was never made is none of an edit's
        _create_missing()
    tried: set[int] = set()  # calculations that another worker has, or that were tried in vain
    others: list[Chunk] = []
    while time.monotonic() - began < budget_seconds:
        edits = chunks_of_edits(scope, tried)
        if not edits and not edits_alone:
            others = others or most_urgent_chunks(scope, tried)
        if not edits and not others:
            break
        chunk = (edits or others).pop(0)
        written = _claim_and_make(chunk)  # nothing where another worker has been faster
        if written is None or not written.calculations:
            tried.update(chunk)
        if written is not None:
            done.add(written)
            done.seconds = time.monotonic() - began
            if after_chunk:
                after_chunk(done)
    runs.finish_completed()
    done.seconds = time.monotonic() - began
    if done.chunks:
        log.info(
            "made %d calculations in %d chunks, %.1f s: %d configurations, %d rows written, %d failed",
            done.calculations,
            done.chunks,
            done.seconds,
            done.configurations,
            done.rows,
            done.failed,
        )
    return done


def sweep_edits() -> Swept:
    """What edits of accelerators and models made stale, and nothing else.

    A hint names one of them, but all are taken: a model on several edited accelerators is one call of the
    core, which takes little longer than on one.
    """
    return sweep(edits_alone=True)


def _create_missing() -> None:
    pairs = LanguageModel.objects.count() * Accelerator.objects.count()
    if Calculation.objects.count() < pairs:
        create_missing_calculations()


def _claim_and_make(chunk: list[int]) -> store.Written | None:
    """Claim what of the chunk is still wanted and free, make it and store it; None: nothing was.

    Where the database fails, the claim is given back and the error goes on: whoever called tries again.
    Where it refuses the results of a chunk, each calculation is stored alone and the refused one fails.
    """
    lease = take(chunk, read_workloads().digest)
    if lease is None:
        return None
    try:
        began = time.monotonic()
        try:
            return _make(lease, lease.calculations, began)
        except (OperationalError, InterfaceError):
            raise
        except DatabaseError:
            log.exception("a chunk of %d calculations was refused, each is made alone", len(chunk))
            return _make_one_by_one(lease)
    except SoftTimeLimitExceeded:
        raise  # too slow: a loss, so that it is taken in smaller pieces
    except Exception:
        _give_back(lease)
        raise


def _make(lease: Lease, calculations: Sequence[Calculation], began: float) -> store.Written:
    batch = recalculation.make(calculations, worker=lease.worker, before_each_call=lease.renew)
    return _store(lease, batch, {cell.run_id for cell in calculations}, began)


def _store(lease: Lease, batch: store.Batch, waiting: set[int | None], began: float) -> store.Written:
    """Results, progress of the runs that waited, and the tally: all or nothing."""
    with transaction.atomic():
        written = store.write(batch)
        if written.skipped:  # found made from newer facts
            lease.release()
        runs.report_progress({run for run in waiting if run is not None}, written)
        count_chunk(
            time.monotonic() - began,
            calculations=written.calculations,
            unchanged=written.unchanged,
            failed=len(written.failed),
            configurations=written.configurations,
            rows=written.rows,
        )
    return written


def _make_one_by_one(lease: Lease) -> store.Written:
    done = store.Written()
    for cell in lease.calculations:
        lease.renew()
        began = time.monotonic()
        try:
            written = _make(lease, [cell], began)
        except (OperationalError, InterfaceError):
            raise
        except DatabaseError as error:
            failed = recalculation.failed(cell, error, worker=lease.worker)
            written = _store(lease, failed, {cell.run_id}, began)
        done.add(written)
    return done


def _give_back(lease: Lease) -> None:
    try:
        lease.release()
    except (OperationalError, InterfaceError) as error:
        log.warning("a claim could not be given back, its lease will lapse: %s", error)
