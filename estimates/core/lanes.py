"""Configurations as columns: everything a step's time needs of a chip, its links, formats and layout.

A lane is one (chip with its links, weight scheme, KV format, tensor x data x expert parallel layout). Rates
enter as inverse effective rates, so that an unpublished rate is a zero compute time, reported as missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import NDArray

from estimates.core.efficiency import EfficiencyTable, Fit
from estimates.core.facts import Chip, Link
from estimates.core.formats import FORMATS, WeightScheme, rates_for
from estimates.core.multipliers import scale_columns

Array = NDArray[np.floating]

GEMM_GROUPS: tuple[str, ...] = (
    "attention",
    "dense_ffn",
    "shared_experts",
    "router",
    "head",
    "routed_experts",
)
_ACTIVATION_BYTES = {"fp4": 0.5 + 1 / 16, "fp6": 0.78, "fp8": 1.0, "int8": 1.0, "int4": 0.5}
_SLOT = ("weight_bytes", "activation_bytes", "inverse_compute", "inverse_memory", "start", "p")
_SCALARS: tuple[tuple[str, float], ...] = (  # coefficient of the data, factor to SI
    ("kernel_us", 1e-6),
    ("kernels_dense_layer", 1),
    ("kernels_expert_layer", 1),
    ("kernels_latent_layer", 1),
    ("kernels_recurrent_layer", 1),
    ("elementwise_share", 1),
    ("elementwise_bytes_per_hidden", 1),
    ("host_step_us", 1e-6),
    ("host_sequence_us", 1e-6),
    ("host_layer_us", 1e-6),
    ("layer_latency_us", 1e-6),
    ("prefill_layer_us", 1e-6),
    ("prefill_expert_layer_us", 1e-6),
    ("interference_share", 1),
    ("routing_skew", 1),
    ("expert_imbalance", 1),
    ("prefill_pipelining", 1),
    ("pipeline_alpha_us", 1e-6),
    ("pipeline_bubble", 1),
    ("request_us", 1e-6),
    ("burst_share", 1),
    ("burst_exponent", 1),
    ("rank_lockstep_share", 1),
    ("pool_burst_share", 1),
    ("saturation_share", 1),
    ("dispatch_bytes", 1),
    ("combine_bytes", 1),
    ("chunk_tokens", 1),
    ("usable_share", 1),
    ("cache_share", 1),
    ("reserve_fixed_bytes", 1),
    ("reserve_weight_share", 1),
    ("workspace_bytes_per_hidden", 1),
)


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


@dataclass(frozen=True, slots=True)
class ChipTerms:
    """Numbers of one (chip, scheme, KV format): a row of floats, what was inherited, what is missing."""

    values: tuple[float, ...]
    level: int
    computes: tuple[tuple[str, str | None], ...]  # tensor group -> rate it computes with
    origins: tuple[str, ...]
    missing_rates: tuple[str, ...]


def compute_rate(chip: Chip, storage: str, table: EfficiencyTable, activation: str = "bf16") -> str | None:
    """The native rate of a storage format or the narrowest wider one the chip has; None: no such rate.

    A rate of that width does not take every encoding of it (the data says which: NVFP4 or MXFP4); a product
    with integer activations runs in integers as wide as the wider operand.
    """
    rates = dict(chip.rates)
    order = rates_for(storage, activation)
    if order[0] == FORMATS[storage].compute[0] and not table.computes(chip, storage):
        order = order[1:]
    return next((name for name in order if name in rates), None)


def resolve(
    chip: Chip,
    operation: str,
    storage: str,
    table: EfficiencyTable,
    software: str | None,
    activation: str = "bf16",
) -> tuple[Fit, str | None]:
    """The efficiency of an operation and the rate it computes with.

    Where the measured kernel computes in another format than the chip's native one (weights unpacked to
    16 bit), the fit's own denominator stands.
    """
    native = compute_rate(chip, storage, table, activation)
    fit = table.fit(chip, operation, storage, native, software)
    if (
        fit.compute is not None
        and fit.level <= 1
        and chip.rate(fit.compute) is not None
        and operation == "experts"
    ):
        return fit, fit.compute
    return fit, native


def attention_rate(chip: Chip, scheme: WeightScheme, table: EfficiencyTable) -> str | None:
    """Scores and values are computed in 16 bit where the chip can, in integers where activations are such."""
    return compute_rate(chip, "bf16", table, scheme.activation)


CHIPS = 4096  # chips told apart as objects before their facts are compared again


def chip_number(chip: Chip, table: EfficiencyTable) -> int:
    """A number that equal chips share. Hashing a chip's facts takes longer than all else of a look-up, so

    that one met before is recognised as the object it is.
    """
    met = cast(dict[int, tuple[Chip, int]], table.cache.setdefault("chips met", {}))
    found = met.get(id(chip))
    if found is None:
        if len(met) >= CHIPS:
            met.clear()
        number = cast(int, table.cache.setdefault(("chip", chip), len(table.cache)))
        met[id(chip)] = found = (chip, number)  # held, so that no other object takes its identity
    return found[1]


def chip_terms(
    chip: Chip, scheme: WeightScheme, kv_format: str, table: EfficiencyTable, software: str | None
) -> ChipTerms:
    """Look up and invert every rate a lane needs; remembered in the table."""
    key = (chip_number(chip, table), scheme, kv_format, software)
    known = table.cache.get(key)
    if isinstance(known, ChipTerms):
        return known
    bandwidth = np.inf
    if chip.bandwidth is not None:
        # The fact where it is known, otherwise what published runs of the unit show.
        share = 1.0 if chip.npu_bandwidth_share else table.coefficient("unit_bandwidth_share", chip)
        bandwidth = chip.bandwidth * share
    values: list[float] = []
    levels: list[int] = []
    computes: list[tuple[str, str | None]] = []
    origins: list[str] = []
    missing: list[str] = []
    for group in GEMM_GROUPS:
        operation = "experts" if group == "routed_experts" else "gemm"
        storage = "bf16" if group == "router" else getattr(scheme, group)
        fit, compute = resolve(chip, operation, storage, table, software, scheme.activation)
        peak = chip.rate(compute) if compute else None
        if peak is None:
            missing.append(FORMATS[storage].compute[0])
        values += [
            FORMATS[storage].bytes if group == "router" else scheme.group(group).bytes,
            _ACTIVATION_BYTES.get(compute or "", 2.0),
            1 / (fit.eff_compute * peak) if peak else 0.0,
            1 / (fit.eff_memory * bandwidth),
            fit.t0_s,
            fit.p,
        ]
        computes.append((group, compute))
        if group not in ("router", "head"):
            levels.append(fit.level if fit.exact_format else max(1, fit.level))
            origins.append(f"{group}: {fit.origin}")
    rate_name = attention_rate(chip, scheme, table)
    peak = chip.rate(rate_name) if rate_name else None
    if peak is None:
        missing.append("bf16")
    decode = table.fit(chip, "attention_decode", kv_format, rate_name, software)
    prefill = table.fit(chip, "attention_prefill", "bf16", rate_name, software)
    inverse_peak = 1 / peak if peak else 0.0
    values += [
        FORMATS[kv_format].bytes,
        inverse_peak / decode.eff_compute,
        1 / (decode.eff_memory * bandwidth),
        decode.t0_s,
        decode.p,
        inverse_peak / prefill.eff_compute,
        prefill.p,
        1 / bandwidth,
    ]
    values += _scalars(chip, table, software)
    levels.append(decode.level)
    origins += [f"decode attention: {decode.origin}", f"prefill attention: {prefill.origin}"]
    terms = ChipTerms(
        tuple(values), max(levels), tuple(computes), tuple(origins), tuple(dict.fromkeys(missing))
    )
    table.cache[key] = terms
    return terms


def _scalars(chip: Chip, table: EfficiencyTable, software: str | None) -> tuple[float, ...]:
    """The coefficients of a chip under a software, whatever the formats; remembered in the table."""
    key = ("scalars", chip_number(chip, table), software)
    found = table.cache.get(key)
    if found is None:
        values = (table.coefficient(name, chip, software) * factor for name, factor in _SCALARS)
        found = table.cache[key] = tuple(values)
    return cast(tuple[float, ...], found)


_COLUMNS: tuple[str, ...] = (
    *(f"{group}.{slot}" for group in GEMM_GROUPS for slot in _SLOT),
    "kv_bytes",
    "decode_inverse_compute",
    "decode_inverse_memory",
    "decode_start",
    "decode_p",
    "prefill_inverse_compute",
    "prefill_half",
    "inverse_bandwidth",
    *(name for name, _ in _SCALARS),
)
_INDEX = {name: position for position, name in enumerate(_COLUMNS)}


@dataclass(slots=True)
class Lanes:
    """Columns of shape (lanes, 1, 1), to broadcast against workloads and batch sizes."""

    lanes: tuple[Lane, ...]
    terms: tuple[ChipTerms, ...]
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
        return Lanes(lanes, terms, columns, prompts)

    def part(self, rows: slice) -> Lanes:
        """These lanes, on the same memory."""
        columns = {name: values[rows] for name, values in self.columns.items()}
        prompts = None if self.prompts is None else self.prompts.part(rows)
        return Lanes(self.lanes[rows], self.terms[rows], columns, prompts)

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
    matrix = np.array([term.values for term in distinct], np.float64).reshape(-1, len(_COLUMNS)).T
    for name, position in _INDEX.items():
        if name.endswith("inverse_memory") or name == "inverse_bandwidth":
            matrix[position] /= bandwidth_scale
        elif name.endswith("inverse_compute"):
            matrix[position] /= compute_scale
    table_of = matrix[:, which]
    chunk = _INDEX["chunk_tokens"]
    for row, lane in enumerate(lanes):
        if lane.chunk_tokens is not None:
            table_of[chunk, row] = lane.chunk_tokens
    table_of = table_of.astype(dtype).reshape(len(_COLUMNS), -1, 1, 1)
    columns = {name: table_of[position] for name, position in _INDEX.items()}

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
    return Lanes(tuple(lanes), tuple([distinct[number] for number in which.tolist()]), columns)


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
