"""A validation as tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table

from estimates.measured.comparison import Validation
from estimates.measured.ranking_tables import print_ranking
from estimates.measured.scoring import OTHER, OTHER_METRICS, Score

COLUMNS: Final = ("rows", "answered", "MAPE", "median", "bias", "within 20%", "in interval", "high/low")
MOST_LISTED: Final = 40
Metrics = Mapping[str, Mapping[str, Score]]


def print_validation(console: Console, found: Validation) -> None:
    """Scores by slice, the peers' beside them, the order of systems, what was refused and what cannot be."""
    console.print(f"{found.figures} figures of {found.runs} runs", highlight=False)
    table = _table("Error by metric", "metric", "rows taken")
    for metric, views in found.metrics.items():
        for place, (view, one) in enumerate(views.items()):
            table.add_row("" if place else metric, view.replace("_", " "), *cells(one))
        table.add_section()
    console.print(table)
    console.print(f"{OTHER}: {', '.join(OTHER_METRICS)}.", highlight=False)
    console.print(
        "Error: (predicted - measured) / measured. Complete: rows without the flags that set them apart;"
    )
    console.print("plausible: of those, what the bandwidth of the memory allows.\n")
    by = {"tier": found.tiers, **found.slices}
    for name, values in by.items():
        table = _table(f"Complete rows by {name}", name, "metric")
        for value, metrics in values.items():
            for place, (metric, one) in enumerate(_complete(metrics)):
                table.add_row("" if place else value or "none", metric, *cells(one))
            table.add_section()
        console.print(table)
    _print_peers(console, found)
    if found.ranking is not None:
        print_ranking(console, found.ranking)
    _print_refused(console, found)
    _print_impossible(console, found)


def _complete(metrics: Metrics) -> Iterator[tuple[str, Score]]:
    for metric, views in metrics.items():
        if views["complete"].rows:
            yield metric, views["complete"]


def _table(title: str, *names: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE, pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    for name in COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def cells(one: Score) -> tuple[str, ...]:
    """A score as text, in the order of COLUMNS; a dash where nothing can be said."""
    return (
        str(one.rows),
        str(one.answered),
        _number(one.mape_pct, "{:.1f}%"),
        _number(one.median_ape_pct, "{:.1f}%"),
        _number(one.bias_pct, "{:+.1f}%"),
        _number(one.within20_pct, "{:.0f}%"),
        _number(one.coverage80_pct, "{:.0f}%"),
        _number(one.interval_ratio, "{:.2f}"),
    )


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else form.format(value)


def _print_peers(console: Console, found: Validation) -> None:
    if not found.peers:
        return
    table = _table(
        "Other tools, and the estimator on the rows that they answer", "tool", "metric", "rows taken"
    )
    for one in found.peers:
        table.add_row(one.tool, one.metric, one.view, *cells(one.peer))
        table.add_row("estimator", one.metric, one.view, *cells(one.ours))
        table.add_section()
    console.print(table)


def _print_refused(console: Console, found: Validation) -> None:
    total = sum(one.rows for one in found.refused)
    console.print(f"[bold]Not answered: {total} figures[/bold]", highlight=False)
    for one in found.refused:
        console.print(f"  {one.rows:>5}  {one.reason}", highlight=False, markup=False)
    console.print()


def _print_impossible(console: Console, found: Validation) -> None:
    console.print(
        f"[bold]Physically impossible: {len(found.impossible)} figures[/bold] (time per token below 0.95 of "
        "the bytes touched over datasheet bandwidth)",
        highlight=False,
    )
    for one in found.impossible[:MOST_LISTED]:
        shown = f"  {one.tpot_ms:>9.3f} ms, at least {one.floor_ms:.3f}  {one.run_id} {one.metric}"
        console.print(shown, highlight=False, markup=False, soft_wrap=True)
    if len(found.impossible) > MOST_LISTED:
        console.print(f"  and {len(found.impossible) - MOST_LISTED} more, all in --json", highlight=False)
