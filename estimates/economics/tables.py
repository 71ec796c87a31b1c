"""The economics of an answer as tables for a terminal."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.table import Table

MOST_ENDPOINTS = 12


def economics_tables(found: dict[str, Any]) -> list[Table]:
    """One table for each part that was asked for and has something to say."""
    made: list[Table] = []
    if found.get("steps"):
        table = _table("Cost, step by step", "step", "", "value", "unit")
        for step in found["steps"]:
            table.add_row(step["name"], step["expression"], step["value"], step["unit"])
        made.append(table)
    energy = found.get("energy")
    if energy and energy.get("tokens"):
        table = _table(f"Energy at {energy['power']['of']}", "tokens", "kWh/M", "J a token", "kg CO2e/M")
        for counted, figures in energy["tokens"].items():
            carbon = figures["kg_co2e_per_mtok"] or "unknown"
            table.add_row(counted, figures["kwh_per_mtok"], figures["joules_per_token"], carbon)
        made.append(table)
    tornado = found.get("sensitivity")
    if tornado:
        title = f"What moves {tornado['usd_per_mtok']} USD per million {tornado['counted']} tokens"
        table = _table(title, "input", "from", "to", "USD at low", "USD at high", "swing")
        for bar in tornado["inputs"]:
            low, high = bar["low"], bar["high"]
            table.add_row(
                f"{bar['name']} ({bar['unit']})",
                low["value"],
                high["value"],
                low["usd_per_mtok"],
                high["usd_per_mtok"],
                bar["swing_usd_per_mtok"],
            )
        made.append(table)
    hosted = found.get("hosted")
    if hosted and hosted["endpoints"]:
        table = _table(
            "Hosted endpoints, USD per million tokens in and out", "provider", "USD/M", "seen", "use"
        )
        for endpoint in hosted["endpoints"][:MOST_ENDPOINTS]:
            use = endpoint.get("break_even_utilisation")
            text = "" if use is None else f"{float(use):.1%}" if endpoint["beats_it"] else "never"
            seen = endpoint["observed_on"] + (" (stale)" if endpoint["stale"] else "")
            table.add_row(endpoint["provider_name"], endpoint["blended_usd_per_mtok"], seen, text)
        left = len(hosted["endpoints"]) - MOST_ENDPOINTS
        more = f"; {left} more with --json" if left > 0 else ""
        table.caption = f"use: share of full load above which this machine is cheaper{more}"
        made.append(table)
    return made


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
