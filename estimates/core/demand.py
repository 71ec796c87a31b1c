"""What a search is asked, the load to carry, limits and hardware to choose from, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from estimates.core.facts import InvalidFact, Offer, Speculation

At = Literal["mean", "median", "p95"]
AT: tuple[str, ...] = ("mean", "median", "p95")
Serving = Literal["aggregated", "disaggregated", "either"]
SERVINGS: tuple[str, ...] = ("aggregated", "disaggregated", "either")
OBJECTIVES: tuple[str, ...] = (
    "usd_per_mtok",
    "speed_per_user",
    "throughput_per_chip",
    "throughput_per_watt",
    "throughput_per_rack",
)
#: What an objective needs to know of a machine besides its speed, by the candidate's field.
NEEDS: Mapping[str, str] = {
    "usd_per_mtok": "usd_per_hour",
    "throughput_per_watt": "watts",
    "throughput_per_rack": "rack_share",
}


def _above_zero(name: str, value: float | None) -> None:
    if value is not None and not (0 < value < float("inf")):
        raise InvalidFact(name, value, "a positive finite number or null")


@dataclass(frozen=True, slots=True)
class Demand:
    """The load, on all machines together, and the service level.

    `concurrency` users that each send the next request when answered, or `requests_per_s` of users who do not
    know of each other (Poisson); neither: one machine at its full load. `spare`: replicas beyond what the
    load needs, paid for and idle.
    """

    concurrency: int | None = None
    requests_per_s: float | None = None
    ttft_s: float | None = None
    ttft_at: At = "median"
    tpot_s: float | None = None
    tpot_at: At = "mean"
    spare: int = 1

    def __post_init__(self) -> None:
        for name in ("concurrency", "requests_per_s", "ttft_s", "tpot_s"):
            _above_zero(f"demand.{name}", getattr(self, name))
        if self.concurrency is not None and self.requests_per_s is not None:
            raise InvalidFact("demand.requests_per_s", self.requests_per_s, "one of concurrency and rate")
        for name in ("ttft_at", "tpot_at"):
            if getattr(self, name) not in AT:
                raise InvalidFact(f"demand.{name}", getattr(self, name), ", ".join(AT))
        if self.spare < 0:
            raise InvalidFact("demand.spare", self.spare, "a whole number of at least 0")

    @property
    def is_open(self) -> bool:
        """Whether no load is stated."""
        return self.concurrency is None and self.requests_per_s is None


@dataclass(frozen=True, slots=True)
class Bounds:
    """Most chips, machines, watts and USD an hour of the whole deployment, spare included; what may be tried.

    `formats` are slugs of weight schemes; None: the checkpoint's own, the common ones and the chip's.
    `serving`: prompts and decoding on the same chips, on pools of their own, or either: what scores better.
    `speculation` is asked of every deployment; without an acceptance the published one of the model is taken.
    """

    chips: int | None = None
    machines: int | None = None
    watts: float | None = None
    usd_per_hour: float | None = None
    formats: tuple[str, ...] | None = None
    kv_format: str | None = None
    software: str | None = None
    serving: Serving = "aggregated"
    speculation: Speculation | None = None

    def __post_init__(self) -> None:
        if self.serving not in SERVINGS:
            raise InvalidFact("bounds.serving", self.serving, ", ".join(SERVINGS))
        for name in ("chips", "machines", "watts", "usd_per_hour"):
            _above_zero(f"bounds.{name}", getattr(self, name))


@dataclass(frozen=True, slots=True)
class Candidate:
    """An offer and, of one machine of it, what the core does not know: price, power, share of a rack."""

    offer: Offer
    usd_per_hour: float | None = None
    watts: float | None = None
    rack_share: float | None = None

    def __post_init__(self) -> None:
        for name in ("usd_per_hour", "watts", "rack_share"):
            _above_zero(f"candidate.{name}", getattr(self, name))


@dataclass(frozen=True, slots=True)
class Range:
    """A figure with its 80% interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class PoolFound:
    """Workers that compute prompts alone, of all machines together, and their layout."""

    workers: int
    tp: int
    pp: int
    ep: int
    dp: int


@dataclass(frozen=True, slots=True)
class Found:
    """A deployment that keeps every limit: the best of its offer by the objective.

    `replicas` carry the load, `spare` more are paid for; `machines` hold both. `concurrency` is a replica's.
    Throughput, power and cost are the whole deployment's under the load asked for. Times in seconds, rates in
    output tokens/s. `cluster` is how many machines one replica is laid over (1: it stays within one).
    """

    candidate: int
    offer: str
    cluster: int
    scheme: str
    kv_format: str
    tp: int
    pp: int
    ep: int
    dp: int
    software: str | None
    prefill: PoolFound | None  # disaggregated: `replicas` decode; spare is then whole machines
    replicas: int
    spare: int
    machines: int
    chips: int
    watts: float | None
    racks: float | None
    usd_per_hour: float | None
    concurrency: float
    requests_per_s: float
    tpot: Range
    tpot_median_s: float
    tpot_p95_s: float
    ttft: Range | None  # loaded mean; None where a rate is missing
    ttft_unloaded_s: float | None
    ttft_median_s: float | None
    ttft_p95_s: float | None
    throughput: Range
    tok_s_per_user: float
    throughput_per_chip: float
    throughput_per_watt: float | None
    throughput_per_rack: float | None
    usd_per_mtok_output: Range | None
    usd_per_mtok_input: Range | None
    usd_per_mtok_blended: Range | None
    memory_used_bytes: float
    memory_capacity_bytes: float
    binding_limit: str
    grade: str
    tier: str
    missing_facts: tuple[str, ...]
    score: float  # of the objective, smaller is better; infinite where it cannot be told
    slack: Mapping[str, tuple[float, float]] = field(default_factory=dict)  # constraint -> value, limit


@dataclass(frozen=True, slots=True)
class FrontPoint:
    """A deployment on a Pareto front; `within`: it keeps the limit per output token too."""

    candidate: int
    offer: str
    scheme: str
    tp: int
    pp: int
    ep: int
    dp: int
    concurrency: float
    replicas: int
    machines: int
    tok_s_per_user: float
    throughput_per_chip: float
    usd_per_mtok_output: float | None
    tpot_s: float
    ttft_s: float | None
    within: bool


@dataclass(frozen=True, slots=True)
class Change:
    """The smallest change that would let an offer in: kind format, chips, context, concurrency or none."""

    kind: str
    value: float | str | None
    detail: str


@dataclass(frozen=True, slots=True)
class Excluded:
    """An offer that is out: the constraint that put it out, its best value against the limit."""

    candidate: int
    offer: str
    constraint: str
    value: float | None
    limit: float | None
    unit: str
    detail: str
    change: Change | None = None

    @property
    def by(self) -> float | None:
        """How many times the limit the best value is; None where that is no number."""
        return self.value / self.limit if self.value is not None and self.limit else None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Deployments best first, one an offer; fronts over all configurations within the bounds; who is out."""

    model: str
    workload: str
    objective: str
    found: tuple[Found, ...]
    front_speed_throughput: tuple[FrontPoint, ...]
    front_speed_cost: tuple[FrontPoint, ...]
    excluded: tuple[Excluded, ...]
    configurations: int
    method_version: str
    efficiency_version: str
