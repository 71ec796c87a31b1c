"""The compare page's tables: answers with intervals, differences first, causes as parts of a stacked bar."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, exp, floor, log
from typing import Any, Final

from estimates.comparison.attribution import Attribution
from estimates.comparison.compare import Comparison, Line, Pair
from estimates.comparison.options import Option
from estimates.pages.chart import per_cent
from estimates.pages.compare.question import CompareQuestion
from estimates.pages.detail import quantity_name
from estimates.pages.numbers import significant
from estimates.pages.table import Cell, cell_of

METRIC_WORDS: Final = {
    "tpot_ms": ("Time per output token", "TPOT", "ms", "less is better"),
    "ttft_ms": ("Time to first token", "TTFT", "ms", "less is better"),
    "throughput_tok_s": ("Throughput", "throughput", "tok/s", "more is better"),
    "usd_per_mtok_output": ("Cost of output tokens", "cost", "USD/Mtok", "less is better"),
}
#: Colour of a cause in the bars and tables; the limits have their own everywhere.
LOOKS: Final = {
    "memory_bandwidth": "look-bandwidth",
    "compute": "look-compute",
    "links": "look-interconnect",
    "capacity": "look-capacity",
    "efficiency": "cause-0",
    "layout": "cause-1",
    "load": "cause-2",
    "format": "cause-3",
    "price": "cause-4",
    "software": "cause-5",
    "model": "cause-6",
    "workload": "cause-7",
    "options": "cause-8",
}
#: What one part of the bars is too small to be drawn, in the logarithm.
NOTHING: Final = 5e-4
FIELD_NAMES: Final = {
    "model": "Model",
    "accelerator": "Accelerator",
    "chips": "Chips",
    "isl": "Input tokens",
    "osl": "Output tokens",
    "prefix_share": "Prompt already cached",
    "arrival": "Arrival",
    "ttft_limit_ms": "Limit to the first token",
    "tpot_limit_ms": "Limit per token",
    "weights": "Weights",
    "kv_format": "KV cache",
    "tp": "Tensor parallel",
    "pp": "Pipeline stages",
    "ep": "Expert parallel",
    "dp": "Attention data parallel",
    "replicas": "Replicas",
    "software": "Serving software",
    "prefill": "Prefill pool",
    "concurrency": "Requests in flight",
    "usd_per_hour": "Price",
    "provider": "Provider",
    "quote_observed_on": "Price seen",
}


@dataclass(frozen=True)
class Head:
    """A column: what the option is called, how it is laid out, what it leads to."""

    index: int
    label: str
    name: str
    deployment: str
    is_baseline: bool
    limit: str
    grade: str
    state: str
    reason: str
    removed: str
    based: str


@dataclass(frozen=True)
class Row:
    """One line of the table: texts or cells with intervals, one for each option."""

    name: str
    unit: str
    cells: tuple[Any, ...]


@dataclass(frozen=True)
class Part:
    """A cause's piece of a bar."""

    name: str
    look: str
    x: str
    width: str
    text: str


@dataclass(frozen=True)
class Bar:
    """An option against the baseline: its pieces, the net, in per cent of the axis."""

    index: int
    label: str
    parts: tuple[Part, ...]
    net: str
    text: str
    why_not: str


@dataclass(frozen=True)
class Chart:
    zero: str
    ticks: tuple[tuple[str, str], ...]
    bars: tuple[Bar, ...]
    keys: tuple[tuple[str, str], ...]


def heads(comparison: Comparison, question: CompareQuestion) -> list[Head]:
    return [_head(index, option, comparison, question) for index, option in enumerate(comparison.options)]


def _head(index: int, option: Option, comparison: Comparison, question: CompareQuestion) -> Head:
    answer = option.answer
    row = option.hardware.row
    chip = row.name if row is not None else option.side.sheet.slug
    deployed = answer["deployment"] or {}
    sizes = [
        f"{name.upper()} {deployed[name]}"
        for name in ("tp", "pp", "ep", "dp")
        if deployed.get(name, 1) != 1 or (name == "tp" and deployed)
    ]
    if deployed.get("replicas", 1) > 1:
        sizes.append(f"{deployed['replicas']} replicas")
    return Head(
        index=index,
        label=option.asked.label,
        name=f"{option.side.shape.count}× {chip}",
        deployment=" · ".join([str(deployed.get("weights") or ""), *sizes]).strip(" ·"),
        is_baseline=index == comparison.baseline,
        limit=answer["binding_limit"] or "",
        grade=answer["grade"] or "",
        state=answer["state"],
        reason=(answer["reason"] or {}).get("detail", ""),
        removed=question.without(index),
        based=question.based_on(index),
    )


def answer_rows(comparison: Comparison) -> list[Row]:
    """Speeds, cost and limits of the answers, with their intervals."""
    options = comparison.options
    return [
        Row("Speed for a user", "tok/s", tuple(_speed(option) for option in options)),
        Row("Time per output token", "ms", tuple(_value(option, "tpot_ms", 1) for option in options)),
        Row("Time to first token", "ms", tuple(_first_token(option) for option in options)),
        Row("Throughput", "tok/s", tuple(_value(option, "throughput_tok_s", 0) for option in options)),
        Row("Cost of output", "USD/Mtok", tuple(_cost(option) for option in options)),
    ]


def _why(option: Option) -> str:
    reason = option.answer["reason"]
    return reason["detail"] if reason else "not estimated for want of a rate"


def _interval(option: Option, name: str, value: float) -> tuple[float, float]:
    """The ends of a figure's interval; the figure itself where it has none."""
    low, high = option.answer["interval_80"].get(name) or (value, value)
    return low, high


def _value(option: Option, name: str, decimals: int) -> Cell:
    results = option.answer["results"]
    if not results or results[name] is None:
        return Cell(why=_why(option))
    return cell_of(results[name], *_interval(option, name, results[name]), decimals)


def _speed(option: Option) -> Cell:
    results = option.answer["results"]
    if not results:
        return Cell(why=_why(option))
    low, high = _interval(option, "tpot_ms", results["tpot_ms"])
    return cell_of(results["tok_s_per_user"], 1e3 / high, 1e3 / low, 1)


def _first_token(option: Option) -> Cell:
    results = option.answer["results"]
    first = (results or {}).get("ttft_ms") or {}
    for name, width in (("loaded_mean", "ttft_ms"), ("saturated_mean", "ttft_saturated_ms")):
        if first.get(name) is not None:
            return cell_of(first[name], *_interval(option, width, first[name]), 0)
    return Cell(why=_why(option))


def _cost(option: Option) -> Cell:
    found = option.answer["cost"]
    if not found or "usd_per_mtok_output" not in found:
        return Cell(why="no price on these terms" if option.answer["results"] else _why(option))
    value, rate = float(found["usd_per_mtok_output"]), option.answer["results"]["throughput_tok_s"]
    low, high = _interval(option, "throughput_tok_s", rate)
    return cell_of(value, value * rate / high, value * rate / low, 3)


def input_rows(lines: Iterable[Line], comparison: Comparison) -> list[Row]:
    return [Row(_field_name(one.field), one.unit, _texts(one, comparison)) for one in lines]


def _field_name(field: str) -> str:
    return FIELD_NAMES.get(field) or quantity_name(field)


def _texts(line: Line, comparison: Comparison) -> tuple[str, ...]:
    if line.field == "quote_observed_on":
        return tuple(_seen(option) for option in comparison.options)
    return tuple(_text(value) for value in line.values)


def _seen(option: Option) -> str:
    quote = option.quote
    if quote is None or quote.observed_on is None:
        return ""
    text = f"{quote.age_days} days ago" if quote.age_days else "today"
    return f"{text}, stale" if quote.stale else text


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return ", ".join(f"{name} {size}" for name, size in value.items())
    if isinstance(value, float):
        return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.0f}"
    return str(value)


# ---- Causes ----------------------------------------------------------------------------------------------


def chart(comparison: Comparison, metric: str) -> Chart:
    """A stacked bar for each option on a logarithmic axis about the baseline.

    Causes that lower the metric lie to the left, those that raise it to the right; an option without the
    metric says why.
    """
    found = [_metric(pair, metric) for pair in comparison.pairs]
    reach = log(2) / 2
    for attribution in found:
        if attribution is not None:
            parts = [share.log_share for share in attribution.shares]
            reach = max(reach, sum(p for p in parts if p > 0), -sum(p for p in parts if p < 0))
    reach *= 1.06
    bars = tuple(
        _bar(pair, attribution, comparison.options[pair.option], reach, metric)
        for pair, attribution in zip(comparison.pairs, found, strict=True)
    )
    keys = dict.fromkeys(
        (share.cause.title, _look(share.cause.key))
        for attribution in found
        if attribution is not None
        for share in attribution.shares
        if abs(share.log_share) >= NOTHING
    )
    return Chart(_place(0, reach), tuple(_ticks(reach)), bars, tuple(keys))


def _metric(pair: Pair, metric: str) -> Attribution | None:
    return pair.attributed.metrics.get(metric) if pair.attributed else None


def _bar(pair: Pair, attribution: Attribution | None, option: Option, reach: float, metric: str) -> Bar:
    label = option.asked.label
    if attribution is None:
        why = pair.why_not or (pair.attributed.missing.get(metric, "") if pair.attributed else "")
        return Bar(pair.option, label, (), "", "", why)
    parts: list[Part] = []
    left = right = 0.0
    for share in sorted(attribution.shares, key=lambda share: -abs(share.log_share)):
        size = share.log_share
        if abs(size) < NOTHING:
            continue
        start = right if size > 0 else left + size
        left, right = (left, right + size) if size > 0 else (left + size, right)
        look = _look(share.cause.key)
        width = per_cent(abs(size) / (2 * reach))
        text = f"× {significant(exp(size))}"
        parts.append(Part(share.cause.title, look, _place(start, reach), width, text))
    ratio = attribution.after / attribution.before
    note = attribution.note if attribution.weighed != "every order" else ""
    return Bar(pair.option, label, tuple(parts), _place(log(ratio), reach), f"× {significant(ratio)}", note)


def _look(key: str) -> str:
    return LOOKS.get(key, "cause-8")


def _place(value: float, reach: float) -> str:
    return per_cent((value + reach) / (2 * reach))


def _ticks(reach: float) -> Iterable[tuple[str, str]]:
    """Factors that are powers of two, or of ten where the axis is long."""
    step = log(2) if reach < 4 * log(2) else log(10) if reach > 6 * log(2) else 2 * log(2)
    if reach < 0.8 * log(2):
        step = log(1.25)
    for number in range(ceil(-reach / step), floor(reach / step) + 1):
        factor = exp(abs(number) * step)
        sign = "×" if number >= 0 else "÷"
        text = "same" if number == 0 else f"{sign} {factor:.3g}"
        yield _place(number * step, reach), text


def cause_rows(comparison: Comparison, metric: str) -> list[tuple[str, str, list[str]]]:
    """(title, look, factor for each option but the baseline) of every cause; the net is last."""
    titles: dict[str, tuple[str, dict[int, float]]] = {}
    net: dict[int, float] = {}
    for pair in comparison.pairs:
        attribution = _metric(pair, metric)
        if attribution is None:
            continue
        net[pair.option] = attribution.log_ratio
        for share in attribution.shares:
            titles.setdefault(share.cause.title, (share.cause.key, {}))[1][pair.option] = share.log_share
    rows = [
        (title, _look(key), _factors(values, comparison))
        for title, (key, values) in titles.items()
        if any(abs(value) >= NOTHING for value in values.values())
    ]
    return [*rows, ("in all", "", _factors(net, comparison))] if net else []


def _factors(values: dict[int, float], comparison: Comparison) -> list[str]:
    return [
        f"× {significant(exp(values[pair.option]))}" if pair.option in values else ""
        for pair in comparison.pairs
    ]


# ---- CSV -------------------------------------------------------------------------------------------------


def side_rows(comparison: Comparison) -> Iterable[Sequence[Any]]:
    """Answers and inputs with full figures, one column an option."""
    options = comparison.options
    yield ["field", "unit", *(option.asked.label for option in options)]
    for name in ("tpot_ms", "throughput_tok_s", "tok_s_per_user"):
        yield [name, "", *((option.answer["results"] or {}).get(name) for option in options)]
    for name in ("loaded_mean", "saturated_mean"):
        values = [((option.answer["results"] or {}).get("ttft_ms") or {}).get(name) for option in options]
        yield [f"ttft_{name}_ms", "", *values]
    for name in ("tpot_ms", "ttft_ms", "throughput_tok_s"):
        for position, end in enumerate(("low", "high")):
            widths = [option.answer["interval_80"].get(name) for option in options]
            yield [f"{name}_{end}", "", *(width[position] if width else None for width in widths)]
    yield [
        "usd_per_mtok_output",
        "USD",
        *((o.answer["cost"] or {}).get("usd_per_mtok_output") for o in options),
    ]
    yield ["grade", "", *(option.answer["grade"] for option in options)]
    yield ["binding_limit", "", *(option.answer["binding_limit"] for option in options)]
    yield ["state", "", *(option.answer["state"] for option in options)]
    for line in comparison.lines:
        yield [line.field, line.unit, *line.values]


def share_rows(comparison: Comparison) -> Iterable[Sequence[Any]]:
    """Every cause of every metric of every option."""
    yield ["option", "metric", "before", "after", "ratio", "cause", "kind", "log_share", "factor", "weighed"]
    for pair in comparison.pairs:
        label = comparison.options[pair.option].asked.label
        for metric, found in pair.attributed.metrics.items() if pair.attributed else ():
            for share in found.shares:
                yield [
                    label,
                    metric,
                    found.before,
                    found.after,
                    found.after / found.before,
                    share.cause.key,
                    share.cause.kind,
                    share.log_share,
                    exp(share.log_share),
                    found.weighed,
                ]
