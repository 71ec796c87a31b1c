"""Options side by side: what differs between them, what the same, and what makes their answers differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from catalog.quantities import QUANTITIES
from estimates.comparison.attribution import Attributed, attribute
from estimates.comparison.causes import causes_between, group_of, load_of
from estimates.comparison.options import Option, answer_options, read_options
from estimates.comparison.reading import read
from estimates.core.choice import Choice
from estimates.cost import rounded
from estimates.what_if import Fault, InvalidQuestion

FEWEST_OPTIONS: Final = 2
MOST_OPTIONS: Final = 8
#: Shown although no speed rests on it.
POWER: Final = "tdp_w"


class CompareAsked(BaseModel):
    """Two to eight options; each is compared with the baseline, an index of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    options: list[dict[str, Any]] = Field(
        description="each a what-if as POST /estimates/evaluate takes, or {estimate: id of a stored one}; "
        "either with a label"
    )
    baseline: int = Field(default=0, ge=0, lt=MOST_OPTIONS)
    explained: bool = Field(default=False, description="answers with facts, formulas and evidence")


@dataclass(frozen=True, slots=True)
class Line:
    """One input of the options: its values in their order; None: unknown or none."""

    field: str
    unit: str
    values: tuple[Any, ...]

    @property
    def differs(self) -> bool:
        return any(value != self.values[0] for value in self.values)

    def as_json(self) -> dict[str, Any]:
        return {"field": self.field, "unit": self.unit or None, "values": list(self.values)}


@dataclass(frozen=True, slots=True)
class Pair:
    """An option against the baseline; `attributed` None where one of the two does not run."""

    option: int
    attributed: Attributed | None
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    options: list[Option]
    baseline: int
    lines: list[Line]
    pairs: list[Pair]

    def as_json(self) -> dict[str, Any]:
        return {
            "baseline": self.baseline,
            "options": [
                {
                    "index": index,
                    "label": option.asked.label,
                    "estimate": option.asked.estimate,
                    "answer": option.answer,
                }
                for index, option in enumerate(self.options)
            ],
            "differences": [line.as_json() for line in self.lines if line.differs],
            "same": [line.as_json() for line in self.lines if not line.differs],
            "pairs": [
                {"option": pair.option, "baseline": self.baseline, "why_not": pair.why_not or None}
                | (pair.attributed.as_json() if pair.attributed else {"metrics": {}})
                for pair in self.pairs
            ],
        }


def answer_comparison(data: Any) -> dict[str, Any]:
    """The comparison as plain values. Raises InvalidQuestion."""
    asked = read(CompareAsked, data)
    count = len(asked.options)
    if not FEWEST_OPTIONS <= count <= MOST_OPTIONS:
        accepted = f"{FEWEST_OPTIONS} to {MOST_OPTIONS} options"
        detail = f"{count} option{'' if count == 1 else 's'} cannot be compared"
        raise InvalidQuestion(Fault("/options", "options", detail, accepted))
    if asked.baseline >= count:
        detail = f"the baseline is {asked.baseline} of {count} options"
        raise InvalidQuestion(Fault("/baseline", "baseline", detail, f"0 to {count - 1}"))
    options = answer_options(read_options(asked.options), explained=asked.explained)
    return compare(options, asked.baseline).as_json()


def compare(options: Sequence[Option], baseline: int = 0) -> Comparison:
    """The options with what differs between them, each against the baseline."""
    pairs = [
        _pair(index, options[baseline], option) for index, option in enumerate(options) if index != baseline
    ]
    return Comparison(list(options), baseline, lines_of(options), pairs)


def _pair(index: int, baseline: Option, option: Option) -> Pair:
    for name, one in (("the baseline", baseline), ("it", option)):
        if not one.side.runs:
            reason = one.side.estimate.reason
            return Pair(index, None, f"{name} does not run: {reason.detail if reason else 'no answer'}")
    causes = causes_between(baseline.side, option.side, unit_of)
    return Pair(index, attribute(baseline.side, option.side, causes))


def unit_of(quantity: str) -> str:
    """The unit of a figure of an accelerator."""
    known = QUANTITIES["accelerator"].get(quantity)
    return known.unit if known else ""


def lines_of(options: Sequence[Option]) -> list[Line]:
    """Every input, as the deployments, datasheets and prices have it, grouped as one reads them."""
    sides = [option.side for option in options]

    def line(field: str, unit: str, value: Callable[[Option], Any]) -> Line:
        return Line(field, unit, tuple(value(option) for option in options))

    found = [
        line("model", "", lambda o: o.side.model.slug),
        line("accelerator", "", lambda o: o.side.sheet.slug),
        line("chips", "", lambda o: o.side.shape.count),
        line("isl", "tokens", lambda o: o.side.workload.isl),
        line("osl", "tokens", lambda o: o.side.workload.osl),
        line("prefix_share", "", lambda o: o.side.workload.prefix_share),
        line("arrival", "", lambda o: o.side.workload.arrival),
        line("ttft_limit_ms", "ms", lambda o: _milli(o.side.workload.ttft_slo_s)),
        line("tpot_limit_ms", "ms", lambda o: _milli(o.side.workload.tpot_slo_s)),
    ]
    deployments = ("weights", "kv_format", "tp", "pp", "ep", "dp", "replicas", "software", "prefill")
    found += [line(name, "", partial(_deployed, name)) for name in deployments]
    found.append(
        line("concurrency", "", lambda o: load_of(o.side) if isinstance(o.side.choice, Choice) else None)
    )
    known = QUANTITIES["accelerator"]
    held = {name for side in sides for name in side.sheet.quantities}
    figures = [name for name in known if name in held and (group_of(name) or name == POWER)]
    found += [line(name, known[name].unit, partial(_figure, name)) for name in figures]
    found += [
        line(
            "usd_per_hour",
            "USD/h",
            lambda o: None if o.side.usd_per_hour is None else rounded(o.side.usd_per_hour),
        ),
        line("provider", "", lambda o: o.quote.provider if o.quote else None),
        line("quote_observed_on", "", lambda o: o.quote.observed_on if o.quote else None),
    ]
    return [one for one in found if any(value is not None for value in one.values)]


def _deployed(name: str, option: Option) -> Any:
    return option.side.estimate.deployment.get(name)


def _figure(name: str, option: Option) -> float | None:
    return option.side.sheet.quantities.get(name)


def _milli(seconds: float | None) -> float | None:
    return None if seconds is None else float(f"{seconds * 1e3:.6g}")
