"""`manage.py calibrate`: learn from published runs and write the calibration that the core reads.

Nothing is written before everything is known; each file takes the place of the former one whole.
"""

from __future__ import annotations

import csv
import json
import os
import shlex
from argparse import ArgumentParser
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import localdate
from rich.console import Console
from rich.table import Table

from estimates.calibration.crossvalidation import as_row, left_out_predictions
from estimates.calibration.learning import TooFewRuns, content, learn
from estimates.calibration.markdown import markdown
from estimates.calibration.report import headline, report
from estimates.core.calibration import FILE, calibration_from
from estimates.core.efficiency import DATA_DIRECTORY, load_efficiency
from estimates.measured.peers import PeerFigure, read_peers
from estimates.measured.questions import read_names
from estimates.measured.runs import Run, UnreadableMeasurements, read_runs, stored_runs

DIRECTORY: Final = DATA_DIRECTORY / "calibration"
SHOWN: Final = ("tpot_ms", "ttft_ms", "other")


class Command(BaseCommand):
    help = "Learn multipliers, offsets, sweeps and intervals from the catalogue's published runs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--measurements", metavar="FILE", help="a CSV instead of the catalogue's runs")
        parser.add_argument(
            "--cross-validate",
            action="store_true",
            help="also score it on rows and groups left out, with ablation and stages: report, predictions",
        )
        parser.add_argument("--peers", metavar="FILE", help="CSV: run_id, tool, metric, value, error")
        parser.add_argument("--output", metavar="DIR", help=f"where to write; default {DIRECTORY.name}/")
        parser.add_argument("--made", metavar="DATE", help="date that the files carry; default today")
        parser.add_argument(
            "--markdown", metavar="FILE", help="with --cross-validate: the report as a page of Markdown"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        made = day(options["made"])
        if options["markdown"] and not options["cross_validate"]:
            raise CommandError("--markdown needs --cross-validate: it is the report that it writes")
        runs, peers = read(options["measurements"], options["peers"])
        directory = Path(options["output"]) if options["output"] else DIRECTORY
        page = Path(options["markdown"]) if options["markdown"] else None
        for place in (directory, page.parent if page else directory):
            prepare(place)
        if page is not None and page.is_dir():
            raise CommandError(f"{page} cannot be written: it is a directory")
        table = load_efficiency(calibrated=False)
        try:
            learnt = learn(runs, table)
        except TooFewRuns as error:
            raise CommandError(str(error)) from None
        splits = learnt.splits()
        found = content(learnt, made, splits) | {"validation": headline(learnt, splits)}
        text = json.dumps(found, separators=(",", ":"), allow_nan=False)
        calibration = calibration_from(json.loads(text), "")
        files = {directory / FILE: text.replace('{"metric":', '\n{"metric":') + "\n"}
        self.stdout.write(
            f"{found['runs']} runs, {found['figures']} figures learnt from, {len(found['multipliers'])} "
            f"multipliers, {len(text) / 1e3:.0f} kB"
        )
        if options["cross_validate"] and calibration.residuals is not None:
            scored = left_out_predictions(learnt, splits, calibration.residuals, table)
            whole = report(learnt, scored, table, read_names(), peers, made)
            report_text = json.dumps(whole, separators=(",", ":"), allow_nan=False) + "\n"
            files[directory / "report.json"] = report_text
            files[directory / "predictions.csv"] = csv_of([as_row(one, learnt) for one in scored])
            if page is not None:
                files[page] = markdown(json.loads(report_text), command_of(options))
            print_report(Console(file=self.stdout, width=120), whole)  # type: ignore[arg-type]
        write(files)


def command_of(options: dict[str, Any]) -> str:
    """The command line that makes a report, with the names of files that lie elsewhere."""
    words = ["python", "manage.py", "calibrate", "--cross-validate"]
    for name in ("measurements", "peers"):
        if options[name]:
            words += [f"--{name}", Path(options[name]).name]
    page = Path(options["markdown"])
    inside = page.resolve().is_relative_to(Path.cwd())
    words += ["--markdown", str(page.resolve().relative_to(Path.cwd())) if inside else page.name]
    return shlex.join(words)


def day(text: str | None) -> str:
    """The date asked for, today where none is. Raises CommandError."""
    try:
        return (date.fromisoformat(text) if text else localdate()).isoformat()
    except ValueError:
        raise CommandError(f"--made {text} is no date; accepted: YYYY-MM-DD") from None


def read(measurements: str | None, peers: str | None) -> tuple[list[Run], list[PeerFigure]]:
    """Runs of the file or of the catalogue, and the peers' figures. Raises CommandError in one line."""
    try:
        runs = read_runs(measurements) if measurements else stored_runs()
        return runs, read_peers(peers) if peers else []
    except UnreadableMeasurements as error:
        raise CommandError(str(error)) from None


def csv_of(rows: list[dict[str, Any]]) -> str:
    text = StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def prepare(directory: Path) -> None:
    """Make a directory that can be written, before anything is worked out for it. Raises CommandError."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"{directory} cannot be written: {error.strerror}") from None
    if not os.access(directory, os.W_OK):
        raise CommandError(f"{directory} cannot be written: it is read-only")


def write(files: dict[Path, str]) -> None:
    """Write all files beside their places, then put each in its place. Raises CommandError."""
    written: list[Path] = []
    try:
        for path, text in files.items():
            beside = path.with_name(f".{path.name}.new")
            written.append(beside)
            beside.write_text(text, encoding="utf-8")
        for path, beside in zip(files, written, strict=True):
            beside.replace(path)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from None
    finally:
        for beside in written:
            if beside.is_file():
                beside.unlink()


def print_report(console: Console, whole: dict[str, Any]) -> None:
    """Scores, stages and ablation as tables."""
    counts = whole["measurements"]
    console.print(
        f"{counts['figures']} figures of {counts['runs']} runs, {counts['copies_removed']} copies removed, "
        f"{counts['taught']} taught"
    )
    table = Table("left out", "metric", "rows", "MAPE %", "median %", "within 20 %", "80 % interval holds %")
    for fold in ("rows_out", "groups_out"):
        for metric, views in whole[fold].items():
            if isinstance(views, dict) and "complete" in views:
                row = views["complete"]
                cells = ("answered", "mape_pct", "median_ape_pct", "within20_pct", "coverage80_pct")
                table.add_row(fold[:-4], metric, *(_cell(row[name]) for name in cells))
    console.print(table)
    bought = Table("stage", *(f"{metric} {fold}" for metric in SHOWN for fold in ("rows", "groups")))
    for stage in whole["stages"]:
        cells_ = [
            _cell(stage[fold].get(metric, {}).get("mape_pct"))
            + " / "
            + _cell(stage[fold].get(metric, {}).get("median_ape_pct"))
            for metric in SHOWN
            for fold in ("rows_out", "groups_out")
        ]
        bought.add_row(stage["stage"], *cells_)
    console.print("MAPE / median, per cent, by stage")
    console.print(bought)
    removed = Table("without", "TPOT MAPE %, physics", "TPOT MAPE %, groups left out, fitted again")
    for row in whole["ablation"]:
        removed.add_row(row["term"], _cell(row["tpot_mape_before"]), _cell(row["tpot_mape_after"]))
    console.print(removed)


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
