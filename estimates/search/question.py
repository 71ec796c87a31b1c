"""What a search may ask: models, workload, objective, demand, price basis, hardware and bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from catalog.models.accelerators import AcceleratorKind, Segment, Status
from estimates.core.demand import At, Serving
from estimates.economics.asked import OwnedAsked
from estimates.economics.bases import BASES, Basis
from estimates.what_if import (
    Fault,
    InlineModel,
    InvalidQuestion,
    Positive,
    Slug,
    SpeculationAsked,
    WorkloadAsked,
    faults_of,
    fields_below,
)

#: What can be had today, to buy or to rent; announced and discontinued parts are asked for by name.
OBTAINABLE: Final = (Status.AVAILABLE.value, Status.CLOUD_ONLY.value)
MOST_ROWS: Final = 1000

Objective = Literal[
    "usd_per_mtok", "speed_per_user", "throughput_per_chip", "throughput_per_watt", "throughput_per_rack"
]


def as_list(value: Any) -> Any:
    """One value stands for a list of it."""
    return [value] if isinstance(value, (str, int, float)) else value


ONE = BeforeValidator(as_list)
MORE = Field(min_length=1, max_length=500)
Slugs = Annotated[list[Slug], ONE, MORE]
Countries = Annotated[list[Annotated[str, Field(pattern="^[A-Za-z]{2}$")]], ONE, MORE]
Formats = Annotated[list[Annotated[str, Field(min_length=1, max_length=40)]], ONE, MORE]
Kinds = Annotated[list[AcceleratorKind], ONE, MORE]
Segments = Annotated[list[Segment], ONE, MORE]
Statuses = Annotated[list[Status], ONE, MORE]
Count = Annotated[int, Field(ge=1, le=10_000_000)]
Counts = Annotated[list[Count], ONE, Field(min_length=1, max_length=100)]
Rates = Annotated[list[Positive], ONE, Field(min_length=1, max_length=100)]
Money = Annotated[Decimal, Field(gt=0, lt=10**9, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class Load:
    """One load to carry: users in flight or requests a second; neither: the best of one machine."""

    concurrency: int | None = None
    requests_per_s: float | None = None

    def as_json(self) -> dict[str, float | None]:
        return {"concurrency": self.concurrency, "requests_per_s": self.requests_per_s}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DemandAsked(_Part):
    """The load to carry and the limits to keep. Without a load: the best load of one machine."""

    concurrency: Counts | None = Field(
        default=None, description="users in flight at once, over all machines; a list is searched one by one"
    )
    requests_per_s: Rates | None = Field(
        default=None, description="Poisson arrivals; a list is searched one by one"
    )
    tpot_ms: Positive | None = Field(default=None, description="time per output token, at most")
    tpot_at: At = "mean"
    ttft_ms: Positive | None = Field(default=None, description="time to first token, at most")
    ttft_at: At = "median"
    limits: Literal["workload", "none"] = Field(
        default="workload", description="where a limit is left out: the workload's own, or none"
    )
    spare: Annotated[int, Field(ge=0, le=100)] = Field(
        default=1, description="replicas beyond what the load needs"
    )


class PriceBasisAsked(_Part):
    """Which prices count. `none`: no price is needed, an owned one is shown where it is known."""

    basis: Basis | None = Field(
        default=None,
        description="default: on_demand where the objective, a bound or a filter speaks of prices, else none",
    )
    providers: Slugs = Field(default_factory=list)
    regions: Slugs = Field(default_factory=list)
    countries: Countries = Field(default_factory=list, description="ISO 3166 alpha-2")
    term: Annotated[str, Field(max_length=20)] | None = None
    as_of: date | None = None
    max_age_days: Annotated[int, Field(ge=0, le=36_500)] | None = None
    owned: OwnedAsked = OwnedAsked()


class HardwareAsked(_Part):
    """Which hardware is looked at. Without `statuses`, what can be had: available or cloud only."""

    vendors: Slugs = Field(default_factory=list)
    kinds: Kinds = Field(default_factory=list)
    segments: Segments = Field(default_factory=list)
    statuses: Statuses = Field(default_factory=list)
    accelerators: Slugs = Field(default_factory=list)
    offers: Slugs = Field(default_factory=list)


class BoundsAsked(_Part):
    """At most these, spare included; formats allowed."""

    chips: Count | None = None
    machines: Count | None = None
    watts: Positive | None = None
    usd_per_hour: Money | None = None
    formats: Formats | None = Field(default=None, description="weight formats allowed")
    kv_format: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    software: Annotated[str, Field(min_length=1, max_length=60)] | None = None
    serving: Serving = Field(
        default="aggregated",
        description="prompts and decoding on the same chips, on pools of their own (tried for the "
        "best offers), or either, whichever scores better",
    )
    speculation: SpeculationAsked | None = None
    rack_kw: Positive | None = Field(
        default=None,
        description="power of a rack of yours: machines that are no rack themselves take its share by watts",
    )


class SearchQuestion(_Part):
    """A search. `model` and `workload` may be lists; `"model": "all"` is every model that generates text."""

    model: Slug | InlineModel | Annotated[list[Slug], Field(min_length=1, max_length=1000)]
    workload: Slug | WorkloadAsked | Annotated[list[Slug], Field(min_length=1, max_length=100)] = "chat"
    workload_overrides: WorkloadAsked = WorkloadAsked()
    objective: Objective = "usd_per_mtok"
    demand: DemandAsked = DemandAsked()
    price: PriceBasisAsked = PriceBasisAsked()
    hardware: HardwareAsked = HardwareAsked()
    bounds: BoundsAsked = BoundsAsked()
    limit: Annotated[int, Field(ge=1, le=MOST_ROWS)] = Field(default=50, description="deployments returned")
    front: bool = Field(default=True, description="with the Pareto fronts")
    excluded: bool = Field(default=True, description="with what was excluded, why and by how much")
    job: bool = Field(default=False, description="answer as a job whatever the size")

    @property
    def basis(self) -> str:
        """The price basis in force."""
        if self.price.basis is not None:
            return str(self.price.basis)
        asked = self.price
        filtered = asked.providers or asked.regions or asked.countries or asked.term
        priced = self.objective == "usd_per_mtok" or self.bounds.usd_per_hour is not None or filtered
        return "on_demand" if priced else "none"

    @property
    def loads(self) -> list[Load]:
        """The loads asked for, each once."""
        demand = self.demand
        if demand.concurrency is not None:
            return [Load(concurrency=users) for users in dict.fromkeys(demand.concurrency)]
        if demand.requests_per_s is not None:
            return [Load(requests_per_s=rate) for rate in dict.fromkeys(demand.requests_per_s)]
        return [Load()]


def read_search(data: Any) -> SearchQuestion:
    """The checked question of plain JSON values. Raises InvalidQuestion with every fault found."""
    if isinstance(data, SearchQuestion):
        return data
    if not isinstance(data, Mapping):
        raise InvalidQuestion(Fault("", "not_an_object", "the question is not an object", "an object"))
    try:
        question = SearchQuestion.model_validate(data)
    except ValidationError as error:
        raise InvalidQuestion(
            *faults_of(error, data, lambda place: fields_below(SearchQuestion, place))
        ) from None
    faults = contradictions(question)
    if faults:
        raise InvalidQuestion(*faults)
    return question


def contradictions(question: SearchQuestion) -> list[Fault]:
    """What cannot be asked together."""
    faults = []
    demand, bounds = question.demand, question.bounds
    if demand.concurrency is not None and demand.requests_per_s is not None:
        detail = "the load is given as concurrency and as requests_per_s"
        faults.append(Fault("/demand/requests_per_s", "one_of", detail, ["concurrency", "requests_per_s"]))
    if bounds.usd_per_hour is not None and question.price.basis == "none":
        detail = "a bound on USD an hour needs a price basis"
        faults.append(Fault("/price/basis", "needs_a_price", detail, [*BASES[:-1]]))
    return faults
