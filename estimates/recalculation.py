"""One chunk of recalculation: facts in, the core's answers, rows out. A failed calculation stops no other."""

from __future__ import annotations

import logging
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from celery.exceptions import SoftTimeLimitExceeded

from estimates import store
from estimates.from_catalog import AcceleratorFacts, FactCache, ModelRow, Workloads, digest_of, read_workloads
from estimates.method import method_version
from estimates.models import Calculation, CalculationState
from estimates.rows import Collected, estimate_rows
from estimates.store import Batch, MadeCalculation, Written

__all__ = ["Written", "recalculate"]

log = logging.getLogger(__name__)

#: Models that one call of the core evaluates: past these another hardly makes each one cheaper.
MODELS_A_CALL: Final = 32

#: A model with its calculations that are to be evaluated.
type Wanted = tuple[ModelRow, list[Calculation]]

_cache = FactCache()


def recalculate(calculations: Sequence[Calculation]) -> Written:
    """Make these calculations and store them, in the caller's transaction or in one of its own."""
    return store.write(make(calculations))


def make(
    calculations: Sequence[Calculation],
    *,
    worker: str = "",
    before_each_call: Callable[[], None] = lambda: None,
) -> Batch:
    """What these calculations give, ready for the store; facts are read, nothing is written.

    A calculation that a run asks for is evaluated; one that is merely stale and whose inputs turn out as they
    were (a note was edited) only takes over the new versions. `worker` is who holds the claim on them,
    `before_each_call` of the core is called as the work goes on, so that the claim can be held longer.
    """
    workloads = read_workloads()
    models = {row.pk: row for row in _cache.models({cell.language_model_id for cell in calculations})}
    accelerators = {a.pk: a for a in _cache.accelerators({cell.accelerator_id for cell in calculations})}
    collected = Collected()
    made: list[MadeCalculation] = []
    by_model: dict[int, list[Calculation]] = defaultdict(list)
    for cell in calculations:
        if cell.language_model_id in models and cell.accelerator_id in accelerators:
            by_model[cell.language_model_id].append(cell)
    wanted: list[Wanted] = []
    for model, cells in by_model.items():
        kept, others = _to_evaluate(models[model], cells, accelerators, workloads)
        made += others
        if kept:
            wanted.append((models[model], kept))
    for start in range(0, len(wanted), MODELS_A_CALL):
        together = wanted[start : start + MODELS_A_CALL]
        made += _evaluated(together, accelerators, workloads, collected, before_each_call)
    return Batch(
        made=made,
        rows=collected.rows(),
        texts=collected.texts,
        workloads_digest=workloads.digest,
        method_version=method_version(),
        worker=worker,
    )


def failed(cell: Calculation, error: Exception, *, worker: str = "") -> Batch:
    """A calculation whose results the database refused, as a failure to store in their place."""
    workloads = read_workloads()
    collected = Collected()
    (model,) = _cache.models([cell.language_model_id])
    (accelerator,) = _cache.accelerators([cell.accelerator_id])
    told = "".join(traceback.format_exception(error))
    made = _made(cell, model, accelerator, error=f"{type(error).__name__}: {error}", told_at_length=told)
    return Batch([made], collected.rows(), [], workloads.digest, method_version(), worker)


def input_digest(model: ModelRow, accelerator: AcceleratorFacts, workloads: Workloads) -> str:
    """Of everything the core reads for one calculation, and of the method."""
    return digest_of(model.digest, accelerator.digest, workloads.digest, method_version())


def _to_evaluate(
    model: ModelRow,
    cells: list[Calculation],
    accelerators: dict[int, AcceleratorFacts],
    workloads: Workloads,
) -> tuple[list[Calculation], list[MadeCalculation]]:
    """Of one model (the calculations to evaluate, the others as they are)."""
    wanted: list[Calculation] = []
    others: list[MadeCalculation] = []
    for cell in cells:
        accelerator = accelerators[cell.accelerator_id]
        problem = model.problem or accelerator.problem
        digest = "" if problem else input_digest(model, accelerator, workloads)
        if problem:
            others.append(_made(cell, model, accelerator, error=problem))
        elif cell.run_id is None and cell.state == CalculationState.DONE and cell.input_digest == digest:
            others.append(_made(cell, model, accelerator, digest=digest, unchanged=True))
        else:
            wanted.append(cell)
    return wanted, others


def _evaluated(
    wanted: Sequence[Wanted],
    accelerators: dict[int, AcceleratorFacts],
    workloads: Workloads,
    collected: Collected,
    before_each_call: Callable[[], None],
) -> Iterable[MadeCalculation]:
    """Calculations evaluated together; where that fails each by itself, so that the fault is its own."""
    before_each_call()
    mark = collected.mark()
    asked = [
        (model, [(cell.pk, accelerators[cell.accelerator_id]) for cell in cells]) for model, cells in wanted
    ]
    try:
        counts = estimate_rows(asked, workloads, collected)
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:  # a fault of one model or chip, kept with its calculation; the others go on
        collected.reset(mark)
        alone = [(model, [cell]) for model, cells in wanted for cell in cells]
        if len(alone) > 1:
            for one in alone:
                yield from _evaluated([one], accelerators, workloads, collected, before_each_call)
            return
        ((model, (cell,)),) = alone
        accelerator = accelerators[cell.accelerator_id]
        log.exception("%s on %s failed", model.slug, accelerator.slug)
        told = f"{type(error).__name__}: {error}"
        yield _made(cell, model, accelerator, error=told, told_at_length=traceback.format_exc())
        return
    for model, cells in wanted:
        for cell in cells:
            accelerator = accelerators[cell.accelerator_id]
            digest = input_digest(model, accelerator, workloads)
            yield _made(cell, model, accelerator, digest=digest, configurations=counts.get(cell.pk, 0))


def _made(
    cell: Calculation,
    model: ModelRow,
    accelerator: AcceleratorFacts,
    *,
    digest: str = "",
    configurations: int = 0,
    error: str = "",
    told_at_length: str = "",
    unchanged: bool = False,
) -> MadeCalculation:
    return MadeCalculation(
        pk=cell.pk,
        run=cell.run_id,
        model_version=model.version,
        accelerator_version=accelerator.version,
        input_digest=digest,
        configurations=configurations,
        error=error[:2000],
        traceback=told_at_length[-20_000:],
        unchanged=unchanged,
    )
