"""What is made next: chunks of calculations, the most urgent first, each a few models with all their cells.

What an edit of a fact made stale comes first, then what lost its worker, what a run asks for, what was never
made, and last what another method or other workloads made stale: the most used and the oldest first.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import IntEnum
from typing import Any, Final

from django.db.models import Case, Count, IntegerField, Max, Min, Q, QuerySet, Value, When

from estimates.convergence.leases import FREE
from estimates.priority import models_by_use
from estimates.staleness import (
    ACCELERATOR_CHANGED,
    MODEL_CHANGED,
    NEVER_MADE,
    edited_calculations,
    wanted_calculations,
)

#: A chunk ends at the model with which it reaches either.
CELLS_A_CHUNK: Final = 128
MODELS_A_CHUNK: Final = 32
#: Chunks planned at once. Edits are looked for after each chunk, the rest only when the plan is done.
CHUNKS_A_PLAN: Final = 24

type Chunk = list[int]  # keys of calculations


class Urgency(IntEnum):
    """Why a calculation is wanted; the lowest is made first."""

    EDITED = 0
    LOST = 1
    ASKED_FOR = 2
    NEW = 3
    OUTDATED = 4


_URGENCY: Final = Case(
    When(losses__gt=0, then=Value(Urgency.LOST)),
    When((MODEL_CHANGED | ACCELERATOR_CHANGED) & ~NEVER_MADE, then=Value(Urgency.EDITED)),
    When(run__isnull=False, then=Value(Urgency.ASKED_FOR)),
    When(NEVER_MADE, then=Value(Urgency.NEW)),
    default=Value(Urgency.OUTDATED),
    output_field=IntegerField(),
)


def chunks_of_edits(scope: Q, tried: Collection[int]) -> list[Chunk]:
    """What edits have made stale; a look into indexes where there is nothing."""
    wanted = edited_calculations().filter(scope, FREE, losses=0).exclude(pk__in=tried)
    cells = dict(wanted.values_list("language_model").annotate(cells=Count("pk")))
    return _chunks(wanted, cells, models_by_use()) if cells else []


def most_urgent_chunks(scope: Q, tried: Collection[int]) -> list[Chunk]:
    """The most urgent of all that is wanted, at most `CHUNKS_A_PLAN`; none where nothing is."""
    wanted = wanted_calculations().filter(scope, FREE).exclude(pk__in=tried).annotate(urgency=_URGENCY)
    found: dict[int, dict[int, tuple[int, datetime | None, int]]] = {}
    counted = wanted.values_list("urgency", "language_model").annotate(
        cells=Count("pk"), oldest=Min("calculated_at"), losses=Max("losses")
    )
    for urgency, model, cells, oldest, losses in counted:
        found.setdefault(urgency, {})[model] = (cells, oldest, losses)
    if not found:
        return []
    urgency = min(found)
    models = found[urgency]
    wanted = wanted.filter(urgency=urgency)
    if urgency == Urgency.LOST:
        return [_small_chunk(wanted, {model: losses for model, (_, _, losses) in models.items()})]
    order = models_by_use()
    if urgency == Urgency.OUTDATED:
        order = oldest_and_most_used({model: oldest for model, (_, oldest, _) in models.items()}, order)
    return _chunks(wanted, {model: cells for model, (cells, _, _) in models.items()}, order)


def _small_chunk(wanted: QuerySet[Any], losses: Mapping[int, int]) -> Chunk:
    """After one loss the cells of one model, after two a single cell: what ends workers ends up alone."""
    model = min(losses, key=lambda model: (losses[model], model))
    cells = wanted.filter(language_model=model).order_by("losses", "pk").values_list("pk", flat=True)
    return list(cells if losses[model] < 2 else cells[:1])


def _chunks(wanted: QuerySet[Any], cells: Mapping[int, int], order: Sequence[int]) -> list[Chunk]:
    grouped = models_by_chunk(cells, order)[:CHUNKS_A_PLAN]
    place = {model: number for number, models in enumerate(grouped) for model in models}
    chunks: list[Chunk] = [[] for _ in grouped]
    for key, model in wanted.filter(language_model__in=place).values_list("pk", "language_model"):
        chunks[place[model]].append(key)
    return [chunk for chunk in chunks if chunk]


def models_by_chunk(cells: Mapping[int, int], order: Sequence[int]) -> list[list[int]]:
    """Models with cells to make (model -> how many), in order, as many to a chunk as make one."""
    rank = {model: position for position, model in enumerate(order)}
    chunks: list[list[int]] = []
    total = 0
    for model in sorted(cells, key=lambda model: (rank.get(model, len(rank)), model)):
        if not chunks or total >= CELLS_A_CHUNK or len(chunks[-1]) >= MODELS_A_CHUNK:
            chunks.append([])
            total = 0
        chunks[-1].append(model)
        total += cells[model]
    return chunks


def oldest_and_most_used(made: Mapping[int, datetime | None], order: Sequence[int]) -> list[int]:
    """Models by their place in use and their place in age together: what is old and much used leads.

    `made` tells when the oldest calculation of each was made, None for never; `order` is by use.
    """
    in_use = {model: place for place, model in enumerate(order)}
    last = len(order)
    by_age = sorted(made, key=lambda model: (made[model] is not None, made[model], in_use.get(model, last)))
    age = {model: place for place, model in enumerate(by_age)}
    return sorted(made, key=lambda model: (in_use.get(model, last) + age[model], age[model]))
