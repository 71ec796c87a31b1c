"""`manage.py diff_estimate`: what changed an estimate in time or by method, how much each did."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, cast

import orjson
from django.core.management.base import BaseCommand, CommandError
from rich import box
from rich.console import Console
from rich.table import Table

from config.rest.rendering import dumps
from estimates.comparison.diff import answer_diff
from estimates.comparison.diff_question import INSTANT, METHODS
from estimates.what_if import InvalidQuestion

WIDTH_OF_A_FILE = 120
METRIC_NAMES = {
    "tpot_ms": "Time per output token (ms)",
    "ttft_ms": "Time to first token (ms)",
    "throughput_tok_s": "Output throughput (tok/s)",
    "usd_per_mtok_output": "USD per million output tokens",
}
#: Pointers of a diff to the options that set them.
OPTION_OF = {
    "/from": "--from",
    "/to": "--to",
    "/from_method": "--from-method",
    "/to_method": "--to-method",
    "/estimate": "--estimate",
    "/question/model": "--model",
    "/question/offer": "--offer",
    "/question/accelerator": "--hardware",
    "/question/workload": "--workload",
}


class Command(BaseCommand):
    help = "What changed an estimate between two instants or methods, by whom, how much each explains."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--estimate", type=int, metavar="ID", help="a stored estimate")
        parser.add_argument("--question", metavar="JSON", help="a what-if as POST /estimates/evaluate takes")
        parser.add_argument("--model", metavar="SLUG")
        parser.add_argument("--offer", metavar="SLUG")
        parser.add_argument("--hardware", metavar="SLUG", help="an accelerator in place of --offer")
        parser.add_argument("--count", type=int, default=1, help="of them (1)")
        parser.add_argument("--workload", default="chat", metavar="SLUG", help="lengths and limits (chat)")
        parser.add_argument("--from", dest="start", metavar="WHEN", help=INSTANT)
        parser.add_argument("--to", dest="end", metavar="WHEN", help="default: now")
        methods = f"{', '.join(METHODS)}; of a stored estimate also `previous` or how a version begins"
        parser.add_argument("--from-method", metavar="METHOD", help=methods)
        parser.add_argument("--to-method", metavar="METHOD", help="default: calibrated")
        parser.add_argument("--json", action="store_true", help="the whole answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = answer_diff(body_of(options))
        except InvalidQuestion as error:
            raise CommandError(one_line(error)) from None
        if options["json"]:
            self.stdout.write(dumps(found).decode())
            return
        console = Console(file=cast(Any, self.stdout)._out, highlight=False)
        if not console.is_terminal:
            console.width = WIDTH_OF_A_FILE
        for table in tables(found):
            console.print(table)


def body_of(options: dict[str, Any]) -> dict[str, Any]:
    """The options as the diff that the API takes."""
    given = {
        "estimate": options["estimate"],
        "from": options["start"],
        "to": options["end"],
        "from_method": options["from_method"],
        "to_method": options["to_method"],
    }
    body: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if options["question"] is not None:
        try:
            body["question"] = orjson.loads(options["question"])
        except orjson.JSONDecodeError as error:
            raise CommandError(f"--question is not JSON: {error}") from None
        return body
    if options["model"] is None:
        return body
    question = {"model": options["model"], "workload": options["workload"]}
    if options["offer"] is not None:
        question["offer"] = options["offer"]
    if options["hardware"] is not None:
        question |= {"accelerator": options["hardware"], "count": options["count"]}
    return body | {"question": question}


def one_line(error: InvalidQuestion) -> str:
    """Every fault on one line, by the option that caused it."""
    parts = []
    for fault in error.faults:
        accepted = fault.accepted
        if isinstance(accepted, list):
            accepted = ", ".join(map(str, accepted[:12]))
        option = OPTION_OF.get(fault.pointer) or fault.pointer or "the diff"
        parts.append(f"{option}: {fault.detail}" + (f"; accepted: {accepted}" if accepted else ""))
    return " | ".join(parts).replace("\n", " ")


def tables(found: dict[str, Any]) -> list[Table | str]:
    """The facts that changed, and a table of causes for each metric."""
    made: list[Table | str] = [facts_table(found["facts"])]
    if found["why_not"]:
        made.append(f"Not compared: {found['why_not']}")
    for metric, one in found["metrics"].items():
        name = METRIC_NAMES[metric]
        title = f"{name}: {one['before']:.5g} to {one['after']:.5g}, x {one['ratio']:.4g}"
        table = plain_table(title, "cause", "factor", "share of the change")
        for cause in one["causes"]:
            part = "" if cause["part"] is None else f"{cause['part']:.1%}"
            table.add_row(cause["title"], f"x {cause['factor']:.4g}", part)
        if one["unexplained_log"]:
            table.add_row("not explained", f"{one['unexplained_log']:.3g} in the logarithm", "")
        if one["note"]:
            table.caption = one["note"]
        made.append(table)
    for metric, reason in found["not_compared"].items():
        made.append(f"{METRIC_NAMES[metric]}: {reason}")
    made.append("The same on both sides: " + "; ".join(found["taken_as_they_stand"]))
    return made


def facts_table(facts: list[dict[str, Any]]) -> Table | str:
    if not facts:
        return "No fact has changed"
    table = plain_table("Facts that changed", "fact", "before", "after", "when", "who", "change", "why")
    for fact in facts:
        at = fact["at"].strftime("%Y-%m-%d %H:%M") if fact["at"] else ""
        table.add_row(
            fact["field"],
            shown(fact["before"]),
            shown(fact["after"]),
            at,
            fact["user"] or "",
            " ".join(fact["changes"]),
            fact["reason"] or (fact["source"] or {}).get("title") or "",
        )
    return table


def shown(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:g}" if isinstance(value, float) else str(value)


def plain_table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_header=bool(columns))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
