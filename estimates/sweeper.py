"""The sweeper: claims what is stale and makes it again, in slices, however many workers do so at once.

A claim is a row lock (`FOR UPDATE SKIP LOCKED`) held to the end of the transaction that stores the results:
a worker that dies gives its claim back by dying, and two workers never make the same calculation twice. A
chunk is a few of the most used models with all their claimed accelerators, for one call of the core takes
every offer of a model at once. What an edit made stale comes first, then what a run asks for, then what was
never made; edits are looked for again after every chunk.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import Count, Q

from catalog.models import Accelerator, LanguageModel
from estimates import recalculation, runs
from estimates.from_catalog import read_workloads
from estimates.models import Calculation
from estimates.priority import models_by_use
from estimates.staleness import NEVER_MADE, create_missing_calculations, is_stale

log = logging.getLogger(__name__)

#: A tick works this long at most, counted after each chunk.
BUDGET_SECONDS: Final = 30.0
#: A chunk ends at the model with which it reaches either.
CELLS_A_CHUNK: Final = 128
MODELS_A_CHUNK: Final = 16


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


def models_of_a_chunk(cells: Mapping[int, int], order: Sequence[int]) -> list[int]:
    """The most used of the models with cells to make (model -> how many), as many as make one chunk."""
    rank = {model: position for position, model in enumerate(order)}
    chosen: list[int] = []
    total = 0
    for model in sorted(cells, key=lambda model: (rank.get(model, len(rank)), model)):
        chosen.append(model)
        total += cells[model]
        if total >= CELLS_A_CHUNK or len(chosen) >= MODELS_A_CHUNK:
            break
    return chosen


def sweep(
    budget_seconds: float = BUDGET_SECONDS,
    scope: Q | None = None,
    after_chunk: Callable[[Swept], None] | None = None,
) -> Swept:
    """Make stale and requested calculations until none is left or the budget is spent.

    `scope` narrows the calculations, for a hint that names what has changed. `after_chunk` is told the state
    after each chunk.
    """
    began = time.monotonic()
    done = Swept()
    scope = Q() if scope is None else scope
    _create_missing()
    busy: set[int] = set()  # models whose cells another worker has, or that were tried in vain
    while time.monotonic() - began < budget_seconds:
        models, chunk = _next_chunk(scope, busy)
        if not models:
            break
        written = _claim_and_make(chunk)  # nothing where another worker has been faster
        if written is None or not written.calculations:
            busy.update(models)
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


def sweep_accelerator(pk: int) -> Swept:
    """What an edit of this accelerator made stale."""
    return sweep(scope=Q(accelerator=pk))


def sweep_model(pk: int) -> Swept:
    """What an edit of this language model made stale."""
    return sweep(scope=Q(language_model=pk))


def _create_missing() -> None:
    pairs = LanguageModel.objects.count() * Accelerator.objects.count()
    if Calculation.objects.count() < pairs:
        create_missing_calculations()


def _next_chunk(scope: Q, busy: Collection[int]) -> tuple[list[int], list[int]]:
    """Models and calculations worth claiming: stale by an edit, requested by a run, never made."""
    kinds = (is_stale() & ~NEVER_MADE & Q(run=None), Q(run__isnull=False), NEVER_MADE)
    for kind in kinds:
        wanted = Calculation.objects.filter(scope, kind).order_by()
        counted = wanted.values_list("language_model").annotate(cells=Count("pk"))
        cells = {model: n for model, n in counted if model not in busy}
        if cells:
            models = models_of_a_chunk(cells, models_by_use())
            return models, list(wanted.filter(language_model__in=models).values_list("pk", flat=True))
    return [], []


def _claim_and_make(chunk: list[int]) -> recalculation.Written | None:
    """Claim what of the chunk is still wanted and free, and make it; None: nothing was."""
    digest = read_workloads().digest
    with transaction.atomic():
        claimed = list(
            Calculation.objects.filter(pk__in=chunk)
            .filter(is_stale(digest) | Q(run__isnull=False))
            .order_by("pk")
            .select_for_update(skip_locked=True, of=("self",), no_key=True)
        )
        if not claimed:
            return None
        waiting = {cell.run_id for cell in claimed if cell.run_id is not None}
        written = recalculation.recalculate(claimed)
        runs.report_progress(waiting, written)
        return written
