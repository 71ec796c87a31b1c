"""The compare page's table: answers with their intervals, differences first; and what its CSV files hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp
from typing import Any, Final

from estimates.comparison.compare import Comparison, Line
from estimates.comparison.options import Option
from estimates.pages.compare.question import CompareQuestion
from estimates.pages.detail import quantity_name
from estimates.pages.table import Cell, cell_of

METRIC_WORDS: Final = {
    "tpot_ms": ("Time per output token", "TPOT", "ms", "less is better"),
    "ttft_ms": ("Time to first token", "TTFT", "ms", "less is better"),
    "throughput_tok_s": ("Throughput", "throughput", "tok/s", "more is better"),
    "usd_per_mtok_output": ("Cost of output tokens", "cost", "USD/Mtok", "less is better"),
}
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
