"""`manage.py search`: the best deployments over all hardware, as a table or JSON; a large one as a job."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from dataclasses import dataclass
from typing import Any, Final, cast

import orjson
from django.core.management.base import BaseCommand, CommandError
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from estimates.core.demand import OBJECTIVES
from estimates.jobs import lifecycle, work
from estimates.jobs.models import Job, JobKind, JobState
from estimates.search.answering import cases_of, search_now, too_large_for_now
from estimates.search.question import read_search
from estimates.search.table import flat
from estimates.what_if import InvalidQuestion

WIDTH_OF_A_FILE: Final = 160
SHOWN_EXCLUDED: Final = 8


@dataclass(frozen=True, slots=True)
class Option:
    """An option and the place in the question that it sets; `listed`: commas separate several values."""

    name: str
    path: tuple[str, ...]
    meaning: str
    listed: bool = False


OPTIONS: Final = (
    Option("model", ("model",), "slug, several with commas, or all", listed=True),
    Option("workload", ("workload",), "slug, or several with commas (chat)", listed=True),
    Option("isl", ("workload_overrides", "isl"), "input tokens in place of the workload's"),
    Option("osl", ("workload_overrides", "osl"), "output tokens in place of the workload's"),
    Option("prefix-share", ("workload_overrides", "prefix_share"), "share of the input cached already"),
    Option("objective", ("objective",), ", ".join(OBJECTIVES)),
    Option("concurrency", ("demand", "concurrency"), "users in flight, over all machines", listed=True),
    Option("requests-per-s", ("demand", "requests_per_s"), "Poisson arrivals", listed=True),
    Option("tpot", ("demand", "tpot_ms"), "time per output token at most, ms"),
    Option("tpot-at", ("demand", "tpot_at"), "mean, median or p95 (mean)"),
    Option("ttft", ("demand", "ttft_ms"), "time to first token at most, ms"),
    Option("ttft-at", ("demand", "ttft_at"), "mean, median or p95 (median)"),
    Option("limits", ("demand", "limits"), "limits left out: workload (its own) or none"),
    Option("spare", ("demand", "spare"), "replicas beyond what the load needs (1)"),
    Option("price-basis", ("price", "basis"), "on_demand, spot, reserved, owned, any or none"),
    Option("provider", ("price", "providers"), "quotes of these providers", listed=True),
    Option("region", ("price", "regions"), "quotes of these regions", listed=True),
    Option("country", ("price", "countries"), "quotes in these countries, ISO 3166", listed=True),
    Option("term", ("price", "term"), "commitment, when reserved"),
    Option("as-of", ("price", "as_of"), "prices as they stood on that day, YYYY-MM-DD"),
    Option("max-age-days", ("price", "max_age_days"), "no older quotes"),
    Option("years", ("price", "owned", "years"), "of owning"),
    Option("utilisation", ("price", "owned", "utilisation"), "share of owned hours at this load"),
    Option("pue", ("price", "owned", "pue"), "power usage effectiveness"),
    Option("usd-per-kwh", ("price", "owned", "usd_per_kwh"), "electricity"),
    Option("vendor", ("hardware", "vendors"), "slugs", listed=True),
    Option("kind", ("hardware", "kinds"), "gpu, tpu, asic, wafer, npu, soc, cpu", listed=True),
    Option("segment", ("hardware", "segments"), "datacentre, workstation, pc, edge", listed=True),
    Option("status", ("hardware", "statuses"), "available, cloud_only, announced, discontinued", listed=True),
    Option("accelerator", ("hardware", "accelerators"), "slugs", listed=True),
    Option("offer", ("hardware", "offers"), "slugs", listed=True),
    Option("chips", ("bounds", "chips"), "at most, spare included"),
    Option("machines", ("bounds", "machines"), "at most, spare included"),
    Option("watts", ("bounds", "watts"), "rated, at most, spare included"),
    Option("usd-per-hour", ("bounds", "usd_per_hour"), "at most, spare included"),
    Option("rack-kw", ("bounds", "rack_kw"), "power of one of your racks"),
    Option("format", ("bounds", "formats"), "weight formats allowed", listed=True),
    Option("kv-format", ("bounds", "kv_format"), "of the cache"),
    Option("software", ("bounds", "software"), "serving software"),
    Option("limit", ("limit",), "deployments shown (20)"),
)
#: Column -> its heading; `layout` and `replicas` are put together from several figures.
SHOWN: Final = {
    "rank": "#",
    "model": "model",
    "offer": "offer",
    "weight_format": "weights",
    "layout": "layout",
    "replicas": "replicas",
    "chips": "chips",
    "watts": "W",
    "tpot_ms": "TPOT ms",
    "ttft_median_ms": "TTFT ms",
    "throughput_tok_s": "tok/s",
    "tok_s_per_user": "a user",
    "usd_per_hour": "USD/h",
    "usd_per_mtok_output": "USD/M out",
    "price_basis": "basis",
    "price_age_days": "days old",
    "grade": "grade",
}
TEXTS: Final = ("model", "offer", "weight_format", "layout", "price_basis", "grade")


class Command(BaseCommand):
    help = (
        "Search the best deployments of a model over all hardware. Many models, workloads or loads become a "
        "job that this process works on, with the workers of a running service."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        for option in OPTIONS:
            needed = option.name == "model"
            name = option.name.upper().replace("-", "_")
            parser.add_argument(f"--{option.name}", required=needed, metavar=name, help=option.meaning)
        parser.add_argument("--job", action="store_true", help="as a job whatever the size")
        parser.add_argument("--enqueue", action="store_true", help="leave a job to the running service")
        parser.add_argument("--json", action="store_true", help="the whole answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            question = read_search(question_of(options))
            cases = cases_of(question)
            if too_large_for_now(question, cases) or options["enqueue"]:
                data = question.model_dump(mode="json", exclude_unset=True)
                job = lifecycle.start_job(JobKind.SEARCH.value, data, hint=options["enqueue"])
            else:
                self.show(search_now(question, cases), options["json"])
                return
        except InvalidQuestion as error:
            raise CommandError(one_line(error)) from None
        if options["enqueue"]:
            self.stdout.write(f"Job {job.pk}: {job.parts} parts, in the hands of the workers.")
            return
        job = self.work_on(job, quiet=options["json"])
        if job.result is None:
            raise CommandError(f"Job {job.pk} has no result: {job.error or job.state}")
        self.show(job.result, options["json"])

    def work_on(self, job: Job, quiet: bool) -> Job:
        """Make the job's parts here, with whatever workers help, and wait for its end."""
        console = self.console()
        if quiet or not console.is_terminal:
            return follow(job, lambda: None)
        columns = (TextColumn("Searching"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console) as progress:
            bar = progress.add_task("", total=job.parts)

            def advance() -> None:
                job.refresh_from_db(fields=["parts_done"])
                progress.update(bar, completed=job.parts_done)

            return follow(job, advance)

    def console(self) -> Console:
        console = Console(file=cast(Any, self.stdout)._out, highlight=False)
        if not console.is_terminal:
            console.width = WIDTH_OF_A_FILE
        return console

    def show(self, found: dict[str, Any], as_json: bool) -> None:
        if as_json:
            dumped = orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)
            self.stdout.write(dumped.decode())
            return
        console = self.console()
        console.print(ranking(found))
        counts = found["counts"]
        out = ", ".join(f"{constraint} {number}" for constraint, number in counts["excluded"].items())
        console.print(
            f"{counts['feasible']} of {counts['offers']} offers keep every limit; excluded: {out or 'none'}. "
            f"{found['configurations']:,} configurations in {found['seconds']:.2f} s."
        )
        if found["excluded"]:
            console.print(exclusions(found["excluded"][:SHOWN_EXCLUDED]))
        for part in found["failed"]:
            console.print(f"failed: {part['model']}: {part['error']}")


def follow(job: Job, on_progress: Any) -> Job:
    """Work on the job until it has ended; what other workers hold is waited for."""
    while True:
        work.work(float("inf"), job.pk, after_part=on_progress)
        job.refresh_from_db()
        if job.state not in (JobState.QUEUED, JobState.RUNNING):
            on_progress()
            return job
        time.sleep(0.2)


def question_of(options: dict[str, Any]) -> dict[str, Any]:
    """The options as the question that a search reads; text is left to its checks."""
    question: dict[str, Any] = {"limit": 20, "job": options["job"]}
    for option in OPTIONS:
        value = options[option.name.replace("-", "_")]
        if value is None:
            continue
        if option.listed and "," in value:
            value = [word.strip() for word in value.split(",") if word.strip()]
        place = question
        for name in option.path[:-1]:
            place = place.setdefault(name, {})
        place[option.path[-1]] = value
    return question


def one_line(error: InvalidQuestion) -> str:
    """Every fault on one line, by the option that caused it."""
    lines = []
    for fault in error.faults:
        path = tuple(part for part in fault.pointer.split("/") if part and not part.isdecimal())
        named = next((option.name for option in OPTIONS if option.path == path), None)
        accepted = fault.accepted
        hint = ""
        if accepted and "did you mean" not in fault.detail:
            words = ", ".join(map(str, accepted)) if isinstance(accepted, list) else accepted
            hint = f"; accepted: {words}"
        lines.append(f"--{named}: {fault.detail}{hint}" if named else f"{fault.detail}{hint}")
    return "; ".join(lines)


def ranking(found: dict[str, Any]) -> Table:
    """The ranked deployments; columns that are empty throughout are left out."""
    rows = [line(row) for row in found["results"]]
    several = len(found["models"]) > 1
    columns = [
        name
        for name in SHOWN
        if (name != "model" or several) and (not rows or any(row[name] is not None for row in rows))
    ]
    subject = ", ".join(found["models"][:3]) + (" ..." if len(found["models"]) > 3 else "")
    title = f"{subject}: by {found['objective']}, price basis {found['price_basis']}"
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", padding=0)
    for name in columns:
        long = name in ("model", "offer")  # these alone are broken where the width does not do
        justify: Any = "left" if name in TEXTS else "right"
        table.add_column(SHOWN[name], justify=justify, no_wrap=not long, overflow="fold")
    for row in rows:
        table.add_row(*(cell(row[name]) for name in columns))
    return table


def line(row: dict[str, Any]) -> dict[str, Any]:
    """A row's figures, with its layout and its replicas in one text each."""
    figures = flat(row)
    sizes = [(name, figures[name]) for name in ("tp", "pp", "ep", "dp")]
    layout = " ".join(f"{name}{size}" for name, size in sizes if name == "tp" or size > 1)
    cluster = figures["machines_per_replica"]
    if cluster > 1:
        layout += f" on {cluster} machines"
    return figures | {"layout": layout, "replicas": f"{figures['replicas']}+{figures['spare']}"}


def exclusions(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="Nearest of the excluded", box=box.SIMPLE_HEAD, title_justify="left")
    for name in ("offer", "by", "how far", "smallest change"):
        table.add_column(name, overflow="fold")
    for row in rows:
        change = row["smallest_change"]
        table.add_row(row["offer"], row["constraint"], row["detail"], change["detail"] if change else "")
    return table


def cell(value: Any) -> str:
    """Money as it is, numbers in four digits, a dash for the unknown."""
    if value is None:
        return "—"
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"
    return str(value)
