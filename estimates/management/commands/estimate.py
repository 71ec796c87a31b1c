"""`manage.py estimate`: one question on the command line, a table or JSON as the answer."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, cast

import orjson
from django.core.management.base import BaseCommand, CommandError
from rich import box
from rich.console import Console
from rich.table import Table

from estimates.economics.tables import economics_tables
from estimates.evaluate import evaluate
from estimates.what_if import InvalidQuestion

WIDTH_OF_A_FILE = 120
#: Pointers of a question to the options that set them.
OPTION_OF = {
    "/model": "--model",
    "/accelerator": "--hardware",
    "/offer": "--offer",
    "/count": "--count",
    "/workload": "--workload",
    "/workload_overrides/isl": "--isl",
    "/workload_overrides/osl": "--osl",
    "/workload_overrides/ttft_limit_ms": "--ttft-limit",
    "/workload_overrides/tpot_limit_ms": "--tpot-limit",
    "/workload_overrides/prefix_share": "--prefix-share",
    "/deployment/weights": "--weights",
    "/deployment/kv_format": "--kv-format",
    "/price/basis": "--price-basis",
    "/price/as_of": "--as-of",
    "/economics/utilisation": "--utilisation",
    "/price/usd_per_hour": "--usd-per-hour",
    "/overrides": "--override",
}


class Command(BaseCommand):
    help = "Estimate a model on hardware: speed, memory, cost, what binds, how sure. Nothing is saved."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--model", required=True, metavar="SLUG")
        parser.add_argument("--hardware", metavar="SLUG", help="an accelerator")
        parser.add_argument("--offer", metavar="SLUG", help="an offer in place of --hardware and --count")
        parser.add_argument("--count", default="1", help="accelerators (1)")
        parser.add_argument("--workload", default="chat", metavar="SLUG", help="lengths and limits (chat)")
        parser.add_argument("--isl", help="input tokens in place of the workload's")
        parser.add_argument("--osl", help="output tokens in place of the workload's")
        parser.add_argument("--ttft-limit", help="ms")
        parser.add_argument("--tpot-limit", help="ms")
        parser.add_argument("--prefix-share", help="share of the input that is cached already")
        parser.add_argument("--concurrency", help="requests in flight on all of it; default: the best load")
        parser.add_argument("--weights", metavar="FORMAT", help="bf16, fp8, nvfp4, int4, q4_k_m, ...")
        parser.add_argument("--kv-format", metavar="FORMAT")
        for name, meaning in (
            ("tp", "tensor parallel size"),
            ("pp", "pipeline stages"),
            ("ep", "expert parallel size"),
            ("dp", "attention data parallel size"),
        ):
            parser.add_argument(f"--{name}", help=meaning)
        parser.add_argument("--replicas", help="copies of the model")
        parser.add_argument(
            "--speculation",
            metavar="METHOD:TOKENS[:ACCEPTANCE[:DRAFT]]",
            help="mtp:1, ngram:4:0.4, draft:4:0.7:llama-3.2-1b-instruct; no acceptance: as published",
        )
        parser.add_argument(
            "--offload", help="second_tier: what the first memory tier does not hold lies there"
        )
        parser.add_argument("--prefill-unit", help="engine of the chip that computes prompts")
        parser.add_argument("--decode-unit", help="engine of the chip that decodes")
        parser.add_argument("--software", help="serving software whose efficiency is used")
        parser.add_argument(
            "--price-basis", default="on_demand", help="on_demand, spot, reserved, owned, any or none"
        )
        parser.add_argument("--as-of", metavar="DATE", help="prices as they stood on that day (today)")
        parser.add_argument("--utilisation", help="share of the hours paid for at this load (1)")
        parser.add_argument(
            "--owned",
            action="append",
            default=[],
            metavar="TERM=VALUE",
            help="years=4, pue=1.2, usd_per_kwh=0.1, purchase_usd=250000, ... (repeatable)",
        )
        parser.add_argument(
            "--economics", action="store_true", help="steps, energy, sensitivity and hosted endpoints too"
        )
        parser.add_argument("--country", help="whose electricity the carbon is of, two letters")
        parser.add_argument("--usd-per-hour", help="a price of your own for all of it")
        parser.add_argument(
            "--override",
            action="append",
            default=[],
            metavar="FIGURE=VALUE",
            help="memory_bandwidth_gbs=+20%%, peak_rate:fp8=2500, ... (repeatable)",
        )
        parser.add_argument("--json", action="store_true", help="the whole answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = evaluate(question_of(options))
        except InvalidQuestion as error:
            raise CommandError(one_line(error)) from None
        if options["json"]:
            self.stdout.write(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
            return
        console = Console(file=cast(Any, self.stdout)._out, highlight=False)
        if not console.is_terminal:
            console.width = WIDTH_OF_A_FILE
        for table in [*tables(found), *economics_tables(found["economics"])]:
            console.print(table)


def question_of(options: dict[str, Any]) -> dict[str, Any]:
    """The options as the question that `evaluate` reads; text is left to its checks."""
    deployment = [
        *("weights", "kv_format", "tp", "pp", "ep", "dp", "replicas", "concurrency", "software"),
        *("offload", "prefill_unit", "decode_unit"),
    ]
    workload = {"isl": "isl", "osl": "osl", "ttft_limit": "ttft_limit_ms", "tpot_limit": "tpot_limit_ms"}
    overrides: dict[str, Any] = {}
    for text in options["override"]:
        name, separator, value = text.partition("=")
        if not separator:
            raise CommandError(f"--override {text!r} is not accepted; accepted: FIGURE=VALUE")
        try:
            overrides[name.strip()] = float(value)
        except ValueError:
            overrides[name.strip()] = value.strip()
    question: dict[str, Any] = {
        "model": options["model"],
        "count": options["count"],
        "workload": options["workload"],
        "workload_overrides": {
            field: options[name]
            for name, field in {**workload, "prefix_share": "prefix_share"}.items()
            if options[name] is not None
        },
        "deployment": {name: options[name] for name in deployment if options[name] is not None},
        "overrides": overrides,
        "price": {"basis": options["price_basis"], "owned": owned_terms(options["owned"])},
        "economics": economics_asked(options),
    }
    if options["as_of"] is not None:
        question["price"]["as_of"] = options["as_of"]
    if options["speculation"] is not None:
        question["deployment"]["speculation"] = speculation_of(options["speculation"])
    if options["usd_per_hour"] is not None:
        question["price"]["usd_per_hour"] = options["usd_per_hour"]
    if options["hardware"] is not None:
        question["accelerator"] = options["hardware"]
    if options["offer"] is not None:
        question["offer"] = options["offer"]
    return question


def speculation_of(text: str) -> dict[str, Any]:
    """METHOD:TOKENS[:ACCEPTANCE[:DRAFT]] as the question writes it; values are left to its checks."""
    names = ("method", "draft_tokens", "acceptance", "draft_model")
    values = text.split(":")
    if not 2 <= len(values) <= len(names):
        accepted = "METHOD:TOKENS[:ACCEPTANCE[:DRAFT]], such as mtp:1 or draft:4:0.7:llama-3.2-1b-instruct"
        raise CommandError(f"--speculation {text!r} is not accepted; accepted: {accepted}")
    return {name: value for name, value in zip(names, values, strict=False) if value}


def owned_terms(given: list[str]) -> dict[str, str]:
    """Terms of owning from TERM=VALUE."""
    terms = {}
    for text in given:
        name, separator, value = text.partition("=")
        if not separator:
            raise CommandError(f"--owned {text!r} is not accepted; accepted: TERM=VALUE")
        terms[name.strip()] = value.strip()
    return terms


def economics_asked(options: dict[str, Any]) -> dict[str, Any]:
    """The parts of the economics that the options ask for."""
    asked: dict[str, Any] = {}
    if options["utilisation"] is not None:
        asked["utilisation"] = options["utilisation"]
    if options["economics"]:
        asked |= {"explain": True, "sensitivity": True, "hosted": True}
    if options["economics"] or options["country"] is not None:
        asked["energy"] = {"country": options["country"]} if options["country"] is not None else {}
    return asked


def one_line(error: InvalidQuestion) -> str:
    """Every fault on one line, by the option that caused it."""
    lines = []
    for fault in error.faults:
        option = OPTION_OF.get(fault.pointer) or "--" + fault.pointer.rpartition("/")[2].replace("_", "-")
        if fault.pointer.startswith("/overrides"):
            option = "--override"
        elif fault.pointer.startswith("/price/owned"):
            option = "--owned"
        if fault.pointer.startswith("/deployment/speculation"):
            option = "--speculation"
        accepted = fault.accepted
        if isinstance(accepted, list):
            accepted = ", ".join(map(str, accepted[:12])) + (", ..." if len(accepted) > 12 else "")
        known = f"; accepted: {accepted}" if accepted and str(accepted) not in fault.detail else ""
        if fault.code.startswith("unknown_") and "did you mean" in fault.detail:
            known = ""
        lines.append(f"{option}: {fault.detail}{known}")
    return " | ".join(lines).replace("\n", " ")


# ---- The table -------------------------------------------------------------------------------------------


def tables(found: dict[str, Any]) -> list[Table]:
    """The answer as tables: results, memory, time, cost, and what it rests on."""
    made = [summary(found)]
    if found["memory_gb"]:
        made.append(parts("Memory of the fullest chip (GB)", found["memory_gb"]))
    if found["second_tier"]:
        made.append(parts("Second memory tier of the fullest chip", found["second_tier"]))
    for name, title in (("tpot", "One output token (ms)"), ("ttft", "First token, unloaded (ms)")):
        if found["time_ms"][name]:
            made.append(parts(title + " by limit", found["time_ms"][name]["by_limit"]))
            made.append(parts(title + " by operation", found["time_ms"][name]["by_operation"]))
    made.append(facts(found))
    if found["assumptions"]:
        made.append(assumptions(found))
    return made


def plain_table(title: str, *columns: str) -> Table:
    table = Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, show_header=bool(columns), pad_edge=False
    )
    for column in columns or ("", ""):
        table.add_column(column, overflow="fold")
    return table


def summary(found: dict[str, Any]) -> Table:
    work = found["workload"]
    hardware = f"{found['count']} x {found['accelerator']}"
    title = f"{found['model']} on {hardware}, {work['isl']:,.0f} in, {work['osl']:,.0f} out"
    table = plain_table(title)
    table.add_row("State", found["state"].replace("_", " "))
    if found["reason"]:
        table.add_row("Reason", found["reason"]["detail"])
    if found["missing_facts"]:
        table.add_row("Missing facts", ", ".join(found["missing_facts"]))
    if found["does_not_fit"]:
        table.add_row("Short of", f"{found['does_not_fit']['shortfall_gb']:g} GB on each chip")
        change = found["does_not_fit"]["smallest_change"]
        if change:
            table.add_row("Would fit with", change["detail"])
    if found["deployment"]:
        table.add_row("Deployment", deployment_text(found["deployment"]))
    result, spread = found["results"], found["interval_80"]
    if result:
        first = result["ttft_ms"]
        table.add_row("Time per output token", between(result["tpot_ms"], spread.get("tpot_ms"), "ms"))
        table.add_row(
            "Time to first token, loaded", between(first["loaded_mean"], spread.get("ttft_ms"), "ms")
        )
        table.add_row("Time to first token, alone", number(first["unloaded"], "ms"))
        table.add_row(
            "Output throughput", between(result["throughput_tok_s"], spread.get("throughput_tok_s"), "tok/s")
        )
        table.add_row("Per user", number(result["tok_s_per_user"], "tok/s"))
        most = f"{result['max_concurrency']:,}"
        table.add_row("Requests in flight", f"{result['concurrency']:,.0f}; memory holds {most}")
        table.add_row("Longest context", f"{result['max_context']:,} tokens")
        table.add_row(
            "Meets the service level",
            {True: "yes", False: "no", None: "unknown"}[result["meets_service_level"]],
        )
        if found["speculation"]:
            table.add_row("Speculation", speculation_text(found["speculation"]))
        share = f" ({found['binding_share']:.0%} of a token)" if found["binding_share"] else ""
        table.add_row(
            "Binding limit", f"{found['binding_limit']}{share}; most helpful: {found['most_helpful']}"
        )
    if found["grade"]:
        table.add_row("Grade", f"{found['grade']} (A measured, B this chip, C its kin, D datasheet)")
        seen = {"measured": "runs like it", "kin": "runs of its kin", "none": "neither it nor its kin"}
        table.add_row("Calibrated on", seen[found["tier"]])
    cost_rows(table, found["cost"], found["economics"])
    return table


def speculation_text(spec: dict[str, Any]) -> str:
    """What a step drafts and yields."""
    by = f" by {spec['draft_model']}" if spec["draft_model"] else ""
    return (
        f"{spec['method']}{by}, {spec['draft_tokens']} drafted, {spec['tokens_per_step']:.3g} tokens a step "
        f"of {number(spec['step_ms'], 'ms')}, {number(spec['draft_ms'], 'ms')} of it drafting "
        f"(acceptance {spec['acceptance']:.3g}, {spec['acceptance_source']})"
    )


def cost_rows(table: Table, cost: dict[str, Any] | None, economics: dict[str, Any]) -> None:
    if cost is None:
        table.add_row("Cost", economics["missing"] or "no price of this hardware on this basis")
        return
    quote, owned = cost["quote"], economics["price"]["owned"]
    where = quote_text(quote) if quote else owned_text(owned) if owned else "as given"
    table.add_row("Price", f"{cost['usd_per_hour']} USD/h ({where})")
    if economics["utilisation"] != "1":
        table.add_row("In use", f"{float(economics['utilisation']):.0%} of the hours paid for")
        counted = economics["tokens"] or {}
        for kind, title in (("output", "output tokens"), ("blended", "tokens, in and out")):
            if kind in counted:
                table.add_row(f"Per million {title}", f"{counted[kind]['usd_per_mtok']} USD")
    elif "usd_per_mtok_output" in cost:
        table.add_row("Per million output tokens", f"{cost['usd_per_mtok_output']} USD")
        table.add_row("Per million tokens, in and out", f"{cost['usd_per_mtok_blended']} USD")


def owned_text(owned: dict[str, Any]) -> str:
    """What an hour of use rests on."""
    bought = owned["purchase"]
    return (
        f"owned: {number(float(bought['usd']))} USD of {bought['year'] or 'unknown year'} over "
        f"{owned['terms']['years']['value']} years {float(owned['amortisation_usd_per_hour']):.4g}, power "
        f"{float(owned['energy_usd_per_hour']):.4g}, hosting {float(owned['hosting_usd_per_hour']):.4g} USD/h"
    )


def quote_text(quote: dict[str, Any]) -> str:
    """Who asked it, for what, where and when."""
    parts = [
        quote["provider_name"],
        quote["offering"],
        quote["region"],
        f"seen {quote['observed_on'] or 'once'}",
    ]
    if quote["scaled_from"]:
        parts.append(f"scaled from {quote['scaled_from']} chips")
    if quote["stale"]:
        parts.append("older than 180 days")
    return ", ".join(part for part in parts if part)


def deployment_text(deployment: dict[str, Any]) -> str:
    sizes = ", ".join(f"{name.upper()} {deployment[name]}" for name in ("tp", "pp", "ep", "dp"))
    return (
        f"{deployment['weights']} weights, {deployment['kv_format']} cache, {sizes}, "
        f"{deployment['replicas']} replica{'s' if deployment['replicas'] != 1 else ''}"
    )


def parts(title: str, values: dict[str, float | None]) -> Table:
    table = plain_table(title)
    for name, value in values.items():
        if value:
            table.add_row(name.replace("_", " "), short(value))
    return table


def facts(found: dict[str, Any]) -> Table:
    table = plain_table("Facts", "figure", "value", "kind", "source")
    for fact in found["facts"]:
        source = fact["source"]
        text = (source["title"] or source["slug"]) if source and source["slug"] else "-"
        table.add_row(fact["quantity"], f"{fact['value']:,.10g} {fact['unit']}", fact["kind"], text)
    return table


def assumptions(found: dict[str, Any]) -> Table:
    table = plain_table("Assumptions", "")
    for line in found["assumptions"]:
        table.add_row(line)
    return table


def number(value: float | None, unit: str = "") -> str:
    return "unknown" if value is None else f"{short(value)} {unit}".strip()


def short(value: float) -> str:
    """Four significant digits, never an exponent."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def between(value: float | None, width: list[float] | None, unit: str) -> str:
    if value is None or not width:
        return number(value, unit)
    return f"{short(value)} {unit} (80%: {short(width[0])} to {short(width[1])})"
