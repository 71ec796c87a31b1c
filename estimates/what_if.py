"""What a what-if may ask: the shape of the question, checked before anything is looked up."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from estimates.core.facts import ARRIVALS, CHIP_KINDS, OFFLOADS, SPECULATIONS
from estimates.economics.asked import EconomicsAsked, EnergyAsked, OwnedAsked

#: `+20%`, `-5 %`, `x1.5`: relative to the value that stands.
RELATIVE = re.compile(
    r"^(?:(?P<sign>[+-])(?P<percent>\d{1,6}(?:\.\d{1,6})?)\s*%|[x*](?P<factor>\d{1,6}(?:\.\d{1,6})?))$"
)
RELATIVE_ACCEPTED = (
    "a number in the quantity's unit, or relative to the value that stands: '+20%', '-10%', 'x1.5'"
)

Slug = Annotated[str, Field(min_length=1, max_length=200)]
#: Faults of one body that are told; the rest are found once these are mended.
MOST_FAULTS: Final = 100
#: Below it a quantity is no measurement, and what is divided by it no number.
LEAST: Final = 1e-9


def _of_size(value: float) -> float:
    """The value. Raises PydanticCustomError where it is above 0 and yet nothing."""
    if value < LEAST:
        raise PydanticCustomError("greater_than_equal", "at least {ge}", {"ge": LEAST})
    return value


Positive = Annotated[float, Field(gt=0, lt=1e15, allow_inf_nan=False), AfterValidator(_of_size)]
Size = Annotated[int, Field(ge=1, le=100_000)]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a question: JSON pointer, code, sentence, what is accepted instead."""

    pointer: str
    code: str
    detail: str
    accepted: Any = None

    def as_json(self) -> dict[str, Any]:
        return {"pointer": self.pointer, "code": self.code, "detail": self.detail, "accepted": self.accepted}


class InvalidQuestion(ValueError):  # noqa: N818
    """A question that cannot be put; `faults` say where and what would do."""

    def __init__(self, *faults: Fault) -> None:
        self.faults = list(faults)
        super().__init__("; ".join(fault.detail for fault in faults))


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InlineModel(_Part):
    """A model that is not in the catalogue: an architecture as the catalogue writes it, or a config.json."""

    name: Slug = "inline-model"
    architecture: dict[str, Any] | None = None
    hf_config: dict[str, Any] | None = None
    hf_quant_config: dict[str, Any] | None = None
    native_format: str = Field("", max_length=20)
    quantisation: dict[str, Any] = Field(default_factory=dict)


class InlineAccelerator(_Part):
    """A chip that is not in the catalogue. `figures` have the names and units of the catalogue's figures."""

    name: Slug = "inline-chip"
    vendor: Slug = "unknown"
    kind: Literal[CHIP_KINDS] = "gpu"  # type: ignore[valid-type]
    generation: str = Field("", max_length=100)
    memory_is_sram: bool = False
    figures: dict[str, Positive] = Field(description="memory_gb, memory_bandwidth_gbs, peak_rate:bf16, ...")


class WorkloadAsked(_Part):
    """Lengths and service levels; over a stored workload each given field replaces the stored one."""

    isl: Annotated[int, Field(ge=1, le=100_000_000)] | None = None
    osl: Annotated[int, Field(ge=1, le=100_000_000)] | None = None
    ttft_limit_ms: Positive | None = None
    tpot_limit_ms: Positive | None = None
    prefix_share: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] | None = None
    prefix_shared: bool | None = Field(
        default=None, description="the cached part is one text common to all requests, held once"
    )
    arrival: Literal[ARRIVALS] | None = Field(  # type: ignore[valid-type]
        default=None,
        description="closed_loop: clients that send their next request when answered; static: one batch of "
        "`concurrency` requests that starts together, is prefilled whole and decodes to its end; saturating: "
        "as many requests as the deployment can take, all there from the start, at most `concurrency`",
    )


class PoolAsked(_Part):
    """Workers that compute prompts alone; sizes left out are those of the decode workers or chosen."""

    workers: Size | None = None
    tp: Size | None = None
    pp: Size | None = None
    ep: Size | None = None
    dp: Size | None = None


class SpeculationAsked(_Part):
    """Tokens drafted ahead and verified together: by the model's own multi-token-prediction module (mtp), a

    smaller model (draft), or a look-up in the text (ngram).
    """

    method: Literal[SPECULATIONS]  # type: ignore[valid-type]
    draft_tokens: Annotated[int, Field(ge=1, le=64)] = 1
    acceptance: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = Field(
        default=None,
        description="chance that a drafted token is taken if those before it were; left out: as published",
    )
    draft_model: Slug | None = None
    draft_weights: Annotated[str, Field(max_length=40)] | None = None


class UnitAsked(_Part):
    """An engine of the chip: its peak rates in TFLOPS or TOPS, the part of the bandwidth that it draws."""

    rates: dict[str, Positive] = Field(default_factory=dict, description="bf16, fp8, int8, ...")
    bandwidth_share: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] | None = None


class DeploymentAsked(_Part):
    """How the model is laid out; what is left out is chosen for the highest throughput within the limits.

    With `prefill` serving is disaggregated: that pool computes prompts, `replicas` workers decode. With
    `offload` what the chips' first memory tier does not hold lies in the second and is read from there.
    """

    weights: Annotated[str, Field(max_length=40)] | None = None
    kv_format: Annotated[str, Field(max_length=40)] | None = None
    tp: Size | None = None
    pp: Size | None = None
    ep: Size | None = None
    dp: Size | None = None
    replicas: Size | None = None
    concurrency: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    software: Annotated[str, Field(max_length=60)] | None = None
    software_version: Annotated[str, Field(min_length=1, max_length=60)] | None = None
    prefill: PoolAsked | None = None
    chunk_tokens: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    speculation: SpeculationAsked | None = None
    offload: Literal[OFFLOADS] | None = None  # type: ignore[valid-type]
    prefill_unit: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    decode_unit: Annotated[str, Field(min_length=1, max_length=40)] | None = None


class PriceAsked(_Part):
    """Which price counts: a quote, what owning costs, or a price of one's own for the whole offer."""

    basis: Literal["on_demand", "spot", "reserved", "owned", "any", "none"] | None = Field(
        default=None, description="any: the cheapest to rent; left out: pricing_model"
    )
    usd_per_hour: Annotated[Decimal, Field(gt=0, lt=10**9, allow_inf_nan=False)] | None = None
    pricing_model: Literal["on_demand", "spot", "reserved"] = "on_demand"
    provider: Slug | None = None
    region: Slug | None = None
    country: Annotated[str, Field(min_length=2, max_length=2)] | None = None
    as_of: date | None = None
    owned: OwnedAsked = OwnedAsked()


class Question(_Part):
    """A what-if. `model` and `accelerator` are slugs or inline; `offer` names a stored shape instead."""

    model: Slug | InlineModel
    accelerator: Slug | InlineAccelerator | None = None
    count: Size = 1
    offer: Slug | None = None
    workload: Slug | WorkloadAsked = "chat"
    workload_overrides: WorkloadAsked = WorkloadAsked()
    deployment: DeploymentAsked = DeploymentAsked()
    overrides: dict[str, float | str] = Field(
        default_factory=dict,
        max_length=50,
        description="figure of the accelerator -> number in its unit, or '+20%', '-10%', 'x1.5'",
    )
    units: dict[Slug, UnitAsked] = Field(
        default_factory=dict,
        max_length=8,
        description="engines of the chip that prefill_unit and decode_unit may name, in place of known ones",
    )
    price: PriceAsked = PriceAsked()
    economics: EconomicsAsked = EconomicsAsked()


def read_question(data: Any) -> Question:
    """The checked question of plain JSON values. Raises InvalidQuestion with every fault found."""
    if isinstance(data, Question):
        return data
    if not isinstance(data, Mapping):
        raise InvalidQuestion(Fault("", "not_an_object", "the question is not an object", "an object"))
    try:
        return Question.model_validate(data)
    except ValidationError as error:
        raise InvalidQuestion(*faults_of(error, data, _fields_at)) from None


#: So many times the work of a plain question: pools of every size and load; lengths estimated again.
POOL_WORK: Final = 10
SENSITIVITY_WORK: Final = 4


def work_of(question: Question) -> int:
    """How many plain questions it is worth of time, by which lists of questions are bounded."""
    pool = POOL_WORK if question.deployment.prefill is not None else 1
    return pool * (SENSITIVITY_WORK if question.economics.sensitivity else 1)


def relative(text: str) -> float | None:
    """The factor that a relative override means; None where it is none."""
    match = RELATIVE.match(text.strip())
    if match is None:
        return None
    if match["factor"]:
        return float(match["factor"])
    share = float(match["percent"]) / 100
    return 1 + share if match["sign"] == "+" else 1 - share


_BRANCHES = {"str", "InlineModel", "InlineAccelerator", "WorkloadAsked", "constrained-str", "float"}


def faults_of(
    error: ValidationError, data: Mapping[str, Any], fields_at: Callable[[list[str]], list[str]]
) -> list[Fault]:
    """Each fault once, at most `MOST_FAULTS`, with the branch of a union that the value was meant for.

    `fields_at` names the fields that are accepted at a place, given as its path.
    """
    faults: dict[str, Fault] = {}
    items = [([str(part) for part in item["loc"]], item) for item in error.errors(include_url=False)]
    meant = [(place, item) for place, item in items if _is_meant(place, data)]
    for place, item in (meant or items)[:MOST_FAULTS]:
        if len(place) > 1 and _is_branch(place[1]):
            place = [place[0], *place[2:]] if meant else [place[0]]
        place = _given_place([part for part in place if not _is_branch(part)], data)
        pointer = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in place)
        shown = repr(item.get("input"))
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        name = ".".join(place) or "the question"
        accepted: Any
        if item["type"] == "extra_forbidden":
            detail, accepted = f"{name} is not a known field", fields_at(place[:-1])
        elif item["type"] == "missing":
            detail, accepted = f"{name} is required", "a value"
        else:
            detail, accepted = f"{name} is {shown}", _accepted(item["type"], item.get("ctx", {}), item["msg"])
        faults.setdefault(pointer, Fault(pointer, item["type"], detail, accepted))
    return list(faults.values())


def _is_meant(place: list[str], data: Mapping[str, Any]) -> bool:
    """Whether a fault is of the branch of a union that the value was meant for, where it is of a branch."""
    branch = place[1] if len(place) > 1 and _is_branch(place[1]) else None
    return branch is None or _branch_meant(data.get(place[0])) == _branch_kind(branch)


def _given_place(place: list[str], data: Any) -> list[str]:
    """The path without positions in a list that was given as its only entry."""
    kept = []
    for part in place:
        if part.isdecimal() and not isinstance(data, list):
            continue
        kept.append(part)
        if isinstance(data, list):
            data = data[int(part)] if part.isdecimal() and int(part) < len(data) else None
        else:
            data = data.get(part) if isinstance(data, Mapping) else None
    return kept


def _is_branch(part: str) -> bool:
    return part in _BRANCHES or part.startswith("list[")


def _branch_kind(branch: str) -> str:
    if branch.startswith("list["):
        return "list"
    return "text" if branch in ("str", "constrained-str") else "object"


def _branch_meant(given: Any) -> str:
    return "object" if isinstance(given, Mapping) else "list" if isinstance(given, list) else "text"


_RULES: dict[str, str] = {
    "greater_than_equal": "at least {ge}",
    "greater_than": "above {gt}",
    "less_than_equal": "at most {le}",
    "less_than": "below {lt}",
    "finite_number": "a finite number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "int_type": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "decimal_parsing": "a decimal number",
    "string_too_short": "at least {min_length} characters",
    "string_too_long": "at most {max_length} characters",
    "string_type": "a text",
    "literal_error": "{expected}",
    "enum": "{expected}",
    "model_type": "an object",
    "dict_type": "an object",
    "date_from_datetime_parsing": "a date as YYYY-MM-DD",
}


def _accepted(kind: str, context: Mapping[str, Any], message: str) -> str:
    """What would have been accepted, in a few words."""
    return _RULES[kind].format(**context) if kind in _RULES else message


def _fields_at(place: list[str]) -> list[str]:
    parts: dict[str, type[BaseModel]] = {
        "model": InlineModel,
        "accelerator": InlineAccelerator,
        "workload": WorkloadAsked,
        "workload_overrides": WorkloadAsked,
        "deployment": DeploymentAsked,
        "price": PriceAsked,
        "economics": EconomicsAsked,
    }
    within: dict[tuple[str, ...], type[BaseModel]] = {
        ("deployment", "prefill"): PoolAsked,
        ("deployment", "speculation"): SpeculationAsked,
        ("price", "owned"): OwnedAsked,
        ("economics", "energy"): EnergyAsked,
    }
    model = parts.get(place[0], Question) if place else Question
    return list(within.get(tuple(place[:2]), model).model_fields)


def fields_below(root: type[BaseModel], place: list[str]) -> list[str]:
    """The fields accepted at a path below a question's root; positions in lists are passed over."""
    model = root
    for part in place:
        about = model.model_fields.get(part)
        inner = None if about is None else _model_in(about.annotation)
        model = inner or model
    return [about.alias or name for name, about in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that an annotation holds: itself, or one branch of its union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
