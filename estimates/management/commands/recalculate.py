"""`manage.py recalculate`: make estimates anew, with progress, here or by the workers of a service."""

from __future__ import annotations

import os
import time
from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from estimates import runs, store
from estimates.models import Calculation, CalculationRun, CalculationState, Estimate, RunState

LINE_EVERY_SECONDS = 5.0


class Command(BaseCommand):
    help = (
        "Recalculate estimates: all of them, those of a model or an accelerator, or what is stale (default)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--all", action="store_true", help="every model on every accelerator")
        what.add_argument("--model", metavar="SLUG", help="one language model on every accelerator")
        what.add_argument("--accelerator", metavar="SLUG", help="every model on one accelerator")
        what.add_argument("--stale", action="store_true", help="what has changed since it was calculated")
        what.add_argument(
            "--if-empty",
            action="store_true",
            help="everything, if nothing has been calculated yet; follows a run under way",
        )
        parser.add_argument("--enqueue", action="store_true", help="leave the work to the running service")
        parser.add_argument("--no-wait", action="store_true", help="with --enqueue: do not wait for the end")
        parser.add_argument(
            "--workers", type=int, default=None, help="processes to use here; default: one a core"
        )
        parser.add_argument("--reason", default="", help="kept with the run")

    def handle(self, *args: Any, **options: Any) -> None:
        workers = (os.cpu_count() or 1) if options["workers"] is None else options["workers"]
        if not 1 <= workers <= 64:
            raise CommandError(f"--workers {workers} is not accepted; accepted: 1 to 64")
        began = time.monotonic()
        run = self.start(options)
        if run is None:
            self.stdout.write("Nothing to do: estimates are there already.")
            return
        if options["enqueue"] and options["no_wait"]:
            self.stdout.write(f"Run {run.pk}: {run.chunks} models, in the hands of the workers.")
            return
        try:
            self.work(run, workers, options["enqueue"])
        except RuntimeError as error:
            raise CommandError(str(error)) from error
        self.report(run, time.monotonic() - began)

    def start(self, options: dict[str, Any]) -> CalculationRun | None:
        enqueue, reason = options["enqueue"], options["reason"] or "command line"
        if options["if_empty"]:
            # A first calculation that an earlier start left unfinished is taken up where it stands.
            return runs.start_first_calculation(hint=enqueue) or runs.active_runs().first()
        scope = "stale"
        if options["all"]:
            scope = "all"
        elif options["model"]:
            scope = f"model:{options['model']}"
        elif options["accelerator"]:
            scope = f"accelerator:{options['accelerator']}"
        try:
            return runs.start_recalculation(scope, reason, hint=enqueue)
        except runs.UnknownScope as error:
            raise CommandError(str(error)) from error

    def work(self, run: CalculationRun, workers: int, enqueue: bool) -> None:
        follow = runs.follow if enqueue else partial(runs.work_on, processes=workers if run.chunks > 1 else 1)
        console = Console(file=cast(Any, self.stdout)._out, highlight=False)
        if not console.is_terminal:
            follow(run, on_progress=self.lines())
            return
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("models, {task.fields[configurations]:,} configurations"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
        ) as progress:
            bar = progress.add_task("Calculating", total=run.chunks, configurations=0)

            def show(state: CalculationRun) -> None:
                progress.update(bar, completed=state.chunks_done, configurations=state.configurations)

            follow(run, on_progress=show)

    def lines(self) -> Callable[[CalculationRun], None]:
        """Progress for a log: a line every few seconds while something has changed."""
        shown = (-1, time.monotonic() - LINE_EVERY_SECONDS)

        def show(state: CalculationRun) -> None:
            nonlocal shown
            ended = state.state == RunState.DONE
            if state.chunks_done == shown[0]:
                return
            if ended or time.monotonic() - shown[1] >= LINE_EVERY_SECONDS:
                shown = (state.chunks_done, time.monotonic())
                self.stdout.write(
                    f"Calculating: {state.chunks_done} of {state.chunks} models, "
                    f"{state.configurations:,} configurations"
                )
                self.stdout.flush()

        return show

    def report(self, run: CalculationRun, seconds: float) -> None:
        failed = Calculation.objects.filter(state=CalculationState.FAILED).count()
        rate = run.configurations / seconds if seconds else 0.0
        self.stdout.write(
            f"{run.chunks} models, {run.configurations:,} configurations in {seconds:.1f} s "
            f"({rate:,.0f} configurations/s)"
        )
        self.stdout.write(
            f"{run.rows_written:,} rows written of {Estimate.objects.count():,}; "
            f"{store.bytes_on_disk() / 1e6:,.0f} MB on disk; {failed} calculations failed"
        )
        for cell in failing(limit=5):
            self.stdout.write(
                f"  {cell.language_model.slug} on {cell.accelerator.slug}: {cell.error.splitlines()[0]}"
            )


def failing(limit: int) -> list[Calculation]:
    """The first calculations that failed, for the report."""
    rows = Calculation.objects.filter(state=CalculationState.FAILED, run=None).exclude(Q(error=""))
    return list(rows.select_related("language_model", "accelerator")[:limit])
