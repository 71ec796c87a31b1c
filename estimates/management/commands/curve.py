"""`manage.py curve`: throughput and first tokens against the load, as tables, CSV or JSON."""

from __future__ import annotations

import csv
from argparse import ArgumentParser
from dataclasses import replace
from typing import Any, cast

import orjson
from django.core.management.base import CommandError
from rich.console import Console
from rich.table import Table

from estimates.curves import AXES, COLUMNS, curves
from estimates.management.commands import estimate
from estimates.management.commands.estimate import number, one_line, plain_table, question_of
from estimates.what_if import InvalidQuestion

WIDTH_OF_A_FILE = 132
SHOWN = (
    ("throughput_tok_s", "tok/s"),
    ("tpot_mean_ms", "TPOT"),
    ("tpot_p95_ms", "p95"),
    ("ttft_unloaded_ms", "TTFT alone"),
    ("ttft_median_ms", "median"),
    ("ttft_mean_ms", "mean"),
    ("ttft_first_wave_ms", "of it first wave"),
    ("ttft_p95_ms", "p95"),
)
TITLES = {
    "concurrency": "Clients of a closed loop, as a benchmark runs them (ms)",
    "requests_per_s": "Requests a second of independent users (ms)",
}


class Command(estimate.Command):
    help = "Throughput, TPOT and TTFT of one deployment against the load. Nothing is saved."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--axis", help="concurrency or requests_per_s; default: both")
        parser.add_argument("--points", help="of each axis (24)")
        parser.add_argument("--at", metavar="LOADS", help="loads of the axis, with commas between them")
        parser.add_argument("--csv", action="store_true", help="the points as CSV")

    def handle(self, *args: Any, **options: Any) -> None:
        asked: dict[str, Any] = {
            name: options[name] for name in ("axis", "points") if options[name] is not None
        }
        if options["at"] is not None:
            asked["values"] = [text.strip() for text in options["at"].split(",")]
        try:
            found = curves(question_of(options) | {"curve": asked})
        except InvalidQuestion as error:
            faults = [
                replace(fault, pointer="/at") if fault.pointer.startswith("/curve/values") else fault
                for fault in error.faults
            ]
            raise CommandError(one_line(InvalidQuestion(*faults))) from None
        if options["json"]:
            self.stdout.write(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
            return
        if options["csv"]:
            writer = csv.DictWriter(cast(Any, self.stdout)._out, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(found["points"])
            if found["reason"]:
                self.stderr.write(found["reason"]["detail"])
            return
        console = Console(file=cast(Any, self.stdout)._out, highlight=False)
        if not console.is_terminal:
            console.width = WIDTH_OF_A_FILE
        for table in tables(found):
            console.print(table)
        for note in found["notes"]:
            console.print(note)


def tables(found: dict[str, Any]) -> list[Table]:
    """What is answered, then a table an axis."""
    made = [summary(found)]
    for axis in AXES:
        rows = [point for point in found["points"] if point["axis"] == axis]
        if not rows:
            continue
        other = next(name for name in AXES if name != axis)
        heads = {"concurrency": "in flight", "requests_per_s": "requests/s"}
        table = plain_table(TITLES[axis], heads[axis], heads[other], *(title for _, title in SHOWN), "state")
        for row in rows:
            cells = [number_or_dash(row[name]) for name in (axis, other, *(name for name, _ in SHOWN))]
            table.add_row(*cells, row["state"])
        made.append(table)
    return made


def summary(found: dict[str, Any]) -> Table:
    work = found["workload"]
    hardware = f"{found['count']} x {found['accelerator']}"
    title = f"{found['model']} on {hardware}, {work['isl']:,.0f} in, {work['osl']:,.0f} out"
    table = plain_table(title)
    table.add_row("State", found["state"].replace("_", " "))
    if found["reason"]:
        table.add_row("Reason", found["reason"]["detail"])
    if found["deployment"]:
        table.add_row("Deployment", estimate.deployment_text(found["deployment"]))
    full = found["saturation"]
    if full:
        reached = number(full["throughput_tok_s"], "tok/s")
        table.add_row("Saturated beyond", f"{full['concurrency']:,.0f} clients, {reached}")
        ends = [full["requests_per_s_low"], full["requests_per_s_high"]]
        rate = estimate.between(full["requests_per_s"], ends if None not in ends else None, "requests/s")
        table.add_row("Highest stable rate", rate)
    for limit in found["limits"]:
        name = f"{limit['metric'].upper()} {limit['at']} within {limit['ms']:g} ms"
        rate = number(limit["requests_per_s"], "requests/s")
        table.add_row(name, f"{limit['concurrency']:,.0f} clients, {rate}")
    return table


def number_or_dash(value: float | None) -> str:
    return "-" if value is None else estimate.short(value)
