"""The whole grid of models at once: every offer, workload, format, layout, pipeline depth and batch size.

Factored: a step's operations are evaluated on their distinct shapes (chip with links x format x layout x
tokens), shared by all offers of a variant, all pipeline depths and, where the context does not matter, all
workloads. The best deployment per offer, workload and objective is then evaluated once more, exactly and in
detail, through the same functions as a single estimate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import NDArray

from estimates.core.chip_terms import chip_number
from estimates.core.deployments import (
    Layout,
    layouts,
    refuse_chip,
    refuse_model,
    resolve_kv,
    scheme_traits,
    schemes_for,
    stage_limit,
)
from estimates.core.efficiency import EfficiencyTable
from estimates.core.facts import Chip, ModelFacts, Offer, Workload
from estimates.core.formats import WeightScheme
from estimates.core.grid_block import (
    Block,
    GridSpec,
    Pending,
    WorkloadTable,
    evaluate_block,
    workload_table,
)
from estimates.core.grid_result import GridResult
from estimates.core.grid_rows import RowBuilder, results
from estimates.core.grid_select import select
from estimates.core.lanes import Lane, Variant
from estimates.core.model_table import table_of
from estimates.core.operations import Lowered

Array = NDArray[np.floating]

CHUNK_ELEMENTS = 80_000  # lanes x workloads x batches of a block: its look-ups are made together


def best_deployments(
    model: ModelFacts,
    offers: Sequence[Offer],
    workloads: Sequence[Workload],
    efficiency: EfficiencyTable,
    grid: GridSpec | None = None,
) -> GridResult:
    """Best deployments of a model on every offer under every workload.

    One row per (offer, workload, objective): fastest within the service level, highest throughput within it,
    highest throughput regardless. Where nothing meets the level the fastest row is the deployment nearest to
    it, and both it and the last carry the reason; where nothing fits, or a fact is missing, one row says so.
    """
    return best_deployments_of([model], offers, workloads, efficiency, grid)[0]


def best_deployments_of(
    models: Sequence[ModelFacts],
    offers: Sequence[Offer],
    workloads: Sequence[Workload],
    efficiency: EfficiencyTable,
    grid: GridSpec | None = None,
) -> list[GridResult]:
    """The same of several models, in one evaluation: most of what one small grid takes is not arithmetic.

    Models whose context holds the same workloads share blocks; the chosen rows of all are evaluated together.
    """
    grid = grid or GridSpec()
    builders = [RowBuilder(model, offers, workloads, efficiency) for model in models]
    together: dict[tuple[int, ...], list[RowBuilder]] = {}
    for builder in builders:
        refusal = refuse_model(builder.model)
        if refusal is not None:
            builder.refuse_all(refusal)
        else:
            together.setdefault(_held_workloads(builder), []).append(builder)
    for kept, members in together.items():
        variants = _variants(offers, members, len(kept))
        if not kept:
            continue
        table = workload_table([workloads[index] for index in kept], kept)
        served = [member.model for member in members]
        for block in blocks_of(served, variants, offers, table, efficiency, grid):
            select(block, variants, offers, table, members)
    return results(builders, efficiency)


def _held_workloads(builder: RowBuilder) -> tuple[int, ...]:
    """Positions of the workloads that the model's context holds; the others are refused."""
    longest = builder.model.architecture.max_context
    lengths = [work.isl + work.osl for work in builder.workloads]
    kept = tuple(n for n, length in enumerate(lengths) if longest is None or length <= longest)
    builder.refuse_workloads([n for n in range(len(lengths)) if n not in kept])
    return kept


def _variants(
    offers: Sequence[Offer], members: Sequence[RowBuilder], workloads: int
) -> dict[Variant, list[int]]:
    """Offers that can be evaluated, by chip and links; the others are refused by the missing fact."""
    known: list[int] = []
    for index, offer in enumerate(offers):
        refusal = refuse_chip(offer.chip)
        if refusal is not None:
            for rows in members:
                rows.refuse_offer(index, refusal)
        elif workloads:
            known.append(index)
    return variants_of(offers, known)


def variants_of(offers: Sequence[Offer], known: Iterable[int]) -> dict[Variant, list[int]]:
    """Positions of offers by chip and links. A chip alone uses no link and joins the first of its kind."""
    variants: dict[Variant, list[int]] = {}
    first: dict[Chip, Variant] = {}
    alone: list[int] = []
    for index in known:
        offer = offers[index]
        if offer.count == 1:
            alone.append(index)
            continue
        variant = Variant(offer.chip, offer.scale_up, offer.scale_out)
        variants.setdefault(variant, []).append(index)
        first.setdefault(offer.chip, variant)
    for index in alone:
        offer = offers[index]
        variant = first.setdefault(offer.chip, Variant(offer.chip, offer.scale_up, offer.scale_out))
        variants.setdefault(variant, []).append(index)
    return variants


@dataclass(slots=True)
class _LaneMaker:
    """Lanes of one model; what chips or domains share is worked out once."""

    model: ModelFacts
    lowered: Lowered
    efficiency: EfficiencyTable
    grid: GridSpec
    sizes: dict[int, list[Layout]] = field(default_factory=dict)  # widest stage -> layouts
    formats: dict[tuple[object, ...], list[tuple[WeightScheme, str]]] = field(default_factory=dict)

    def lanes(self, variant: Variant, count: int) -> list[Lane]:
        """Every format and layout on at most `count` chips of a variant."""
        chip, limit = variant.chip, stage_limit(variant, count)
        if limit not in self.sizes:
            self.sizes[limit] = list(layouts(self.lowered, variant, count))
        traits = self._traits(chip)
        if traits not in self.formats:
            schemes = schemes_for(self.model, chip, self.efficiency, self.grid.schemes)
            self.formats[traits] = [(one, resolve_kv(self.grid.kv_format, one, chip)) for one in schemes]
        software = self.efficiency.software_of(chip, self.grid.software)
        return [
            Lane(variant, scheme, kv_format, layout.tp, layout.dp, layout.ep, software)
            for scheme, kv_format in self.formats[traits]
            for layout in self.sizes[limit]
        ]

    def _traits(self, chip: Chip) -> tuple[object, ...]:
        """What decides the formats tried on a chip; remembered in the table, for each model asks again."""
        key = ("traits", chip_number(chip, self.efficiency))
        found = self.efficiency.cache.get(key)
        if found is None:
            found = self.efficiency.cache[key] = scheme_traits(chip, self.efficiency)
        return cast(tuple[object, ...], found)


def blocks_of(
    models: Sequence[ModelFacts],
    variants: dict[Variant, list[int]],
    offers: Sequence[Offer],
    table: WorkloadTable,
    efficiency: EfficiencyTable,
    grid: GridSpec,
    *,
    whole: bool = False,
) -> Iterator[Block]:
    """Evaluate models on variants in blocks of about CHUNK_ELEMENTS array elements; `whole` as of

    `evaluate_block`.
    """
    per_lane = len(table.kept) * len(grid.batches)
    served = table_of([model.architecture for model in models])
    sizes = [tuple(sorted({offers[index].count for index in members})) for members in variants.values()]
    pending = Pending(served)
    for number, model in enumerate(models):
        maker = _LaneMaker(model, served.models[number], efficiency, grid)
        for position, variant in enumerate(variants):
            counts = sizes[position]
            found = maker.lanes(variant, counts[-1])
            if pending.lanes and (len(pending.lanes) + len(found)) * per_lane > CHUNK_ELEMENTS:
                yield evaluate_block(pending, table, efficiency, grid, whole=whole)
                pending = Pending(served)
            pending.add((number, position), found, counts)
    if pending.lanes:
        yield evaluate_block(pending, table, efficiency, grid, whole=whole)
