"""A ranking as tables for the terminal: means, groups, and what is swapped where tau is low."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table

from estimates.measured.agreement import NOISE, Agreement
from estimates.measured.ranking import LOW_TAU, Ranked, Ranking

ORDERS: Final = {
    "in_sample": "in sample",
    "rows": "row left out",
    "groups": "group left out",
    "search": "search",
}
MOST_SWAPS: Final = 3


def print_ranking(console: Console, found: Ranking) -> None:
    """Kendall's tau of all groups together, by group, and the swapped pairs of the groups below LOW_TAU."""
    if not found.groups:
        console.print("[bold]Ranking: no group of at least three systems[/bold]\n")
        return
    means = _table("Order of systems by throughput per chip: Kendall's tau, mean over pairs", "view", "order")
    for name in ("groups", "pairs", "in noise", "tau-b", "tau"):
        means.add_column(name, justify="right", no_wrap=True)
    for one in found.means:
        numbers = (str(one.groups), str(one.pairs), str(one.noise_pairs))
        means.add_row(one.view, ORDERS.get(one.order, one.order), *numbers, _tau(one.tau_b), _tau(one.tau))
    console.print(means)
    console.print(
        f"tau-b: all pairs; tau: pairs measured more than {100 * NOISE:g}% apart. Rows and groups left out: "
        "predictions made without them.",
        highlight=False,
    )
    shown = [one for one in found.groups if one.view.kind != "load"]
    console.print(_groups(shown))
    _print_swaps(console, found.groups)


def _groups(groups: Iterable[Ranked]) -> Table:
    table = _table("tau by group (of every load: in --json)", "model, ISL/OSL, asked, software")
    for name in ("systems", "pairs", "in noise", *ORDERS.values()):
        table.add_column(name, justify="right", no_wrap=True)
    last = None
    for one in groups:
        if one.group != last:
            table.add_row(str(one.group))
            last = one.group
        widest = max(one.orders.values(), key=lambda order: order.systems)
        numbers = (str(widest.systems), str(widest.pairs), str(widest.noise_pairs))
        table.add_row(f"  {one.view}", *numbers, *(_tau_of(one.orders.get(name)) for name in ORDERS))
    return table


def _tau_of(found: Agreement | None) -> str:
    return _tau(None if found is None else found.tau)


def _print_swaps(console: Console, groups: Iterable[Ranked]) -> None:
    low = [(one, name, order) for one in groups for name, order in one.low_orders.items()]
    title = f"Groups with tau below {LOW_TAU:g}: {len(low)}"
    console.print(f"[bold]{title}[/bold] (better and worse as measured: times the throughput)")
    for one, name, order in low:
        head = f"  {order.tau:+.2f}  {one.group}, {one.view}, {ORDERS.get(name, name)}"
        console.print(head, highlight=False, markup=False, soft_wrap=True)
        for swap in order.swapped[:MOST_SWAPS]:
            line = (
                f"         {swap.better} over {swap.worse}: measured {swap.measured_ratio:.2f}, "
                f"predicted {swap.predicted_ratio:.2f}"
            )
            console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print()


def _table(title: str, *names: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE, pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _tau(value: float | None) -> str:
    return "-" if value is None else f"{value:+.2f}"
