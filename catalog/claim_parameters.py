"""What a claim's `parameters` may say: the configuration it states, and how the service is to answer it.

The `answer` block makes the question data: which figure answers the claim, in which conditions that the claim
leaves open, and beside what. Parts of questions are those of `POST /api/v1/estimates/evaluate`; the service
that evaluates them checks them whole.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Number = Annotated[float, Field(allow_inf_nan=False)]

#: Figures by what answers with them. Those of an estimate and of a cost are read off a deployment.
SYSTEM_FIGURES: Final = (
    "memory_total",
    "bandwidth_total",
    "accelerator_count",
    "scale_up_domain",
    "peak_rate",
)
ESTIMATE_FIGURES: Final = (
    "tok_s_per_user",
    "tpot",
    "ttft",
    "wait",
    "decode_tok_s",
    "output_tok_s",
    "total_tok_s",
    "output_tok_s_per_accelerator",
    "total_tok_s_per_accelerator",
)
#: Axes whose values are plain: where in a question each lies. Other axes have mappings for values.
PLAIN_AXES: Final[dict[str, tuple[str, ...]]] = {
    "model": ("model",),
    "accelerator": ("accelerator",),
    "count": ("count",),
    "weights": ("deployment", "weights"),
    "kv_format": ("deployment", "kv_format"),
    "concurrency": ("deployment", "concurrency"),
    "software": ("deployment", "software"),
    "isl": ("workload", "isl"),
    "osl": ("workload", "osl"),
}
#: Keys of a mapping on an axis that are no part of the question.
AXIS_KEYS: Final = ("label", "against")
MOST_COMBINATIONS: Final = 200

Axes = dict[str, Annotated[list[Any], Field(min_length=1)]]


class Side(BaseModel):
    """One side of a question: a part of a what-if, and alternatives of which the best is taken."""

    model_config = ConfigDict(extra="forbid")

    question: dict[str, Any] = {}
    best_of: Axes = {}

    @model_validator(mode="after")
    def readable(self) -> Side:
        check_axes(self.best_of)
        return self


class AnswerAsked(Side):
    """How a claim is answered.

    `over` are the open conditions: every combination is answered, and the answer is the range. A value of an
    axis is plain for the axes that lie in one place of a question, else a mapping that is merged into it,
    with a `label`; `against` in it is what the other side of a ratio has instead. `best_of` are what an
    operator is free to choose: the best combination answers. `scale` multiplies a figure of the catalogue by
    what the claim counts otherwise. `assume` says in words what the claim does not state. `fitted` says which
    coefficient of the method was fitted to the claimed figure: agreement is then no test of it.
    """

    by: Literal["system_figure", "accelerator_figure", "estimate", "fit", "ratio", "cost"]
    figure: str = Field(default="", pattern=r"^[a-z0-9_:]*$", max_length=80)
    over: Axes = {}
    against: Side | None = None
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    assume: list[Annotated[str, Field(min_length=1, max_length=400)]] = []
    fitted: str = Field(default="", max_length=300)

    @model_validator(mode="after")
    def whole(self) -> AnswerAsked:
        accepted = {"system_figure": SYSTEM_FIGURES, "estimate": ESTIMATE_FIGURES, "ratio": ESTIMATE_FIGURES}
        if self.by in accepted and self.figure not in accepted[self.by]:
            raise ValueError(f"figure is one of {', '.join(accepted[self.by])} for {self.by}")
        if self.by == "accelerator_figure" and not self.figure:
            raise ValueError("figure names a figure of the accelerator")
        if (self.by == "ratio") != (self.against is not None):
            raise ValueError("against is the other side of a ratio, and of nothing else")
        check_axes(self.over)
        tried = combinations(self.over) * max(
            combinations(self.best_of), combinations(self.against.best_of if self.against else {})
        )
        if tried > MOST_COMBINATIONS:
            raise ValueError(f"{tried} combinations; at most {MOST_COMBINATIONS} are answered")
        return self


def combinations(axes: Mapping[str, list[Any]]) -> int:
    return math.prod(len(values) for values in axes.values())


def check_axes(axes: Mapping[str, list[Any]]) -> None:
    """Raises ValueError for a plain value on an axis that lies nowhere in a question."""
    for name, values in axes.items():
        for value in values:
            if not isinstance(value, Mapping) and name not in PLAIN_AXES:
                accepted = ", ".join(PLAIN_AXES)
                raise ValueError(
                    f"axis {name} has plain values; those of {accepted} may, others are mappings"
                )


class Against(BaseModel):
    """The other side of a comparison."""

    model_config = ConfigDict(extra="forbid", strict=True)

    accelerator: str = ""
    count: int | None = Field(default=None, ge=1)
    weight_format: str = ""
    tok_s_per_accelerator: Number | None = None
    what: str = ""


class ClaimParameters(BaseModel):
    """What the claim states about its configuration; what it leaves open is absent."""

    model_config = ConfigDict(extra="forbid", strict=True, protected_namespaces=())

    count: int | None = Field(default=None, ge=1)
    model: str | None = Field(default=None, description="where it is no model of the catalogue")
    accelerators: list[str] | None = None
    weight_format: str | None = None
    weight_formats: list[str] | None = None
    number_format: str | None = None
    sparsity: Literal["dense", "sparse"] | None = None
    dense_value: Number | None = None
    isl: int | None = Field(default=None, ge=1)
    osl: int | None = Field(default=None, ge=1)
    osl_max: int | None = Field(default=None, ge=1)
    batch: tuple[int, int] | None = Field(default=None, strict=False)
    ttft_limit_ms: Number | None = None
    tpot_limit_ms: Number | None = None
    ttft_s: Number | None = None
    tok_s_per_user: Number | None = None
    tok_s_per_accelerator: Number | None = None
    per: Literal["accelerator"] | None = None
    against: Against | None = None
    best_gpu_service_tok_s: Number | None = None
    range: tuple[Number, Number] | None = Field(default=None, strict=False)
    values: list[Number] | None = None
    hosted: bool | None = None
    speculative: bool | None = None
    projection: bool | None = None
    tokens_counted: Literal["output", "input + output"] | None = None
    usd_per_accelerator_hour: Number | None = None
    watts: Number | None = None
    price_basis: str | None = None
    framework: str | None = None
    answer: AnswerAsked | None = Field(default=None, strict=False)


def named(parameters: ClaimParameters, key: str) -> Iterator[str]:
    """Every `model` or `accelerator` that the answer's questions name."""
    if key == "accelerator":
        yield from parameters.accelerators or ()
        if parameters.against and parameters.against.accelerator:
            yield parameters.against.accelerator
    if parameters.answer is None:
        return
    sides: list[Side] = [parameters.answer]
    if parameters.answer.against is not None:
        sides.append(parameters.answer.against)
    for side in sides:
        yield from _named_in(side.question, key)
    for axes in (parameters.answer.over, *(side.best_of for side in sides)):
        for name, values in axes.items():
            for value in values:
                if isinstance(value, Mapping):
                    yield from _named_in(value, key)
                    yield from _named_in(value.get("against") or {}, key)
                elif name == key:
                    yield str(value)


def _named_in(question: Mapping[str, Any], key: str) -> Iterator[str]:
    if isinstance(question.get(key), str):
        yield question[key]
