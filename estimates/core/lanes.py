"""Configurations as columns: everything a step's time needs of a chip, its links, formats and layout.

A lane is one (chip with its links, weight scheme, KV format, tensor x data x expert parallel layout).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import NDArray

from estimates.core.chip_terms import COLUMNS, INDEX, ChipTerms, chip_number, chip_terms
from estimates.core.efficiency import EfficiencyTable
from estimates.core.facts import Chip, Link
from estimates.core.formats import WeightScheme
from estimates.core.multipliers import scale_columns

Array = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Variant:
    """A chip with the links it is sold with: offers of one variant share their evaluation."""

    chip: Chip
    scale_up: Link | None
    scale_out: Link | None


@dataclass(frozen=True, slots=True)
class Lane:
    """One configuration; tp x dp chips make a pipeline stage."""

    variant: Variant
    scheme: WeightScheme
    kv_format: str
    tp: int
    dp: int
    ep: int
    software: str | None = None
    chunk_tokens: int | None = None
    prompt_chip: Chip | None = None  # the chip as the engine that computes prompts sees it; None: the same

    @property
    def group(self) -> int:
        return self.tp * self.dp


@dataclass(slots=True)
class Lanes:
    """Columns of shape (lanes, 1, 1), to broadcast against workloads and batch sizes."""

    lanes: tuple[Lane, ...]
    terms: tuple[ChipTerms, ...]
    kinds: NDArray[np.intp]  # equal numbers: the same chip with links, formats and software
    columns: dict[str, Array] = field(repr=False)
    prompts: Lanes | None = None  # where another engine of the chips computes prompts: the same lanes on it
    #: Products of columns that each step of the lanes needs again; `step` fills it.
    products: dict[object, tuple[Array, ...]] = field(init=False, default_factory=dict, repr=False)

    def __getitem__(self, name: str) -> Array:
        return self.columns[name]

    def flat(self, name: str) -> Array:
        """A column of shape (lanes,) in float64."""
        return self.columns[name].reshape(-1).astype(np.float64)

    def take(self, rows: NDArray[np.intp]) -> Lanes:
        """The lanes of these rows, repeated as often as asked."""
        columns = {name: values[rows] for name, values in self.columns.items()}
        prompts = None if self.prompts is None else self.prompts.take(rows)
        places = rows.tolist()
        lanes, terms = tuple(self.lanes[i] for i in places), tuple(self.terms[i] for i in places)
        return Lanes(lanes, terms, self.kinds[rows], columns, prompts)

    def part(self, rows: slice) -> Lanes:
        """These lanes, on the same memory."""
        columns = {name: values[rows] for name, values in self.columns.items()}
        prompts = None if self.prompts is None else self.prompts.part(rows)
        return Lanes(self.lanes[rows], self.terms[rows], self.kinds[rows], columns, prompts)

    @property
    def for_prompts(self) -> Lanes:
        """The lanes as prompts see them."""
        return self if self.prompts is None else self.prompts

    def __len__(self) -> int:
        return len(self.lanes)


def link_inverse(link: Link | None) -> float:
    return 1 / link.bytes_per_s if link is not None and link.bytes_per_s else 0.0


def build_lanes(
    lanes: Sequence[Lane],
    table: EfficiencyTable,
    dtype: type[np.floating] = np.float64,
    *,
    bandwidth_scale: float = 1.0,
    compute_scale: float = 1.0,
) -> Lanes:
    """Gather the columns of lanes. The scales multiply every chip's bandwidth or rates (for elasticities)."""
    apart = {id(lane): lane for lane in lanes}
    if len(apart) < len(lanes):  # points share lanes: each is built once
        once = build_lanes(
            list(apart.values()),
            table,
            dtype,
            bandwidth_scale=bandwidth_scale,
            compute_scale=compute_scale,
        )
        number = {key: place for place, key in enumerate(apart)}
        return once.take(np.array([number[id(lane)] for lane in lanes], np.intp))
    distinct, which, places, place = _shared(lanes, table)
    matrix = np.array([term.values for term in distinct], np.float64).reshape(-1, len(COLUMNS)).T
    for name, position in INDEX.items():
        if name.endswith("inverse_memory") or name == "inverse_bandwidth":
            matrix[position] /= bandwidth_scale
        elif name.endswith("inverse_compute"):
            matrix[position] /= compute_scale
    table_of = matrix[:, which]
    chunk = INDEX["chunk_tokens"]
    for row, lane in enumerate(lanes):
        if lane.chunk_tokens is not None:
            table_of[chunk, row] = lane.chunk_tokens
    table_of = table_of.astype(dtype).reshape(len(COLUMNS), -1, 1, 1)
    columns = {name: table_of[position] for name, position in INDEX.items()}

    def column(values: Sequence[float] | NDArray) -> Array:
        """Of the distinct places, spread over the lanes."""
        return np.asarray(np.array(values, dtype)[place].reshape(-1, 1, 1))

    for name in ("tp", "dp", "group"):
        columns[name] = column([getattr(lane, name) for lane in places])
    columns["ep"] = np.array([lane.ep for lane in lanes], dtype).reshape(-1, 1, 1)
    for prefix, operation in (("reduce", "all_reduce"), ("exchange", "all_to_all")):
        pairs = np.array(list(_collectives(places, operation, table))).reshape(-1, 2)
        columns[f"{prefix}_alpha"] = column(pairs[:, 0])
        columns[f"{prefix}_inverse"] = column(pairs[:, 1])
    software = [lane.software for lane in places]
    if table.calibration is not None:
        scale_columns(columns, software, table.calibration.multipliers, place)
    engines = dict.fromkeys(software)
    mixes = {name: table.mixes_prefill(name) for name in engines}
    handover = {name: table.handover_s(name) for name in engines}
    columns["mixes_prefill"] = column([mixes[name] for name in software])
    columns["handover"] = column([handover[name] for name in software])
    columns["up_inverse"] = column([link_inverse(lane.variant.scale_up) for lane in places])
    columns["out_inverse"] = column([link_inverse(lane.variant.scale_out) for lane in places])
    terms = tuple([distinct[number] for number in which.tolist()])
    return Lanes(tuple(lanes), terms, which, columns)


def _shared(
    lanes: Sequence[Lane], table: EfficiencyTable
) -> tuple[list[ChipTerms], NDArray[np.intp], list[Lane], NDArray[np.intp]]:
    """(distinct terms, position of each lane's among them, a lane of each distinct place: chip with links,

    software, tensor and data parallel size; position of each lane's place among these). Hashing facts is
    slower than the look-up: equal objects of one call are recognised by identity.
    """
    terms: dict[tuple[int, int, str, str | None], int] = {}
    found: list[ChipTerms] = []
    known: dict[tuple[int, str | None, int, int], int] = {}
    places: list[Lane] = []
    which: list[int] = []
    place: list[int] = []
    for lane in lanes:
        variant, software = id(lane.variant), lane.software
        key = (variant, id(lane.scheme), lane.kv_format, software)
        number = terms.setdefault(key, len(found))
        if number == len(found):
            found.append(chip_terms(lane.variant.chip, lane.scheme, lane.kv_format, table, software))
        which.append(number)
        where = known.setdefault((variant, software, lane.tp, lane.dp), len(places))
        if where == len(places):
            places.append(lane)
        place.append(where)
    return found, np.array(which, np.intp), places, np.array(place, np.intp)


def _collectives(
    lanes: Sequence[Lane], operation: str, table: EfficiencyTable
) -> Iterator[tuple[float, float]]:
    """(alpha in s, 1 / (share x link) in s/byte) of each lane; zeros on one rank or without a link."""
    known: dict[tuple[int, int, str | None], tuple[float, float]] = {}
    for lane in lanes:
        ranks = lane.tp if operation == "all_reduce" else lane.group if lane.dp > 1 else 1
        link = lane.variant.scale_up
        if ranks <= 1 or link is None or not link.bytes_per_s:
            yield 0.0, 0.0
            continue
        key = (id(lane.variant), ranks, lane.software)
        if key not in known:
            known[key] = _collective(lane.variant.chip, operation, link, ranks, table, lane.software)
        yield known[key]


def _collective(
    chip: Chip, operation: str, link: Link, ranks: int, table: EfficiencyTable, software: str | None
) -> tuple[float, float]:
    """(alpha, 1 / (share x link)) of so many ranks; remembered in the table."""
    key = (operation, chip_number(chip, table), link, ranks, software)
    found = table.cache.get(key)
    if found is None:
        alpha, share = table.collective(chip, operation, link, software).at(ranks)
        assert link.bytes_per_s
        found = table.cache[key] = (max(alpha, link.latency_s or 0.0), 1 / (share * link.bytes_per_s))
    return cast(tuple[float, float], found)
