"""Facts the estimator reads, as frozen validated values in SI units: chips, links, offers, models, workloads.

Units: bytes, seconds, FLOP/s, bytes/s, watts. An optional fact that is not known is None, never zero and
never a guess: what cannot be computed without it is refused by its name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from estimates.core.architecture import Architecture
from estimates.core.formats import RATE_FORMATS, WeightScheme, rate_format

ChipKind = Literal["gpu", "tpu", "asic", "npu", "soc", "cpu", "wafer"]
CHIP_KINDS: tuple[str, ...] = ("gpu", "tpu", "asic", "npu", "soc", "cpu", "wafer")
Provenance = Literal["measured", "vendor", "derived", "assumed"]
PROVENANCES: tuple[str, ...] = ("measured", "vendor", "derived", "assumed")  # strongest first
LINK_SCOPES: tuple[str, ...] = ("scale_up", "scale_out", "pcie")
TOPOLOGIES: tuple[str, ...] = ("switched", "mesh", "ring", "torus", "host")
ARRIVALS: tuple[str, ...] = ("closed_loop", "static", "saturating")
OFFLOADS: tuple[str, ...] = ("second_tier",)
SPECULATIONS: tuple[str, ...] = ("mtp", "draft", "ngram")


class InvalidFact(ValueError):  # noqa: N818
    """A fact with an impossible value: which field, what was given, what is accepted."""

    def __init__(self, field: str, value: object, accepted: str) -> None:
        self.field = field
        self.value = value
        self.accepted = accepted
        super().__init__(f"{field} is {value!r}; accepted: {accepted}")


def _positive(name: str, value: float | None, *, optional: bool = False) -> None:
    if value is None and optional:
        return
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not math.isfinite(value)
        or value <= 0
    ):
        raise InvalidFact(name, value, "a positive finite number" + (" or null" if optional else ""))


def _share(name: str, value: float, *, zero: bool = True, one: bool = True) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not number or value < 0 or value > 1 or (value == 0 and not zero) or (value == 1 and not one):
        raise InvalidFact(name, value, "a share between 0 and 1")


def _count(name: str, value: int | None, *, minimum: int = 1, optional: bool = False) -> None:
    if value is None and optional:
        return
    if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
        raise InvalidFact(
            name, value, f"a whole number of at least {minimum}" + (" or null" if optional else "")
        )


def _slug(name: str, value: str) -> None:
    if not isinstance(value, str) or not value:
        raise InvalidFact(name, value, "a non-empty string")


def _member(name: str, value: str | None, accepted: tuple[str, ...], *, optional: bool = False) -> None:
    if value is None and optional:
        return
    if value not in accepted:
        raise InvalidFact(name, value, ", ".join(accepted))


@dataclass(frozen=True, slots=True)
class MemoryTier:
    """One level of a chip's memory. The first tier of a chip is the one weights and cache live in.

    `usable_bytes` is what the device reports to software where that is known; None: the capacity. `assumed`
    says that nobody published the bandwidth.
    """

    capacity_bytes: float | None
    usable_bytes: float | None
    bandwidth: float | None
    kind: Literal["dram", "sram"] = "dram"
    assumed: bool = False

    def __post_init__(self) -> None:
        _positive("capacity_bytes", self.capacity_bytes, optional=True)
        _positive("usable_bytes", self.usable_bytes, optional=True)
        _positive("bandwidth", self.bandwidth, optional=True)
        _member("kind", self.kind, ("dram", "sram"))

    @property
    def addressable_bytes(self) -> float | None:
        return self.usable_bytes if self.usable_bytes is not None else self.capacity_bytes


@dataclass(frozen=True, slots=True)
class Link:
    """What one accelerator can send per direction at once: all its links of one scope together."""

    scope: Literal["scale_up", "scale_out", "pcie"]
    bytes_per_s: float | None
    latency_s: float | None = None
    domain_size: int | None = None  # accelerators that reach each other over it; None: not stated
    topology: str | None = None
    assumed: bool = False  # nobody published the bandwidth

    def __post_init__(self) -> None:
        _member("scope", self.scope, LINK_SCOPES)
        _positive("bytes_per_s", self.bytes_per_s, optional=True)
        _positive("latency_s", self.latency_s, optional=True)
        _count("domain_size", self.domain_size, optional=True)
        _member("topology", self.topology, TOPOLOGIES, optional=True)


def _frozen_rates(
    rates: Mapping[str, float] | tuple[tuple[str, float], ...],
) -> tuple[tuple[str, float], ...]:
    pairs = rates.items() if isinstance(rates, Mapping) else rates
    frozen: dict[str, float] = {}
    for name, value in pairs:
        canonical = rate_format(name)
        if canonical is None:
            raise InvalidFact("rates", name, ", ".join(RATE_FORMATS))
        _positive(f"rates.{name}", value)
        if frozen.setdefault(canonical, float(value)) != float(value):
            raise InvalidFact(
                f"rates.{name}", value, f"one rate for {canonical}, which is {frozen[canonical]}"
            )
    return tuple(sorted(frozen.items()))


@dataclass(frozen=True, slots=True)
class Unit:
    """One of several engines of a chip that share its memory: an NPU, an integrated GPU, the cores.

    `bandwidth_share` is the part of the first tier's bandwidth that it draws; None: not known, and what runs
    on it is refused by that fact.
    """

    name: str
    rates: tuple[tuple[str, float], ...] = ()  # a mapping is accepted and frozen
    bandwidth_share: float | None = None

    def __post_init__(self) -> None:
        _slug("name", self.name)
        object.__setattr__(self, "rates", _frozen_rates(self.rates))
        if self.bandwidth_share is not None:
            _share("bandwidth_share", self.bandwidth_share, zero=False)


@dataclass(frozen=True, slots=True)
class Chip:
    """An accelerator: memory tiers, peak dense rate per number format (FLOP/s or OP/s), power.

    `npu_bandwidth_share` is the part of the first tier's bandwidth that the estimated unit of the chip can
    draw (an NPU in a system on chip); None: all of it. `weakest_provenance` is the weakest kind of evidence
    among the figures that decide the estimate and lowers its grade. `units` are the engines that prompts and
    decoding may be divided between; the figures of the chip itself are those of the one it is estimated by.
    """

    slug: str
    vendor: str
    generation: str | None
    kind: ChipKind
    tiers: tuple[MemoryTier, ...]
    rates: tuple[tuple[str, float], ...] = ()  # a mapping is accepted and frozen
    npu_bandwidth_share: float | None = None
    power_w: float | None = None
    weakest_provenance: Provenance = "vendor"
    units: tuple[Unit, ...] = ()

    def __post_init__(self) -> None:
        _slug("slug", self.slug)
        _slug("vendor", self.vendor)
        _member("kind", self.kind, CHIP_KINDS)
        if not self.tiers or not all(isinstance(tier, MemoryTier) for tier in self.tiers):
            raise InvalidFact("tiers", self.tiers, "at least one MemoryTier")
        object.__setattr__(self, "tiers", tuple(self.tiers))
        object.__setattr__(self, "rates", _frozen_rates(self.rates))
        if self.npu_bandwidth_share is not None:
            _share("npu_bandwidth_share", self.npu_bandwidth_share, zero=False)
        _positive("power_w", self.power_w, optional=True)
        _member("weakest_provenance", self.weakest_provenance, PROVENANCES)
        object.__setattr__(self, "units", tuple(self.units))
        names = [unit.name for unit in self.units]
        if len(set(names)) < len(names):
            raise InvalidFact("units", names, "one unit of a name")

    def unit(self, name: str) -> Unit | None:
        """The engine of this name, None where the chip is not known to have one."""
        return next((unit for unit in self.units if unit.name == name), None)

    def on(self, unit: Unit) -> Chip:
        """The chip as one of its engines sees it: the engine's rates, its part of the bandwidth."""
        return replace(self, rates=unit.rates, npu_bandwidth_share=unit.bandwidth_share)

    def rate(self, name: str) -> float | None:
        """Peak dense rate in FLOP/s of a number format, None when none is published."""
        return dict(self.rates).get(name)

    @property
    def memory(self) -> MemoryTier:
        return self.tiers[0]

    @property
    def sram_first(self) -> bool:
        """Weights live in SRAM, spread over as many chips as capacity asks."""
        return self.tiers[0].kind == "sram"

    @property
    def efficiency_kind(self) -> str:
        return "sram_first" if self.sram_first else self.kind

    @property
    def bandwidth(self) -> float | None:
        """Bytes/s the estimated unit draws from the first tier."""
        bandwidth = self.tiers[0].bandwidth
        if bandwidth is None or self.npu_bandwidth_share is None:
            return bandwidth
        return bandwidth * self.npu_bandwidth_share


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be rented or bought: `count` chips of one kind, how they are tied together."""

    slug: str
    chip: Chip
    count: int
    scale_up: Link | None = None
    scale_out: Link | None = None

    def __post_init__(self) -> None:
        _slug("slug", self.slug)
        _count("count", self.count)
        if not isinstance(self.chip, Chip):
            raise InvalidFact("chip", self.chip, "a Chip")

    @property
    def domain(self) -> int:
        """Chips of this offer that share one scale-up domain; 1 without a scale-up link."""
        if self.scale_up is None or self.scale_up.bytes_per_s is None:
            return 1
        return min(self.count, self.scale_up.domain_size or self.count)


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """A language model: its architecture and the number formats its checkpoint is stored in.

    `published` are the tensor groups of other checkpoints of the same weights, one a format.
    """

    slug: str
    architecture: Architecture
    native: WeightScheme | None = None
    published: tuple[WeightScheme, ...] = ()

    def __post_init__(self) -> None:
        _slug("slug", self.slug)
        if not isinstance(self.architecture, Architecture):
            raise InvalidFact("architecture", self.architecture, "an Architecture")


@dataclass(frozen=True, slots=True)
class Speculation:
    """Tokens drafted ahead and verified by the model in one step.

    `mtp`: by the model's own multi-token-prediction module, `draft`: by `draft_model` on the same chips,
    `ngram`: looked up in the text so far. `acceptance` is the chance that a drafted token is taken if those
    before it were; None: what is published for the model (`acceptance_range` its spread), else refused.
    """

    method: Literal["mtp", "draft", "ngram"]
    draft_tokens: int
    acceptance: float | None = None
    draft_model: ModelFacts | None = None
    draft_weights: str | WeightScheme | None = None  # None: the draft checkpoint's own format
    acceptance_range: tuple[float, float] | None = None
    acceptance_source: str = ""

    def __post_init__(self) -> None:
        _member("speculation.method", self.method, SPECULATIONS)
        _count("speculation.draft_tokens", self.draft_tokens)
        if self.draft_tokens > 64:
            raise InvalidFact("speculation.draft_tokens", self.draft_tokens, "at most 64")
        if self.acceptance is not None:
            _share("speculation.acceptance", self.acceptance)
        if self.acceptance_range is not None:
            for end in self.acceptance_range:
                _share("speculation.acceptance_range", end)
        if (self.method == "draft") != (self.draft_model is not None):
            raise InvalidFact(
                "speculation.draft_model",
                self.draft_model and self.draft_model.slug,
                "a model where the method is draft, and only there",
            )


@dataclass(frozen=True, slots=True)
class Workload:
    """Mean input and output length in tokens, service levels, and the share of the prompt already cached.

    With `prefix_shared` the cached part is one text common to all requests, held once on each attention rank;
    otherwise each request has its own.

    `arrival` says how requests come: `closed_loop` clients that each send the next request when answered, or
    one `static` batch that starts together, is prefilled whole and then decodes to its end, or `saturating`:
    as many as the deployment can take, all there from the start (offline benchmarks, and server benchmarks at
    the load that just keeps their limits).
    """

    slug: str
    isl: float
    osl: float
    ttft_slo_s: float | None = None
    tpot_slo_s: float | None = None
    concurrency_min: int = 1
    prefix_share: float = 0.0
    arrival: Literal["closed_loop", "static", "saturating"] = "closed_loop"
    prefix_shared: bool = False

    def __post_init__(self) -> None:
        _slug("slug", self.slug)
        _member("arrival", self.arrival, ARRIVALS)
        _positive("isl", self.isl)
        _positive("osl", self.osl)
        if self.isl < 1:
            raise InvalidFact("isl", self.isl, "at least 1 token")
        if self.osl < 1:
            raise InvalidFact("osl", self.osl, "at least 1 token")
        _positive("ttft_slo_s", self.ttft_slo_s, optional=True)
        _positive("tpot_slo_s", self.tpot_slo_s, optional=True)
        _count("concurrency_min", self.concurrency_min)
        _share("prefix_share", self.prefix_share, one=False)


@dataclass(frozen=True, slots=True)
class Pool:
    """Workers that compute prompts alone, of tp x dp chips a stage and pp stages each; None: chosen."""

    workers: int | None = None
    tp: int | None = None
    pp: int | None = None
    ep: int | None = None
    dp: int | None = None

    def __post_init__(self) -> None:
        for name in ("workers", "tp", "pp", "ep", "dp"):
            _count(f"prefill.{name}", getattr(self, name), optional=True)


@dataclass(frozen=True, slots=True)
class Deployment:
    """How a model is laid out on an offer; None: the best is chosen.

    `tp` shards attention and dense layers, `dp` replicates attention over ranks that share the experts,
    `ep` shards whole experts; a stage has tp x dp chips, a replica tp x dp x pp. Experts not spread over
    `ep` are sharded inside: (tp x dp) / ep ways. `concurrency` counts requests in flight on the whole offer.
    With `prefill` serving is disaggregated: that pool computes prompts, and the sizes here are those of the
    `replicas` workers that decode. `software_version` is read by calibration alone. `offload` to the second
    tier lets weights, and then caches, that the first tier does not hold lie in the memory behind it. A chip
    of several engines computes prompts on `prefill_unit` and decodes on `decode_unit`; None: the chip's own.
    """

    weights: str | WeightScheme | None = None
    kv_format: str | None = None
    tp: int | None = None
    pp: int | None = None
    ep: int | None = None
    dp: int | None = None
    replicas: int | None = None
    concurrency: int | None = None
    software: str | None = None
    chunk_tokens: int | None = field(default=None)
    software_version: str | None = None
    prefill: Pool | None = None
    speculation: Speculation | None = None
    offload: Literal["second_tier"] | None = None
    prefill_unit: str | None = None
    decode_unit: str | None = None

    def __post_init__(self) -> None:
        for name in ("tp", "pp", "ep", "dp", "replicas", "concurrency", "chunk_tokens"):
            _count(name, getattr(self, name), optional=True)
        if self.software_version is not None:
            _slug("software_version", self.software_version)
        if self.prefill is not None and not isinstance(self.prefill, Pool):
            raise InvalidFact("prefill", self.prefill, "a Pool or null")
        if self.speculation is not None and not isinstance(self.speculation, Speculation):
            raise InvalidFact("speculation", self.speculation, "a Speculation or null")
        _member("offload", self.offload, OFFLOADS, optional=True)
        for name in ("prefill_unit", "decode_unit"):
            if getattr(self, name) is not None:
                _slug(name, getattr(self, name))

    @property
    def serving(self) -> Literal["aggregated", "disaggregated"]:
        return "disaggregated" if self.prefill is not None else "aggregated"
