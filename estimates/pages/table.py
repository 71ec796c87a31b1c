"""The ranked table of an answer: each cell's text, its interval as a whisker, why one is unknown."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from catalog.prices import plain
from estimates.models import Objective, State
from estimates.pages.chart import Point
from estimates.pages.numbers import age, aligned, significant
from estimates.pages.places import place_name
from estimates.ranking import Answer

WHISKER_WIDTH = 58.0
GRADES = {
    "A": "measured on this hardware with this model",
    "B": "calibrated on this chip",
    "C": "inherited from kin of this chip",
    "D": "from the datasheet alone",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A number with its 80% interval: text, and the whisker's places in pixels; or why there is none."""

    text: str = ""
    low: str = ""
    high: str = ""
    x_low: str = ""
    x_high: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table, ready to print."""

    answer: Answer
    rank: int
    name: str
    systems: str
    more_systems: int
    deployment: str
    speed: Cell
    tpot: Cell
    ttft: Cell
    throughput: Cell
    usd: Cell
    grade_meaning: str
    quote_age: str
    quote_place: str
    per_hour: str
    shortfall: str
    why_not: str
    change: str


@dataclass(frozen=True, slots=True)
class Column:
    """One column of numbers: how to read value, low and high, how many decimals, and its scale."""

    value: Callable[[Answer], float | None]
    low: Callable[[Answer], float | None]
    high: Callable[[Answer], float | None]
    decimals: int
    why: Callable[[Answer], str]


def _unpriced(row: Answer) -> str:
    return "no quote for this hardware on these terms" if row.quote is None else _no_estimate(row)


def _no_estimate(row: Answer) -> str:
    return _said(row.reason) or "not estimated"


COLUMNS: dict[str, Column] = {
    "speed": Column(
        lambda r: r.tok_s_per_user, lambda r: r.speed_low, lambda r: r.speed_high, 1, _no_estimate
    ),
    "tpot": Column(lambda r: r.tpot_ms, lambda r: r.tpot_low_ms, lambda r: r.tpot_high_ms, 1, _no_estimate),
    "ttft": Column(lambda r: r.ttft_ms, lambda r: r.ttft_low_ms, lambda r: r.ttft_high_ms, 0, _no_estimate),
    "throughput": Column(
        lambda r: r.throughput_tok_s,
        lambda r: r.throughput_low_tok_s,
        lambda r: r.throughput_high_tok_s,
        0,
        _no_estimate,
    ),
    "usd": Column(
        lambda r: r.usd_per_mtok, lambda r: r.usd_low_per_mtok, lambda r: r.usd_high_per_mtok, 3, _unpriced
    ),
}


def sorted_answers(rows: Iterable[Answer], order: str) -> list[Answer]:
    """Ranked, the smaller of equals first; what has no value in the ordered column comes last."""
    keys: dict[str, Callable[[Answer], float | None]] = {
        "usd": lambda row: row.usd_per_mtok,
        "speed": lambda row: -row.tok_s_per_user if row.tok_s_per_user else None,
        "ttft": lambda row: row.ttft_ms,
        "throughput": lambda row: -row.throughput_tok_s if row.throughput_tok_s else None,
        "chips": lambda row: row.count * row.machines,
    }
    key = keys[order]

    def place(row: Answer) -> tuple[bool, float, int, float, str]:
        value = key(row)
        rounded = float(f"{value or 0.0:.4g}")  # replicas of one deployment cost the same: the smallest first
        return value is None, rounded, row.count, -(row.throughput_tok_s or 0.0), row.offer

    return sorted(rows, key=place)


def lines(rows: Sequence[Answer], today: date) -> list[Line]:
    """The rows as lines, ranked as they come."""
    return [_line(row, rank, today) for rank, row in enumerate(rows, start=1)]


def points(chosen: Sequence[Answer], others: Iterable[Answer]) -> list[Point]:
    """Kept answers that have both a speed and a price; those the table shows are `chosen`."""
    shown = {row.pk for row in chosen}
    return [
        Point(
            key=row.offer,
            label=short_name(row),
            vendor=row.vendor,
            x=row.tok_s_per_user,
            y=row.usd_per_mtok,
            x_low=row.speed_low,
            x_high=row.speed_high,
            y_low=row.usd_low_per_mtok,
            y_high=row.usd_high_per_mtok,
            chosen=row.pk in shown,
        )
        for row in (*chosen, *others)
        if row.tok_s_per_user and row.usd_per_mtok
    ]


def short_name(row: Answer) -> str:
    """Count and chip without the vendor's name in front: "8× H100 SXM"."""
    name = row.accelerator_name
    for prefix in (row.vendor_name, row.vendor_name.split()[0]):
        if name.lower().startswith(prefix.lower() + " "):
            name = name[len(prefix) + 1 :]
            break
    return f"{row.count}× {name}"


def deployment(row: Answer) -> str:
    """Number format and parallel sizes: "fp8 · TP 8 · PP 2 · EP 8"."""
    parts = [row.weight_format]
    for name, size in (("TP", row.tp), ("PP", row.pp), ("EP", row.ep), ("DP", row.dp)):
        if size and (size > 1 or name == "TP"):
            parts.append(f"{name} {size}")
    if row.replicas and row.replicas > 1:
        parts.append(f"{row.replicas} replicas")
    return " · ".join(part for part in parts if part)


def _line(row: Answer, rank: int, today: date) -> Line:
    cells = {name: _cell(row, column) for name, column in COLUMNS.items()}
    quote = row.quote
    why_not, change = _why_not_and_change(row)
    return Line(
        answer=row,
        rank=rank,
        name=short_name(row),
        systems=", ".join(row.systems[:2]),
        more_systems=max(0, len(row.systems) - 2),
        deployment=deployment(row),
        grade_meaning=GRADES.get(row.grade, ""),
        quote_age=age(quote.observed_on, today) if quote and quote.observed_on else "age unknown",
        quote_place=_place(row) if quote else "",
        per_hour=significant(float(quote.usd_per_hour), 4, 2) if quote else "",
        shortfall=f"{significant(row.shortfall_gb)} GB a chip" if row.shortfall_gb else "",
        why_not=why_not,
        change=change,
        **cells,
    )


def _place(row: Answer) -> str:
    """Region or country of the quote; empty where neither is stated."""
    quote = row.quote
    return quote.region or (quote.country and place_name(quote.country)) if quote else ""


def _said(reason: str) -> str:
    """A stored reason is "code: sentence"; the sentence."""
    return reason.partition(": ")[2] or reason


def _why_not_and_change(row: Answer) -> tuple[str, str]:
    """What keeps an offer from answering, and the smallest change that would let it."""
    sentence, _, change = _said(row.reason).partition("; ")
    if row.state == State.DOES_NOT_FIT and row.shortfall_gb and row.memory_usable_gb:
        more = f"{row.shortfall_gb / row.memory_usable_gb:.0%} more memory a chip"
        change = (
            f"{change}, or {more}" if change and row.shortfall_gb < row.memory_usable_gb else change or more
        )
    return sentence, change


def _cell(row: Answer, column: Column) -> Cell:
    value = column.value(row)
    if not value:
        return Cell(why=column.why(row))
    return cell_of(value, column.low(row) or value, column.high(row) or value, column.decimals)


def cell_of(value: float, low: float, high: float, decimals: int) -> Cell:
    """A number above zero with the ends of its interval."""
    return Cell(
        text=aligned(value, decimals),
        low=significant(low),
        high=significant(high),
        x_low=_whisker_place(low / value),
        x_high=_whisker_place(high / value),
    )


def _whisker_place(ratio: float) -> str:
    """Pixels from the left of the whisker: a half is its left end, twice its right end, logarithmic."""
    share = min(max(math.log2(ratio), -1.0), 1.0)
    return f"{WHISKER_WIDTH / 2 * (1 + share):.1f}"


def time_text(milliseconds: float | None) -> str:
    """A time limit as said in a sentence: "50 ms", "2 s"."""
    if milliseconds is None:
        return ""
    return f"{milliseconds:,.10g} ms" if milliseconds < 1000 else f"{milliseconds / 1e3:,.10g} s"


CSV_COLUMNS: dict[str, Callable[[Answer], object]] = {
    "offer": lambda row: row.offer,
    "accelerator": lambda row: row.accelerator,
    "vendor": lambda row: row.vendor,
    "count": lambda row: row.count,
    "objective": lambda row: Objective(row.objective).name.lower(),
    "machines": lambda row: row.machines,
    **{
        name: (lambda row, name=name: getattr(row, name))  # type: ignore[misc]
        for name in [
            "weight_format",
            "kv_format",
            "tp",
            "pp",
            "ep",
            "dp",
            "replicas",
            "concurrency",
            "tok_s_per_user",
            "tpot_ms",
            "tpot_low_ms",
            "tpot_high_ms",
            "ttft_ms",
            "ttft_low_ms",
            "ttft_high_ms",
            "ttft_unloaded_ms",
            "throughput_tok_s",
            "throughput_low_tok_s",
            "throughput_high_tok_s",
        ]
    },
    "binding_limit": lambda row: row.limit,
    "grade": lambda row: row.grade,
    "usd_per_mtok_output": lambda row: row.usd_per_mtok,
    "usd_per_mtok_output_low": lambda row: row.usd_low_per_mtok,
    "usd_per_mtok_output_high": lambda row: row.usd_high_per_mtok,
    "usd_per_hour": lambda row: row.quote and plain(row.quote.usd_per_hour),
    "provider": lambda row: row.quote and row.quote.provider,
    "region": lambda row: row.quote and row.quote.region,
    "quote_observed_on": lambda row: row.quote and row.quote.observed_on,
    "quote_stale": lambda row: row.quote and row.quote.stale,
    "estimate_stale": lambda row: row.is_stale,
}


def csv_rows(rows: Iterable[Answer]) -> Iterable[list[object]]:
    """The header, then every answer with full figures; unknown is empty."""
    yield list(CSV_COLUMNS)
    for row in rows:
        yield [_csv_value(read(row)) for read in CSV_COLUMNS.values()]


def _csv_value(value: object) -> object:
    """Text that a spreadsheet would take for a formula is quoted with an apostrophe."""
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t") else value
